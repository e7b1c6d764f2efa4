"""Staff sessions that ended long ago are forgotten; that they were is in the log."""

from __future__ import annotations

from datetime import datetime

from gateway import staff
from gateway.house import House


def purge_sessions(house: House, before: datetime) -> int:
    """How many were forgotten. Twice is once."""
    with house.db.transaction() as tx:
        return staff.delete_ended_sessions(tx, before)
