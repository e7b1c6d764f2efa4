"""Messages: written in bulk, claimed with a lease, and marked in bulk with what became of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from gateway.db import Row, Transaction, copy_text, load_queries

queries = load_queries(__file__)

#: First wait after a failed attempt, doubled each time up to the longest; the wait is spread by ±50 % (jitter).
FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=15)


class NewMessage(NamedTuple):
    """What to say: `row_id` is the proposal or revocation it speaks of. No personal data."""

    message_id: UUID
    neighbour: str
    kind: str
    serial: str
    row_id: UUID
    lane: str
    correlation_id: str = ""


class Claimed(NamedTuple):
    """A message this process may speak about until its lease ends."""

    message_id: UUID
    kind: str
    serial: str
    row_id: UUID
    attempts: int
    inquiries: int
    abandoned: bool
    correlation_id: str


class Ended(NamedTuple):
    """Nothing follows: 'done' (it is known what the neighbour did) or 'cancelled' (it was never said)."""

    message_id: UUID
    state: str
    code: str


class Later(NamedTuple):
    """To be taken up again, not before `next_attempt_at`."""

    message_id: UUID
    code: str
    next_attempt_at: datetime


class Parked(NamedTuple):
    """Needs a person; `code` says why."""

    message_id: UUID
    code: str


def wait_after(attempts: int, chance: float) -> timedelta:
    """How long to wait after `attempts` tries. `chance` in [0, 1) spreads the wait from half to one and a half times."""
    doublings = min(max(attempts - 1, 0), 20)
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT) * (0.5 + chance)


def insert_messages(tx: Transaction, news: Sequence[NewMessage], *, now: datetime) -> int:
    """Queue messages, due at once. One statement for any number."""
    if not news:
        return 0
    rows = [
        (m.message_id, m.neighbour, m.kind, m.serial, m.row_id, m.lane, now, m.correlation_id, now)
        for m in news
    ]
    return tx.copy_in(queries.copy_messages, copy_text(rows))


def claim_due(
    tx: Transaction, neighbour: str, limit: int, *, now: datetime, claimed_until: datetime, claimed_by: str
) -> list[Claimed]:
    """Take messages that are due and first in their lane; nobody else gets them before the lease ends."""
    params = {
        "neighbour": neighbour,
        "limit": limit,
        "now": now,
        "claimed_until": claimed_until,
        "claimed_by": claimed_by,
    }
    return [Claimed(*row) for row in tx.tuples(queries.claim_due, params)]


def doubt_lapsed(tx: Transaction, neighbour: str, limit: int, *, now: datetime) -> list[Claimed]:
    """Messages whose sender died become unknown; returned, so that what they speak of becomes unknown too."""
    params = {"neighbour": neighbour, "limit": limit, "now": now}
    return [Claimed(*row) for row in tx.tuples(queries.doubt_lapsed, params)]


def claim_unknown(
    tx: Transaction, neighbour: str, limit: int, *, now: datetime, claimed_until: datetime, claimed_by: str
) -> list[Claimed]:
    """Take unknown messages that are due for an inquiry. They stay unknown."""
    params = {
        "neighbour": neighbour,
        "limit": limit,
        "now": now,
        "claimed_until": claimed_until,
        "claimed_by": claimed_by,
    }
    return [Claimed(*row) for row in tx.tuples(queries.claim_unknown, params)]


def lock_claimed(
    tx: Transaction, message_ids: Iterable[UUID], *, claimed_by: str, state: str
) -> dict[UUID, bool]:
    """Lock what is still this claimer's, and whether it was abandoned meanwhile. What is absent lapsed: leave it alone."""
    params = {"message_ids": list(message_ids), "claimed_by": claimed_by, "state": state}
    return dict(tx.tuples(queries.lock_claimed, params))


def mark_ended(tx: Transaction, ended: Sequence[Ended], *, now: datetime) -> None:
    """These are over."""
    if ended:
        params = {
            "message_ids": [e.message_id for e in ended],
            "states": [e.state for e in ended],
            "codes": [e.code for e in ended],
            "now": now,
        }
        tx.run(queries.mark_ended, params)


def mark_queued(tx: Transaction, later: Sequence[Later]) -> None:
    """Nothing happened at the neighbour: send again later."""
    _mark_later(tx, queries.mark_queued, later)


def mark_unknown(tx: Transaction, later: Sequence[Later]) -> None:
    """It may or may not have happened: ask later."""
    _mark_later(tx, queries.mark_unknown, later)


def postpone_inquiries(tx: Transaction, later: Sequence[Later]) -> None:
    """The inquiry itself had no clear answer: still unknown, ask again later."""
    _mark_later(tx, queries.postpone_inquiries, later)


def _mark_later(tx: Transaction, query: Row, later: Sequence[Later]) -> None:
    if later:
        params = {
            "message_ids": [m.message_id for m in later],
            "codes": [m.code for m in later],
            "next_attempt_ats": [m.next_attempt_at for m in later],
        }
        tx.run(query, params)


def mark_parked(tx: Transaction, parked: Sequence[Parked]) -> None:
    """These need a person; their lanes wait."""
    if parked:
        params = {"message_ids": [p.message_id for p in parked], "codes": [p.code for p in parked]}
        tx.run(queries.mark_parked, params)


def abandon_messages(tx: Transaction, row_ids: Iterable[UUID], *, code: str, now: datetime) -> set[UUID]:
    """What these messages speak of is no longer wanted. Those that were certainly not heard are cancelled: their row ids."""
    params = {"row_ids": list(row_ids), "code": code, "now": now}
    if not params["row_ids"]:
        return set()
    return {row.row_id for row in tx.all(queries.abandon_messages, params) if row.cancelled}


def count_messages(tx: Transaction) -> dict[str, tuple[int, datetime]]:
    """Open messages by state: how many, and since when the oldest waits."""
    return {row.state: (int(row.messages), row.oldest_at) for row in tx.all(queries.count_messages)}


def list_parked(tx: Transaction, limit: int = 200) -> list[Row]:
    """Messages that need a person, oldest first."""
    return tx.all(queries.list_parked, {"limit": limit})


def release_parked(tx: Transaction, message_ids: Sequence[UUID], *, now: datetime) -> list[UUID]:
    """A person let them go on. They become unknown, so the bank is asked first; then they are sent, or settled."""
    return [m for (m,) in tx.tuples(queries.release_parked, {"message_ids": list(message_ids), "now": now})]
