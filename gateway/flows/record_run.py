"""A run of a job is written down: when it began, when it ended, what it found to do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from gateway import runs, translog
from gateway.house import House


def record_run(
    house: House, run_id: UUID, job: str, *, now: datetime,
    started_at: datetime | None = None, outcome: str = "running", counts: Mapping[str, int] | None = None,
    error_code: str = "", run_by: str = "", repeats: int = 1,
) -> None:  # fmt: skip
    """Write that a run began (outcome 'running') or ended ('done', 'idle' or 'failed'); `now` is when.

    Idle runs that follow one another share a row. A run that never ends because its process died is 'lost' when the next
    leader begins (`mark_lost_runs`). Outcomes that an auditor asks about are recorded in the log.
    """
    with house.db.transaction() as tx:
        if outcome == "running":
            runs.insert_run(tx, run_id, job, run_by, now=now)
            return
        runs.mark_ended(
            tx, run_id, job, run_by, started_at=started_at or now, now=now, outcome=outcome, counts=counts or {},
            error_code=error_code, repeats=repeats,
        )  # fmt: skip
        draft = runs.insert_outcome(
            tx, run_id, job, run_by, started_at=started_at or now, now=now, outcome=outcome, counts=counts or {},
            error_code=error_code,
        )  # fmt: skip
        if draft is not None:
            translog.append_records(tx, [draft], now=now, new_id=house.new_id)
