"""What waits in quarantine: reason, age and end, nothing personal."""

from __future__ import annotations

from gateway import contributions
from gateway.db import Row
from gateway.house import House
from schemas.values import TownCode


def list_quarantined(house: House, town: TownCode | None = None) -> list[Row]:
    """Rows (town, reference, code, detail, batch_id, item_no, quarantined_at, keep_until), oldest first; at most 10 000."""
    with house.db.transaction(read_only=True) as tx:
        return contributions.list_quarantined(tx, town)
