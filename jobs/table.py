"""The jobs: name, what it does, how often, and the one flow it calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from gateway.flows.cosign_checkpoint import cosign_checkpoint
from gateway.flows.deliver_proposals import deliver_proposals
from gateway.flows.end_overdue_holds import end_overdue_holds
from gateway.flows.erase_residents import erase_residents
from gateway.flows.expire_benefits import expire_benefits
from gateway.flows.note_keys import note_keys
from gateway.flows.propose_benefits import propose_benefits
from gateway.flows.pull_changes import pull_changes
from gateway.flows.pull_day_files import pull_day_files
from gateway.flows.pull_history import pull_history
from gateway.flows.purge_assertions import purge_assertions
from gateway.flows.purge_sessions import purge_sessions
from gateway.flows.read_again import read_again
from gateway.flows.reconcile_due import reconcile_due
from gateway.flows.refresh_facilities import refresh_facilities
from gateway.flows.remove_old_runs import remove_old_runs
from gateway.flows.remove_quarantined import remove_quarantined
from gateway.flows.renew_links import renew_links
from gateway.flows.seal_log import seal_log
from gateway.flows.settle_redemptions import settle_redemptions
from gateway.flows.settle_unknowns import settle_unknowns
from gateway.flows.verify_log import verify_log
from gateway.house import House
from schemas.errors import NotFoundError, TamperedError

Counts = Mapping[str, int]
RUNS_KEPT = timedelta(days=90)
SESSIONS_KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Job:
    """Runs every `every_s` seconds, or once a day at `daily_at` (Asia/Shanghai). A run that is due while the last is still going
    is left out."""

    name: str
    about: str
    run: Callable[[House, datetime], Counts]
    every_s: float | None = None
    daily_at: time | None = None

    @property
    def often(self) -> bool:
        """So often that runs which find nothing are not worth a line each."""
        return self.every_s is not None and self.every_s < 60

    @property
    def rhythm(self) -> str:
        """In words."""
        if self.daily_at is not None:
            return f"daily at {self.daily_at:%H:%M}"
        return f"every {self.every_s:g} s"


def _seal(house: House, now: datetime) -> Counts:
    done = seal_log(house, now=now)
    if done.clock_back_s > 0:
        raise TamperedError(
            "the clock stands before the last checkpoint", code="clock-back", value=f"{done.clock_back_s} s"
        )
    return {"sealed": done.sealed}


def _cosign(house: House, now: datetime) -> Counts:
    done = cosign_checkpoint(house, now=now)
    if done.open_refusals:
        raise TamperedError(
            "a witness refuses our checkpoint: nothing is published until a person answers",
            code="witness-refuses",
            value=f"{done.open_refusals} open refusals",
            remedy="`gateway log witnesses` says what to do",
        )
    return {"signed": done.signed, "away": done.away}


def _note_keys(house: House, now: datetime) -> Counts:
    return {"changed": note_keys(house, now=now)}


def _propose(house: House, now: datetime) -> Counts:
    return propose_benefits(house, now=now)


def _deliver(house: House, now: datetime) -> Counts:
    return deliver_proposals(house, now=now)


def _settle(house: House, now: datetime) -> Counts:
    return settle_unknowns(house, now=now)


def _settle_redemptions(house: House, now: datetime) -> Counts:
    return settle_redemptions(house, now=now)


def _end_holds(house: House, now: datetime) -> Counts:
    return end_overdue_holds(house, now=now)


def _refresh(house: House, now: datetime) -> Counts:
    return refresh_facilities(house, now=now)


def _pull(house: House, now: datetime) -> Counts:
    return pull_changes(house, now=now)


def _pull_history(house: House, now: datetime) -> Counts:
    return pull_history(house, now=now)


def _renew_links(house: House, now: datetime) -> Counts:
    return renew_links(house, now=now)


def _pull_day_files(house: House, now: datetime) -> Counts:
    return pull_day_files(house, now=now)


def _expire(house: House, now: datetime) -> Counts:
    return expire_benefits(house, now=now)


def _purge_assertions(house: House, now: datetime) -> Counts:
    return {"forgotten": purge_assertions(house, now=now)}


def _purge_sessions(house: House, now: datetime) -> Counts:
    return {"forgotten": purge_sessions(house, now - SESSIONS_KEPT)}


def _erase(house: House, now: datetime) -> Counts:
    done = erase_residents(house, now=now)
    if done.get("failed"):
        raise TamperedError(
            "residents whose day has come could not be erased: bytes of their pushes cannot be read",
            code="erasure-failed",
            value=f"{done['failed']} residents",
            remedy="the log lines of this run name the batches",
        )
    return done


def _remove_runs(house: House, now: datetime) -> Counts:
    return {"removed": remove_old_runs(house, now - RUNS_KEPT)}


def _read_again(house: House, now: datetime) -> Counts:
    return read_again(house, now=now)


def _remove_quarantined(house: House, now: datetime) -> Counts:
    return remove_quarantined(house, now=now)


def _reconcile(house: House, now: datetime) -> Counts:
    return reconcile_due(house, now=now)


def _verify(house: House, now: datetime) -> Counts:
    report = verify_log(house, now=now)
    if not report.ok:
        raise TamperedError(
            "the log does not agree with itself or with the rows",
            code="log-tampered",
            value=f"{report.fault_count} faults",
            remedy="run `gateway log verify`: it names them",
        )
    return {"leaves": report.size, **report.checked}


JOBS = (
    Job("seal_log", "gives waiting records their place in the log and signs", _seal, every_s=1),
    Job("cosign_checkpoint", "asks the witnesses to sign the newest checkpoint", _cosign, every_s=5),
    Job("note_keys", "records which keys and certificates of ours began or ended", _note_keys, every_s=300),
    Job("propose_benefits", "evaluates whose facts changed and writes proposals", _propose, every_s=2),
    Job("deliver_proposals", "says waiting messages to the bank", _deliver, every_s=2),
    Job("settle_unknowns", "asks the bank what it heard where its answer was lost", _settle, every_s=5),
    Job(
        "settle_redemptions",
        "asks towns what they heard where an answer about a redemption was lost",
        _settle_redemptions,
        every_s=5,
    ),
    Job("end_overdue_holds", "gives back what was frozen and not confirmed in time", _end_holds, every_s=15),
    Job("refresh_facilities", "asks the bank for base limit and rate of applicants", _refresh, every_s=5),
    Job(
        "pull_changes",
        "reads the change feeds of towns, and asks for numbers that did not come",
        _pull,
        every_s=2,
    ),
    Job(
        "pull_history",
        "fetches what residents did before they linked their account",
        _pull_history,
        every_s=2,
    ),
    Job(
        "renew_links",
        "keeps grants of linked accounts alive, ends ended ones at the town",
        _renew_links,
        every_s=60,
    ),
    Job(
        "pull_day_file",
        "takes the files of towns' finished days, and makes up for missed days",
        _pull_day_files,
        every_s=1800,
    ),
    Job("expire_benefits", "begins and ends benefits of the day", _expire, every_s=300),
    Job("purge_assertions", "forgets used token assertions that have ended", _purge_assertions, every_s=600),
    Job(
        "purge_sessions",
        "forgets staff sessions that ended a week ago",
        _purge_sessions,
        daily_at=time(1, 40),
    ),
    Job("remove_old_runs", "forgets runs of jobs older than 90 days", _remove_runs, daily_at=time(1, 30)),
    Job(
        "reconcile_day",
        "compares the towns' day statements with what stands here",
        _reconcile,
        daily_at=time(3, 10),
    ),
    Job("erase_residents", "erases residents whom no duty keeps any longer", _erase, daily_at=time(3, 0)),
    Job("verify_log", "verifies rows, leaves, tree and signatures", _verify, daily_at=time(2, 0)),
)


def get_job(name: str) -> Job:
    """The job of that name. Raises NotFoundError with the names there are."""
    for job in JOBS:
        if job.name == name:
            return job
    raise NotFoundError("no such job", value=name, remedy="known are " + ", ".join(job.name for job in JOBS))
