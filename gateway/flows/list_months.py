"""Which months of which towns there are: settled ones, and those that could be."""

from __future__ import annotations

from typing import NamedTuple

from gateway import closings
from gateway.db import Row
from gateway.house import House
from schemas.values import TownCode


class Months(NamedTuple):
    """`settled` rows as `closings.list_months`; `unsettled` are (town, month), both newest first."""

    settled: list[Row]
    unsettled: list[tuple[TownCode, int]]


def list_months(house: House) -> Months:
    """All of them."""
    with house.audit_db.transaction(read_only=True) as tx:
        settled = closings.list_months(tx)
        known = {(row.town, row.month) for row in settled}
        traded = closings.list_traded_months(tx)
    return Months(settled, [(TownCode(r.town), r.month) for r in traded if (r.town, r.month) not in known])
