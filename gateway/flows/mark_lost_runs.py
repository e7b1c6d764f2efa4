"""A new leader begins: what its predecessor left running is lost."""

from __future__ import annotations

from datetime import datetime

from gateway import runs
from gateway.house import House


def mark_lost_runs(house: House, *, now: datetime, run_by: str) -> int:
    """Runs of other schedulers that never ended are marked 'lost'; how many. Runs by hand are left alone."""
    with house.db.transaction() as tx:
        return runs.mark_lost(tx, now=now, run_by=run_by)
