"""The rows: the switch of a person, and the breaker all processes share."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from gateway.db import Transaction, load_queries
from gateway.neighbours.restate import switch_record
from schemas.records import RecordDraft

queries = load_queries(__file__)

LONGEST_WAIT = timedelta(minutes=10)
PROBE_WITHIN = timedelta(seconds=90)  # longer than any call with its time-outs


class Standing(NamedTuple):
    """How a neighbour stands."""

    neighbour: str
    paused: bool
    why: str
    said_by: str
    switched_at: datetime | None
    state: str  # 'closed' | 'open' | 'half_open'
    times_opened: int
    since: datetime | None
    retry_at: datetime | None
    last_code: str
    last_answer_at: datetime | None
    last_failure_at: datetime | None


def find_standing(tx: Transaction, neighbour: str) -> Standing:
    """How it stands; one nobody ever paused or lost is open to all."""
    rows = tx.tuples(queries.list_standings, {"neighbour": neighbour})
    if rows:
        return Standing(*rows[0])
    return Standing(neighbour, False, "", "", None, "closed", 0, None, None, "", None, None)


def list_standings(tx: Transaction) -> dict[str, Standing]:
    """Every neighbour of which anything is known."""
    return {row[0]: Standing(*row) for row in tx.tuples(queries.list_standings, {"neighbour": None})}


def mark_open(tx: Transaction, neighbour: str, *, code: str, wait: timedelta, now: datetime) -> bool:
    """Open the breaker for `wait`, doubled each time in a row; False when it was open already."""
    params = {"neighbour": neighbour, "code": code, "wait": wait, "longest": LONGEST_WAIT, "now": now}
    return bool(tx.run(queries.mark_open, params))


def claim_probe(tx: Transaction, neighbour: str, *, now: datetime) -> bool:
    """True for the one process that may try."""
    return bool(tx.run(queries.claim_probe, {"neighbour": neighbour, "within": PROBE_WITHIN, "now": now}))


def mark_closed(tx: Transaction, neighbour: str, *, now: datetime) -> bool:
    """It answers again."""
    return bool(tx.run(queries.mark_closed, {"neighbour": neighbour, "now": now}))


def mark_answered(tx: Transaction, neighbour: str, *, now: datetime) -> None:
    """It answered, as it does."""
    tx.run(queries.mark_answered, {"neighbour": neighbour, "now": now})


def insert_switch(
    tx: Transaction, switch_id: UUID, neighbour: str, *, paused: bool, why: str, said_by: str, now: datetime
) -> RecordDraft | None:
    """Pause or resume; the record to append, or None when it stood so already."""
    asked = {
        "switch_id": switch_id,
        "neighbour": neighbour,
        "paused": paused,
        "why": why,
        "said_by": said_by,
        "now": now,
    }
    return switch_record(tx, str(switch_id)) if tx.run(queries.insert_switch, asked) else None
