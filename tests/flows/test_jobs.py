"""Jobs: one leader, a successor when it dies, each run recorded, by hand too."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.config import Config
from gateway.db import Database
from gateway.flows.list_runs import list_runs
from gateway.flows.mark_lost_runs import mark_lost_runs
from gateway.flows.record_run import record_run
from gateway.flows.remove_old_runs import remove_old_runs
from gateway.house import House
from jobs.running import Runner
from jobs.scheduler import Scheduler
from jobs.table import JOBS, Job, get_job
from schemas.errors import NotFoundError, UnavailableError
from tests.bank_stage import KEYS, Stage, bank_stage
from tests.conftest import TestDatabase

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


@pytest.fixture
def house(database: TestDatabase, tmp_path: Path) -> Iterator[House]:
    from uuid6 import uuid7

    pool = Database(database.app_dsn, size=10)
    yield House(
        config=Config(state_dir=tmp_path), db=pool, audit_db=database.auditor, keys=KEYS, readers={}, clients={}, bank=None,
        sign_receipt=lambda claims: "", clock=lambda: datetime.now(UTC), new_id=uuid7,
    )  # fmt: skip
    pool.close()


def _until(true: Callable[[], bool], within_s: float = 15) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def _counting(counts: Mapping[str, int]) -> tuple[Job, list[datetime]]:
    ran: list[datetime] = []

    def run(house: House, now: datetime) -> Mapping[str, int]:
        ran.append(now)
        return counts

    return Job("count", "counts", run, every_s=0.1), ran


def _served(scheduler: Scheduler) -> threading.Thread:
    thread = threading.Thread(target=scheduler.serve)
    thread.start()
    return thread


def test_two_schedulers_have_one_leader_and_the_second_takes_over(house: House) -> None:
    job, ran = _counting({"done": 1})
    first = Scheduler(house, [job], look_every_s=0.1, name="scheduler first")
    second = Scheduler(house, [job], look_every_s=0.1, name="scheduler second")
    one = _served(first)
    _until(first.leading.is_set)
    other = _served(second)
    _until(lambda: len(ran) > 3)
    assert not second.leading.is_set()
    assert {row.run_by for row in list_runs(house)} == {"scheduler first"}
    first.stop.set()
    one.join()
    _until(second.leading.is_set)
    so_far = len(ran)
    _until(lambda: len(ran) > so_far + 2)
    second.stop.set()
    other.join()
    assert {row.run_by for row in list_runs(house)} == {"scheduler first", "scheduler second"}


def test_a_leader_whose_connection_is_cut_stands_down_and_leads_again(
    house: House, database: TestDatabase
) -> None:
    job, ran = _counting({"done": 1})
    scheduler = Scheduler(house, [job], look_every_s=0.1)
    thread = _served(scheduler)
    _until(scheduler.leading.is_set)
    database.sql(
        "select pg_terminate_backend(l.pid) from pg_locks l join pg_stat_activity a using (pid)"
        " where l.locktype = 'advisory' and a.datname = current_database() and l.pid <> pg_backend_pid()"
    )
    _until(lambda: not scheduler.leading.is_set())
    _until(scheduler.leading.is_set)
    scheduler.stop.set()
    thread.join()
    assert ran


_CHILD = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid6 import uuid7
from gateway.config import Config
from gateway.db import Database
from gateway.house import House
from jobs.scheduler import Scheduler
from jobs.table import Job
from tests.bank_stage import KEYS
db = Database(sys.argv[1])
house = House(config=Config(state_dir=Path('.')), db=db, audit_db=db, keys=KEYS, readers={}, clients={}, bank=None,
    sign_receipt=str, clock=lambda: datetime.now(UTC), new_id=uuid7)
def long(house, now):
    print('leads', flush=True)
    import time
    time.sleep(600)
Scheduler(house, [Job('long', 'takes long', long, every_s=0.1), Job('slow', 'x', long, every_s=100)], look_every_s=0.1).serve()
"""


