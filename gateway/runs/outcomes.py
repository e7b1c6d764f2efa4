"""Outcomes of jobs by which evidence is made, checked or erased: for the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import orjson

from gateway.db import Transaction, load_queries
from schemas.records import RecordBody, RecordDraft
from schemas.values import instant_text

queries = load_queries(__file__)

KIND = "job_outcome"
#: Jobs of which an auditor hears when they begin to fail, fail otherwise, or go well again.
WATCHED = frozenset(
    {"seal_log", "cosign_checkpoint", "verify_log", "erase_residents", "reconcile_day", "note_keys"}
)
#: Of these every run that ended.
EACH_RUN = frozenset({"verify_log"})


def insert_outcome(
    tx: Transaction, run_id: UUID, job: str, run_by: str, *,
    started_at: datetime, now: datetime, outcome: str, counts: Mapping[str, int], error_code: str,
) -> RecordDraft | None:  # fmt: skip
    """Write that a run ended and give its record; None when it says nothing that matters, or was written before."""
    if job not in WATCHED:
        return None
    ended = "failed" if outcome == "failed" else "done"
    last = tx.find(queries.find_last_outcome, {"job": job})
    said = (last.outcome, last.error_code) if last else ("done", "")
    if said == (ended, error_code) and job not in EACH_RUN:
        return None
    params = {
        "run_id": run_id, "job": job, "started_at": started_at, "now": now, "outcome": ended, "error_code": error_code,
        "counts": orjson.dumps(dict(counts)).decode(), "run_by": run_by,
    }  # fmt: skip
    if not tx.run(queries.insert_outcome, params):
        return None
    return RecordDraft(KIND, str(run_id), list_bodies(tx, [str(run_id)])[str(run_id)])


def list_bodies(tx: Transaction, run_ids: Sequence[str]) -> dict[str, RecordBody]:
    """What the log says of these runs, from their rows."""
    return {
        row.run_id: {
            "job": row.job,
            "started_at": instant_text(row.started_at),
            "ended_at": instant_text(row.ended_at),
            "outcome": row.outcome,
            "error_code": row.error_code,
            "counts": row.counts,
            "run_by": row.run_by,
        }
        for row in tx.all(queries.restate_outcomes, {"row_ids": list(run_ids)})
    }
