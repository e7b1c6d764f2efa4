"""What stands at a branch: redemptions under way, those of the last days, and the stock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway import goods, redemptions
from gateway.db import Row
from gateway.house import House
from gateway.redemptions.states import PENDING
from schemas.redemptions import RedemptionState
from schemas.staff import StaffCaller

RECENT = timedelta(days=2)
LONG_AGO = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class BranchView:
    """Newest first. `waiting` need a second person, `unknown` an answer of a town."""

    pending: tuple[Row, ...]
    recent: tuple[Row, ...]
    stock: tuple[Row, ...]

    @property
    def waiting(self) -> list[Row]:
        return [r for r in self.pending if r.state == "frozen" and r.needs_approval and r.approved_by is None]

    @property
    def unknown(self) -> list[Row]:
        return [r for r in self.pending if r.state in ("unknown", "releasing")]


def list_redemptions(house: House, caller: StaffCaller, *, now: datetime) -> BranchView:
    """Of the caller's branch."""
    ended = frozenset(RedemptionState) - PENDING
    with house.audit_db.transaction(read_only=True) as tx:
        pending = redemptions.list_branch(tx, caller.branch_no, PENDING, since=now - LONG_AGO)
        recent = redemptions.list_branch(tx, caller.branch_no, ended, since=now - RECENT, limit=50)
        stock = goods.list_stock(tx, caller.branch_no)
    return BranchView(tuple(pending), tuple(recent), tuple(stock))
