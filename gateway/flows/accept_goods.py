"""Goods arrive from another branch: all that was sent is booked in, and what is missing is written off with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from gateway import goods
from gateway.flows._open_day import require_open_day
from gateway.house import House
from gateway.translog import append_records
from schemas.errors import ForbiddenError, InvalidError, NotFoundError
from schemas.goods import Movement
from schemas.staff import StaffCaller

REASON_LENGTH = 200


def accept_goods(
    house: House, caller: StaffCaller, transfer_id: UUID, arrived: Mapping[UUID, int], *, reason: str, now: datetime
) -> None:  # fmt: skip
    """Write the receiving side, so that what left one branch came to the other or is explained. Twice is once.

    Raises NotFoundError, ForbiddenError `other-branch` when it is on its way elsewhere, InvalidError `transfer-incomplete` (one
    is not named, or more came than went), `count-unexplained` (fewer, and no reason), RefusedError `branch-day-closed`.
    """
    with house.db.transaction() as tx:
        require_open_day(tx, caller.branch_no, now)
        goods.lock_transfer(tx, transfer_id)
        rows = goods.list_cause(tx, transfer_id)
        sent = [row for row in rows if row.kind == "transfer_out"]
        if not sent:
            raise NotFoundError("no such transfer", where="transfer_id", value=str(transfer_id))
        if any(row.reason != caller.branch_no for row in sent):
            raise ForbiddenError("these goods go to another branch", code="other-branch", where="transfer_id")
        if any(row.kind == "transfer_in" for row in rows):
            return
        counts = {row.good_id: -row.on_hand_change_count for row in sent}
        if arrived.keys() != counts.keys() or any(not 0 <= arrived[g] <= counts[g] for g in counts):
            raise InvalidError(
                "every good that was sent is counted, and no more came than was sent",
                code="transfer-incomplete",
                where="arrived",
            )
        missing = {g: counts[g] - arrived[g] for g in counts if arrived[g] < counts[g]}
        if missing and not 2 <= len(reason.strip()) <= REASON_LENGTH:
            raise InvalidError("what is missing is explained", code="count-unexplained", where="reason")
        lines = [
            Movement("transfer_in", caller.branch_no, g, n, 0, sent[0].branch_no) for g, n in counts.items()
        ]
        lines += [
            Movement("write_off", caller.branch_no, g, -n, 0, reason.strip()) for g, n in missing.items()
        ]
        drafts = goods.move_stock(tx, transfer_id, lines, by=caller.teller_no, now=now)
        append_records(tx, drafts, now=now, new_id=house.new_id)
