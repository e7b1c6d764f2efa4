"""Differences as they stand: for the command line, the report and the neighbours page."""

from __future__ import annotations

from datetime import date

from gateway import settlements
from gateway.db import Row
from gateway.house import House
from schemas.values import TownCode


def list_differences(
    house: House, town: TownCode | None = None, on: date | None = None, *, settled: bool = False
) -> list[Row]:
    """Rows (town, accounting_on, line_kind, reference, outcome, fields, ours, theirs, owner, action, state, why, said_by,
    found_at, changed_at), oldest first; `settled` adds the closed ones. At most 10 000."""
    with house.db.transaction(read_only=True) as tx:
        return settlements.list_differences(tx, town, on, settled=settled)
