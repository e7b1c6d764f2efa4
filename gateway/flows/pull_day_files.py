"""Finished days whose file was not taken yet are asked for, oldest first; days missed while we were down are made up for."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from gateway import contributions
from gateway.flows.receive_day_file import receive_day_file
from gateway.house import House
from schemas.errors import ConflictError, GatewayError
from schemas.values import BEIJING, beijing_date

MADE_BY = timedelta(hours=1)  # after midnight in Beijing: before that no town has made its file


def pull_day_files(house: House, *, now: datetime) -> dict[str, int]:
    """Take what is due; files, items by answer, persons over a cap, and days that could not be had, counted.

    Errors, after everything else was done: ConflictError `day-file-differs` when files taken now hold items that stand here
    otherwise; else the first error of a day that could not be had: that day is asked for again in the next run.
    """
    counts: Counter[str] = Counter()
    failed: list[GatewayError] = []
    differing: list[str] = []
    yesterday = beijing_date(now.astimezone(BEIJING) - MADE_BY) - timedelta(days=1)
    for town in house.day_files:
        with house.db.transaction() as tx:
            due = contributions.list_days_due(tx, town, yesterday)
        for on in due:
            try:
                taken = receive_day_file(house, town, on, now=now)
            except GatewayError as exc:
                failed.append(exc)
                counts["failed"] += 1
                if not exc.code.startswith("day-file-"):
                    break  # the town is away, or we are: its other days wait for the next run
                continue
            counts["files"] += 1
            for name in ("accepted", "duplicate", "conflict", "quarantined", "rejected"):
                counts[name] += getattr(taken, f"{name}_count")
            counts["over_cap"] += len(taken.over_cap)
            if taken.conflict_count:
                differing.append(f"{town} {on.isoformat()}: {taken.conflict_count}")
    if differing:
        raise ConflictError(
            "day files hold items that stand here otherwise; the first stands", code="day-file-differs", where="day_file",
            value="; ".join(differing), remedy="`gateway town reconcile` names them; the town corrects by reversal",
        )  # fmt: skip
    if failed:
        raise failed[0]
    return dict(counts)
