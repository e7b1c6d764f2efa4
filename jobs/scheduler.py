"""The scheduler: APScheduler in a process of its own, running only while this process leads."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from gateway.flows.hold_leadership import hold_leadership
from gateway.flows.mark_lost_runs import mark_lost_runs
from gateway.house import House
from jobs.running import Runner
from jobs.table import JOBS, Job
from schemas.errors import UnavailableError
from schemas.values import BEIJING

log = logging.getLogger(__name__)
LATE_BY_S = 30  # a run that could not start in time is made up for within this, once


@dataclass(slots=True)
class Scheduler:
    """Stands by until it leads; runs the table of jobs while it leads."""

    house: House
    table: Sequence[Job] = JOBS
    stop: threading.Event = field(default_factory=threading.Event)
    leading: threading.Event = field(default_factory=threading.Event)
    look_every_s: float = 2.0
    name: str = field(default_factory=lambda: f"scheduler {socket.gethostname()}:{os.getpid()}")
    _clock: BackgroundScheduler | None = None
    _runners: list[Runner] = field(default_factory=list)

    def serve(self) -> None:
        """Until `stop` is set. A second scheduler waits here and takes over when the first dies."""
        hold_leadership(
            self.house, stop=self.stop, lead=self._lead, retire=self._retire, look_every_s=self.look_every_s
        )

    def _lead(self) -> None:
        _apart(lambda: mark_lost_runs(self.house, now=self.house.clock(), run_by=self.name))
        clock = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(max_workers=len(self.table))},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": LATE_BY_S},
            timezone=BEIJING,
        )
        self._runners = [Runner(self.house, job, self.name) for job in self.table]
        for runner in self._runners:
            job = runner.job
            clock.add_job(runner.run, _trigger(job, self.house), id=job.name, name=job.name)
        clock.start()
        self._clock = clock
        self.leading.set()

    def _retire(self) -> None:
        """Start nothing more, and let what runs come to its end."""
        self.leading.clear()
        if self._clock is not None:
            self._clock.shutdown(wait=True)
            self._clock = None
            _apart(self._flush)

    def _flush(self) -> None:
        for runner in self._runners:
            runner.flush()


def _apart(call: Callable[[], object]) -> None:
    """In a thread of its own: this thread holds the leader's transaction, and transactions do not nest."""
    failed: list[Exception] = []

    def run() -> None:
        try:
            call()
        except UnavailableError as exc:
            failed.append(exc)

    thread = threading.Thread(target=run, name="apart")
    thread.start()
    thread.join()
    if failed:
        log.warning("the database was away: %s", failed[0])


def _trigger(job: Job, house: House) -> IntervalTrigger | CronTrigger:
    if job.daily_at is not None:
        return CronTrigger(hour=job.daily_at.hour, minute=job.daily_at.minute, timezone=BEIJING)
    every_s = house.config.seal_interval_s if job.name == "seal_log" else job.every_s
    return IntervalTrigger(seconds=every_s, timezone=BEIJING)


def serve_until_signalled(house: House) -> None:
    """The process `gateway jobs`: runs until SIGTERM or SIGINT, then lets running jobs come to their end."""
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    scheduler = Scheduler(house)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: scheduler.stop.set())
    scheduler.serve()
