"""A person has looked and lets parked messages go on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from gateway import outbox
from gateway.house import House
from schemas.errors import NotFoundError


def release_parked(house: House, message_ids: Sequence[UUID], *, now: datetime) -> int:
    """The messages become unknown: the bank is asked first, then they are settled or sent. How many were parked.

    Raises NotFoundError when one of them is not parked; none is released then.
    """
    with house.db.transaction() as tx:
        released = outbox.release_parked(tx, message_ids, now=now)
        missing = set(message_ids) - set(released)
        if missing:
            raise NotFoundError("no such parked message", where="message_id", value=str(min(missing)))
        return len(released)
