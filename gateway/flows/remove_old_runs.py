"""Runs of jobs are operations' notes, not evidence: old ones are forgotten."""

from __future__ import annotations

from datetime import datetime

from gateway import runs
from gateway.house import House


def remove_old_runs(house: House, before: datetime) -> int:
    """Forget runs that ended before an instant; how many."""
    with house.db.transaction() as tx:
        return runs.remove_old(tx, before)
