"""What a town pushed lately and how it was answered: for whoever watches a vendor's first pushes."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from gateway import contributions
from gateway.house import House
from schemas.contributions import ItemAnswer
from schemas.values import ItemStatus, TownCode

LISTED = 200


class PushSeen(NamedTuple):
    """One stored push. `exceptions` are the items that were not plainly accepted; nothing personal is in them."""

    batch_id: UUID
    client_id: str
    received_at: datetime
    item_count: int
    accepted_count: int
    exceptions: tuple[ItemAnswer, ...]
    corrects: bool  # an item of it takes an earlier one back


def list_pushes(house: House, town: TownCode, after: UUID) -> list[PushSeen]:
    """The town's pushes after a batch (batch ids are UUIDv7: ordered by time), the oldest first, 200 at most."""
    with house.db.transaction(read_only=True) as tx:
        rows = contributions.list_batches_after(tx, town, after, LISTED)
    return [
        PushSeen(
            row.batch_id,
            row.client_id,
            row.received_at,
            row.item_count,
            row.accepted_count,
            tuple(ItemAnswer(e[0], e[1], ItemStatus(e[2]), *e[3:]) for e in row.exceptions),
            row.corrects,
        )
        for row in rows
    ]
