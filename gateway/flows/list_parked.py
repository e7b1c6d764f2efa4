"""Messages that need a person."""

from __future__ import annotations

from gateway import outbox
from gateway.db import Row
from gateway.house import House


def list_parked(house: House, *, limit: int = 200) -> list[Row]:
    """Parked messages, oldest first: message_id, kind, serial, code (why), attempts, inquiries, created_at, lane."""
    with house.db.transaction(read_only=True) as tx:
        return outbox.list_parked(tx, limit)
