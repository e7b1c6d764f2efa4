"""Runs of jobs, for operators."""

from __future__ import annotations

from collections.abc import Sequence

from gateway import runs
from gateway.db import Row
from gateway.house import House


def list_runs(
    house: House, job: str | None = None, *, limit: int = 50, latest_of: Sequence[str] = ()
) -> list[Row]:
    """Runs, newest first, of one job or all; with `latest_of`, only the latest run of each of those jobs."""
    with house.db.transaction(read_only=True) as tx:
        if latest_of:
            return runs.list_latest(tx, latest_of)
        return runs.list_runs(tx, job, limit)
