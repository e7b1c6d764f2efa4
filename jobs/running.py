"""One run of one job: the flow is called, and what came of it is recorded."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from gateway.flows.record_run import record_run
from gateway.house import House
from jobs.table import Job
from schemas.errors import GatewayError, UnavailableError

log = logging.getLogger(__name__)

#: Idle runs of a frequent job are written down together, at most this long after one another.
IDLE_WRITTEN_EVERY_S = 15.0


class Ran(NamedTuple):
    """What came of a run: 'done', 'idle' (nothing to do) or 'failed' with the error's code."""

    outcome: str
    counts: Mapping[str, int]
    error_code: str = ""
    error: Exception | None = None


@dataclass(slots=True)
class Runner:
    """Runs one job again and again, or once, and remembers idle runs it has not written down yet."""

    house: House
    job: Job
    run_by: str  # 'scheduler host:pid' or 'by hand host:pid'
    _idle: int = 0
    _idle_since: datetime | None = field(default=None)

    def run(self) -> Ran:
        """One run. Its own errors are recorded and logged, not raised: the next run is a new chance."""
        started_at = self.house.clock()
        run_id = self.house.new_id()
        quiet = self.job.often and self.run_by.startswith("scheduler")
        try:
            if not quiet:
                record_run(self.house, run_id, self.job.name, now=started_at, run_by=self.run_by)
            ran = self._call(started_at)
            ended_at = self.house.clock()
            if quiet and ran.outcome == "idle" and self._postponed(started_at, ended_at):
                return ran
            repeats, since = 1, started_at
            if quiet and ran.outcome == "idle":
                repeats, since = self._idle, self._idle_since or started_at
            elif self._idle:
                self._write_idle(started_at)
            self._idle, self._idle_since = 0, None
            record_run(
                self.house, run_id, self.job.name, now=ended_at, started_at=since, outcome=ran.outcome,
                counts=ran.counts, error_code=ran.error_code, run_by=self.run_by, repeats=repeats,
            )  # fmt: skip
        except UnavailableError as exc:  # the database is away: the run cannot even be recorded
            log.warning("job %s: %s", self.job.name, exc.code)
            return Ran("failed", {}, exc.code, exc)
        return ran

    def _call(self, now: datetime) -> Ran:
        try:
            counts = {name: int(count) for name, count in self.job.run(self.house, now).items()}
        except GatewayError as exc:
            log.error("job %s failed: %s", self.job.name, exc)
            return Ran("failed", {}, exc.code, exc)
        except Exception as exc:  # a fault in one job is recorded as its outcome; the other jobs go on
            log.exception("job %s failed", self.job.name)
            return Ran("failed", {}, f"unexpected-{type(exc).__name__}", exc)
        return Ran("done" if any(counts.values()) else "idle", counts)

    def _postponed(self, started_at: datetime, ended_at: datetime) -> bool:
        """Count an idle run; True when it need not be written down yet."""
        self._idle += 1
        if self._idle_since is None:
            self._idle_since = started_at
        return (ended_at - self._idle_since).total_seconds() < IDLE_WRITTEN_EVERY_S

    def flush(self) -> None:
        """Write down idle runs that were only counted so far: the scheduler stops."""
        if self._idle:
            try:
                self._write_idle(self.house.clock())
                self._idle, self._idle_since = 0, None
            except UnavailableError as exc:
                log.warning(
                    "job %s: %d idle runs are not written down: %s", self.job.name, self._idle, exc.code
                )

    def _write_idle(self, before: datetime) -> None:
        record_run(
            self.house, self.house.new_id(), self.job.name, now=before, started_at=self._idle_since or before,
            outcome="idle", run_by=self.run_by, repeats=self._idle,
        )  # fmt: skip
