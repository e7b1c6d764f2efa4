"""`gateway job …`"""

from __future__ import annotations

import os
import socket
from typing import Any
from uuid import UUID

import click

from gateway.config import load_config
from gateway.house import House
from schemas.values import BEIJING


@click.group()
def group() -> None:
    """Jobs by hand: run, list, history; and messages to the bank that need a person."""


def _house() -> House:
    from gateway.wiring import build_house

    return build_house(load_config())


@group.command()
@click.argument("name")
def run(name: str) -> None:
    """Run one job now, once; safe while the scheduler runs. Exit code 1 when it fails."""
    from jobs.running import Runner
    from jobs.table import get_job

    job = get_job(name)
    ran = Runner(_house(), job, f"by hand {socket.gethostname()}:{os.getpid()}").run()
    print(f"{job.name}: {ran.outcome}{_counted(ran.counts)}")
    if ran.error is not None:
        raise ran.error


@group.command("list")
def list_() -> None:
    """All jobs: how often, what for, and the latest run."""
    from gateway.flows.list_runs import list_runs
    from jobs.table import JOBS

    latest = {row.job: row for row in list_runs(_house(), latest_of=[job.name for job in JOBS])}
    for job in JOBS:
        row = latest.get(job.name)
        last = f"{_when(row.ended_at or row.started_at)} {row.outcome}" if row else "never ran"
        print(f"{job.name:20} {job.rhythm:15} {last:30} {job.about}")


@group.command()
@click.argument("name", required=False)
@click.option("--limit", default=30, show_default=True, type=click.IntRange(1, 10_000))
def history(name: str | None, limit: int) -> None:
    """Runs, newest first, of one job or of all."""
    from gateway.flows.list_runs import list_runs

    for row in list_runs(_house(), name, limit=limit):
        took = f"{(row.ended_at - row.started_at).total_seconds():8.2f} s" if row.ended_at else " running  "
        times = f" ×{row.repeats}" if row.repeats > 1 else ""
        print(
            f"{_when(row.started_at)} {took} {row.job:20} {row.outcome}{times} {row.error_code}{_counted(row.counts)}"
        )


@group.command()
def parked() -> None:
    """Messages to the bank that need a person, oldest first, with the reason."""
    from gateway.flows.list_parked import list_parked

    rows = list_parked(_house())
    for row in rows:
        print(f"{row.message_id} {_when(row.created_at)} {row.kind:16} {row.serial} {row.code}")
    if not rows:
        print("nothing is parked")


@group.command()
@click.argument("message_ids", nargs=-1, required=True, type=click.UUID)
def release(message_ids: tuple[UUID, ...]) -> None:
    """Let parked messages go on: the bank is asked first, then they are settled or sent."""
    from gateway.flows.release_parked import release_parked

    house = _house()
    print(f"released {release_parked(house, message_ids, now=house.clock())}")


def _when(at: Any) -> str:
    return str(at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S"))


def _counted(counts: Any) -> str:
    named = [f"{name} {count}" for name, count in counts.items() if count]
    return ": " + ", ".join(named) if named else ""
