"""Goods come to a branch, go to another, are counted or written off: lines of the register, with a record in the log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from gateway import goods
from gateway.flows._open_day import require_open_day
from gateway.house import House
from gateway.translog import append_records
from schemas.errors import ConflictError, InvalidError, RefusedError
from schemas.goods import Movement

BY_HAND = frozenset({"receive", "transfer_out", "transfer_in", "count", "write_off"})


def stock_goods(
    house: House, movements: Sequence[Movement], *, by: str, cause_id: UUID, now: datetime
) -> None:
    """Write the lines under one cause. Raises InvalidError for a line that is none, RefusedError when a branch has not so many,
    ConflictError for a cause that was written before (the same form twice is once: the second is refused)."""
    if not movements or any(m.kind not in BY_HAND or not m.on_hand_change_count for m in movements):
        raise InvalidError(
            "a line says what came, went, or differs", code="movement-invalid", where="movements"
        )
    try:
        with house.db.transaction() as tx:
            for branch_no in sorted({m.branch_no for m in movements}):
                require_open_day(tx, branch_no, now)
            drafts = goods.move_stock(tx, cause_id, movements, by=by, now=now)
            append_records(tx, drafts, now=now, new_id=house.new_id)
    except ConflictError as exc:
        if exc.where in ("stock_not_negative", "held_is_there"):
            raise RefusedError("the branch has not so many", code="out-of-stock", where="stock") from exc
        if exc.where == "movement_fits_kind":
            raise InvalidError("the number does not fit what happened", code="movement-invalid") from exc
        raise
