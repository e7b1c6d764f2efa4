"""How far each change feed was read, and which numbers are missing: for the command line and the page of neighbours."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from gateway import feeds
from gateway.feeds import Gap
from gateway.house import House
from schemas.values import TownCode


class FeedState(NamedTuple):
    """One town's feed. `gaps` are the lowest ones; `missing` counts every missing number."""

    town: TownCode
    high_seq: int
    fetched_at: datetime | None
    wait_until: datetime | None
    missing: int
    oldest_at: datetime | None
    gaps: list[Gap]


def inspect_feeds(house: House, *, shown: int = 20) -> list[FeedState]:
    """The feed of every town that is asked for its changes."""
    found = []
    with house.db.transaction(read_only=True) as tx:
        counted = feeds.count_gaps(tx)
        for town in house.feeds:
            feed = feeds.find_feed(tx, town)
            missing, oldest_at = counted.get(town, (0, None))
            gaps = feeds.list_gaps(tx, town)[:shown]
            found.append(
                FeedState(town, feed.high_seq, feed.fetched_at, feed.wait_until, missing, oldest_at, gaps)
            )
    return found
