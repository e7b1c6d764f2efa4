"""Goods leave a branch for another: off its shelf, in transit until the other has them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from gateway import goods
from gateway.flows.stock_goods import stock_goods
from gateway.house import House
from schemas.errors import ConflictError, InvalidError
from schemas.goods import Movement
from schemas.staff import BRANCH_NO, StaffCaller


def send_goods(
    house: House,
    caller: StaffCaller,
    to_branch_no: str,
    counts: Mapping[UUID, int],
    *,
    transfer_id: UUID,
    now: datetime,
) -> None:
    """Write the sending side. The same form twice is once.

    Raises InvalidError for a branch or a number that is none, RefusedError `out-of-stock` and `branch-day-closed`, ConflictError
    for a transfer id that was used for something else.
    """
    if not BRANCH_NO.fullmatch(to_branch_no) or to_branch_no == caller.branch_no:
        raise InvalidError(
            "goods go to another branch, by its number", code="branch-invalid", where="to_branch_no",
            value=to_branch_no[:16],
        )  # fmt: skip
    lines = [
        Movement("transfer_out", caller.branch_no, good_id, -count, 0, to_branch_no)
        for good_id, count in counts.items()
        if count
    ]
    if any(line.on_hand_change_count > 0 for line in lines):
        raise InvalidError("a number of goods is more than nothing", code="movement-invalid", where="counts")
    with house.db.transaction(read_only=True) as tx:
        before = goods.list_cause(tx, transfer_id)
    if before:
        wrote = {(r.kind, r.branch_no, r.good_id, r.on_hand_change_count, r.reason) for r in before}
        if {(m.kind, m.branch_no, m.good_id, m.on_hand_change_count, m.reason) for m in lines} <= wrote:
            return
        raise ConflictError("this page sent other goods before", code="transfer-key-reused", where="key")
    stock_goods(house, lines, by=caller.teller_no, cause_id=transfer_id, now=now)
