"""Whether a neighbour is to be left alone now, so that a job claims nothing it could not say."""

from __future__ import annotations

from datetime import datetime

from gateway import neighbours
from gateway.house import House


def left_alone(house: House, neighbour: str, now: datetime) -> bool:
    """Paused for maintenance, or its breaker is open and nobody's turn to try has come."""
    with house.db.transaction(read_only=True) as tx:
        standing = neighbours.find_standing(tx, neighbour)
    if standing.paused:
        return True
    return standing.state != "closed" and standing.retry_at is not None and standing.retry_at > now
