"""A branch's goods as its people see them: on the shelf, low, on their way, and the register of late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from gateway import goods
from gateway.db import Row
from gateway.house import House
from schemas.staff import StaffCaller

RECENT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Transit:
    """Goods between two branches, since `sent_at`."""

    transfer_id: UUID
    from_branch_no: str
    to_branch_no: str
    sent_by: str
    sent_at: datetime
    lines: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class StockView:
    """`goods` are all of the catalogue: what a branch never had can still be received."""

    stock: tuple[Row, ...]
    goods: tuple[Row, ...]
    transits: tuple[Transit, ...]
    movements: tuple[Row, ...]


def inspect_stock(house: House, caller: StaffCaller, *, now: datetime) -> StockView:
    """Of the caller's branch."""
    with house.audit_db.transaction(read_only=True) as tx:
        stock = goods.list_stock(tx, caller.branch_no)
        catalogue = goods.list_goods(tx)
        rows = goods.list_in_transit(tx, caller.branch_no)
        movements = goods.list_movements(tx, caller.branch_no, since=now - RECENT, limit=100)
    by_cause: dict[UUID, list[Row]] = {}
    for row in rows:
        by_cause.setdefault(row.cause_id, []).append(row)
    transits = [
        Transit(cause_id, r[0].from_branch_no, r[0].to_branch_no, r[0].moved_by, r[0].moved_at, tuple(r))
        for cause_id, r in by_cause.items()
    ]
    return StockView(tuple(stock), tuple(catalogue), tuple(transits), tuple(movements))
