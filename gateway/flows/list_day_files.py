"""Which day files of a town were taken, and what became of their items."""

from __future__ import annotations

from gateway import contributions
from gateway.db import Row
from gateway.house import House
from schemas.values import TownCode


def list_day_files(house: House, town: TownCode) -> list[Row]:
    """Rows of `day_file`, latest day first."""
    with house.db.transaction(read_only=True) as tx:
        return contributions.list_day_files(tx, town)