def test_a_killed_leader_is_followed_and_its_run_is_lost(house: House, database: TestDatabase) -> None:
    slow = _CHILD.replace("every_s=0.1), Job('slow', 'x', long, every_s=100)", "every_s=60.0)").replace(
        "Scheduler(house", "import jobs.scheduler as s\nfrom apscheduler.triggers.interval import IntervalTrigger\n"
        "s._trigger = lambda job, house: IntervalTrigger(seconds=0.1)\nScheduler(house",
    )  # fmt: skip
    child = subprocess.Popen(
        [sys.executable, "-c", slow, database.app_dsn], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"leads\n"
    job, ran = _counting({"done": 1})
    successor = Scheduler(house, [job], look_every_s=0.1, name="scheduler successor")
    thread = _served(successor)
    time.sleep(0.5)
    assert not successor.leading.is_set()
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    _until(successor.leading.is_set)
    _until(lambda: bool(ran))
    successor.stop.set()
    thread.join()
    [row] = list_runs(house, "long")
    assert row.outcome == "lost"


def test_a_run_by_hand_is_recorded_with_its_counts(house: House) -> None:
    job, _ = _counting({"things": 3})
    ran = Runner(house, job, "by hand host:1").run()
    assert (ran.outcome, ran.counts) == ("done", {"things": 3})
    [row] = list_runs(house, "count")
    assert (row.outcome, row.counts, row.run_by) == ("done", {"things": 3}, "by hand host:1")
    assert row.started_at <= row.ended_at


def test_a_run_that_fails_is_recorded_with_its_code_and_the_next_one_runs(house: House) -> None:
    outcomes: list[Any] = [
        UnavailableError("away", code="bank-unreachable"),
        ValueError("secret 110105"),
        {"n": 1},
    ]

    def run(house: House, now: datetime) -> Mapping[str, int]:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return dict(outcome)

    runner = Runner(house, Job("breaks", "breaks", run, every_s=60), "scheduler host:1")
    assert [runner.run().outcome for _ in range(3)] == ["failed", "failed", "done"]
    rows = list_runs(house, "breaks")
    assert [(row.outcome, row.error_code) for row in reversed(rows)] == [
        ("failed", "bank-unreachable"),
        ("failed", "unexpected-ValueError"),
        ("done", ""),
    ]


def test_idle_runs_of_a_frequent_job_share_a_row(house: House) -> None:
    clock = [NOW]
    house = replace(house, clock=lambda: clock[0])
    counts = {"things": 0}

    def run(house: House, now: datetime) -> Mapping[str, int]:
        return counts

    runner = Runner(house, Job("often", "often", run, every_s=1), "scheduler host:1")
    for _ in range(100):
        runner.run()
        clock[0] += timedelta(seconds=1)
    [row] = list_runs(house, "often")
    assert row.outcome == "idle"
    assert 80 <= row.repeats <= 100
    counts["things"] = 1
    runner.run()
    rows = list_runs(house, "often")
    assert [r.outcome for r in rows] == ["done", "idle"]
    assert rows[1].repeats == 100, "idle runs were not all counted"


def test_old_runs_are_forgotten_and_lost_ones_marked(house: House) -> None:
    old, running, by_hand = (house.new_id() for _ in range(3))
    record_run(house, old, "a", now=NOW - timedelta(days=100), outcome="done", run_by="scheduler x:1")
    record_run(house, running, "b", now=NOW, run_by="scheduler x:1")
    record_run(house, by_hand, "c", now=NOW, run_by="by hand x:2")
    assert mark_lost_runs(house, now=NOW, run_by="scheduler y:1") == 1
    assert remove_old_runs(house, NOW - timedelta(days=90)) == 1
    assert {row.job: row.outcome for row in list_runs(house)} == {"b": "lost", "c": "running"}


def test_the_table_names_each_job_once_and_knows_what_it_does_not() -> None:
    assert len({job.name for job in JOBS}) == len(JOBS)
    assert all((job.every_s is None) != (job.daily_at is None) for job in JOBS)
    with pytest.raises(NotFoundError, match="seal_log"):
        get_job("no_such_job")


def test_the_jobs_of_the_bank_do_the_whole_path(database: TestDatabase, tmp_path: Path) -> None:
    with bank_stage(database, tmp_path) as stage:
        _whole_path(stage)


def _whole_path(stage: Stage) -> None:
    stage.ruleset()
    families = stage.families(4)
    stage.give_points(families, 500)
    names = (
        "propose_benefits",
        "refresh_facilities",
        "deliver_proposals",
        "settle_unknowns",
        "expire_benefits",
    )
    table = [replace(get_job(name), every_s=0.2) for name in names]
    scheduler = Scheduler(stage.house, table, look_every_s=0.1)
    thread = _served(scheduler)
    try:
        _until(lambda: list(stage.proposals().values()) == ["in_force"] * 4)
    finally:
        scheduler.stop.set()
        thread.join()
    stage.agree()
    ran = {(row.job, row.outcome) for row in list_runs(stage.house, limit=1000)}
    assert {
        ("propose_benefits", "done"),
        ("refresh_facilities", "done"),
        ("deliver_proposals", "done"),
    } <= ran
    assert not [job for job, outcome in ran if outcome == "failed"]
