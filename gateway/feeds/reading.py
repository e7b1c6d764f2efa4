"""The rows: one a feed, one a gap, one an event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from gateway.db import Transaction, copy_text, load_queries
from gateway.feeds.gaps import Gap
from schemas.values import TownCode

queries = load_queries(__file__)

#: More ranges than this are no late commits: the feed has lost its order, and somebody must look.
MOST_GAPS = 5000


class Feed(NamedTuple):
    """How far a town's feed was read."""

    cursor: str
    high_seq: int
    fetched_at: datetime | None
    wanted_at: datetime | None
    wait_until: datetime | None


UNREAD = Feed("", 0, None, None, None)


def find_feed(tx: Transaction, town: TownCode) -> Feed:
    """The feed; unread when nothing was fetched yet."""
    row = tx.find(queries.find_feed, {"town": town})
    return Feed(*row) if row else UNREAD


def lock_feed(tx: Transaction, town: TownCode) -> Feed:
    """The feed, held until the transaction ends; made when it does not exist."""
    tx.run(queries.open_feed, {"town": town})
    return Feed(*tx.one(queries.lock_feed, {"town": town}))


def list_gaps(tx: Transaction, town: TownCode) -> list[Gap]:
    """What is missing, ascending; at most MOST_GAPS + 1."""
    rows = tx.tuples(queries.list_gaps, {"town": town, "limit": MOST_GAPS + 1})
    return [Gap(*row) for row in rows]


def count_gaps(tx: Transaction) -> dict[str, tuple[int, datetime]]:
    """Town → how many numbers are missing, and since when the oldest is."""
    return {town: (int(count), seen_at) for town, count, seen_at in tx.tuples(queries.count_gaps)}


def write_feed(
    tx: Transaction,
    town: TownCode,
    cursor: str,
    high_seq: int,
    before: Sequence[Gap],
    after: Sequence[Gap],
    *,
    now: datetime,
) -> None:
    """Where the feed stands now. `before` are the gaps as listed in this transaction: only what differs is written."""
    tx.run(queries.write_feed, {"town": town, "cursor": cursor, "high_seq": high_seq, "now": now})
    gone = sorted(set(before) - set(after))
    if gone:
        tx.run(queries.delete_gaps, {"town": town, "from_seqs": [gap.from_seq for gap in gone]})
    new = sorted(set(after) - set(before))
    if new:
        tx.copy_in(queries.copy_gaps, copy_text((town, *gap) for gap in new))


def mark_wanted(tx: Transaction, town: TownCode, *, now: datetime) -> None:
    """The town says that something changed."""
    tx.run(queries.open_feed, {"town": town})
    tx.run(queries.mark_wanted, {"town": town, "now": now})


def mark_asked_to_wait(tx: Transaction, town: TownCode, until: datetime) -> None:
    """The town asked us not to come before `until`."""
    tx.run(queries.open_feed, {"town": town})
    tx.run(queries.mark_asked_to_wait, {"town": town, "wait_until": until})


def insert_event(
    tx: Transaction,
    town: TownCode,
    event_id: str,
    body_sha256: bytes,
    kind: str,
    subject: str,
    *,
    now: datetime,
) -> bytes | None:
    """Remember an event: None when it is new, otherwise the digest of the body that came under this id before."""
    params = {
        "town": town, "event_id": event_id, "body_sha256": body_sha256, "kind": kind, "subject": subject, "now": now,
    }  # fmt: skip
    if tx.run(queries.insert_event, params) == 1:
        return None
    return bytes(tx.one(queries.find_event, {"town": town, "event_id": event_id}).body_sha256)


def list_hook_subjects(tx: Transaction, town: TownCode, kind: str, since: datetime) -> list[str]:
    """What events of a kind spoke of since then: serials to ask the town about."""
    params = {"town": town, "kind": kind, "since": since}
    return [subject for (subject,) in tx.tuples(queries.list_hook_subjects, params)]


def delete_old_events(tx: Transaction, before: datetime) -> int:
    """Forget events older than any sender repeats them. Returns how many."""
    return tx.run(queries.delete_old_events, {"before": before})


def list_missing(tx: Transaction) -> list[str]:
    """Numbers that were passed and have not come, in words; the first hundred gaps."""
    return [
        f"number {first}{'' if until == first + 1 else f' to {until - 1}'} of the feed of {town},"
        f" passed {seen_at:%Y-%m-%d %H:%M} UTC"
        for town, first, until, seen_at in tx.tuples(queries.list_missing, {"limit": 100})
    ]
