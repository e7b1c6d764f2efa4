"""Runs: when each job ran, what it found to do, and which process leads.

Owns: job_run, job_outcome
Reads:
Never: what a job does

Leadership is an advisory lock held by an open transaction: it ends with its connection, so a leader that dies has a successor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import orjson

from gateway.db import Row, Transaction, load_queries
from gateway.runs.outcomes import insert_outcome

queries = load_queries(__file__)

LEADER_LOCK = 7_330_109_020  # advisory lock: one scheduler leads

__all__ = [
    "find_leadership",
    "insert_outcome",
    "insert_run",
    "keep_leadership",
    "list_latest",
    "list_runs",
    "mark_ended",
    "mark_lost",
    "remove_old",
]


def insert_run(tx: Transaction, run_id: UUID, job: str, run_by: str, *, now: datetime) -> None:
    """A run began."""
    tx.run(queries.insert_run, {"run_id": run_id, "job": job, "run_by": run_by, "now": now})


def mark_ended(
    tx: Transaction, run_id: UUID, job: str, run_by: str, *,
    started_at: datetime, now: datetime, outcome: str, counts: Mapping[str, int], error_code: str, repeats: int = 1,
) -> None:  # fmt: skip
    """A run ended: 'done', 'idle' or 'failed'. Idle runs that follow one another share a row and count up its `repeats`."""
    params = {
        "run_id": run_id,
        "job": job,
        "run_by": run_by,
        "started_at": started_at,
        "now": now,
        "outcome": outcome,
        "counts": orjson.dumps(dict(counts)).decode(),
        "error_code": error_code,
        "repeats": repeats,
    }
    if outcome == "idle" and tx.run(queries.repeat_idle, params):
        tx.run(queries.remove_run, params)
        return
    tx.run(queries.put_run, params)


def mark_lost(tx: Transaction, *, now: datetime, run_by: str) -> int:
    """Runs of schedulers other than `run_by` that never ended become 'lost'. How many. Runs by hand are left alone."""
    return tx.run(queries.mark_lost, {"now": now, "run_by": run_by})


def list_runs(tx: Transaction, job: str | None, limit: int) -> list[Row]:
    """Runs (run_id, job, started_at, ended_at, outcome, repeats, counts, error_code, run_by), newest first."""
    return tx.all(queries.list_runs, {"job": job, "limit": limit})


def list_latest(tx: Transaction, jobs: Sequence[str]) -> list[Row]:
    """The latest run of each job."""
    return tx.all(queries.list_latest, {"jobs": list(jobs)})


def remove_old(tx: Transaction, before: datetime) -> int:
    """Forget runs that ended before an instant (they are operations' notes, not evidence)."""
    return tx.run(queries.remove_old, {"before": before})


def find_leadership(tx: Transaction) -> bool:
    """Try to become the leader; True when this transaction now holds the lock, until it ends."""
    return bool(tx.one(queries.try_lead, {"lock": LEADER_LOCK}).leads)


def keep_leadership(tx: Transaction) -> None:
    """Ask the database a trifle, so that a broken connection (and with it a lost lock) is noticed."""
    tx.one(queries.still_there)
