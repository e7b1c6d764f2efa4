"""Activity codes that operators added."""

from __future__ import annotations

from gateway import contributions
from gateway.db import Row
from gateway.house import House
from schemas.values import TownCode


def list_codes(house: House, town: TownCode | None = None) -> list[Row]:
    """Rows (town, activity, category, added_by, added_at)."""
    with house.db.transaction(read_only=True) as tx:
        return contributions.list_code_rows(tx, town)
