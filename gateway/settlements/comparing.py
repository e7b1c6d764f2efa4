"""Comparing a day: the town's lines are staged, one statement finds and writes what differs, the run leaves a row."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from gateway.db import Transaction, copy_text, load_queries
from gateway.settlements.restate import run_records
from schemas.records import RecordDraft
from schemas.values import TownCode

queries = load_queries(__file__)

#: a line as it is staged: line_kind, reference, kind, points in 1/100, state, holder or None
StagedLine = tuple[str, str, str, int, str, int | None]
CHUNK = 10_000


class NewRun(NamedTuple):
    """A comparison about to be made. Batches with an id from `from_batch` on are asked what they answered."""

    run_id: UUID
    town: TownCode
    accounting_on: date
    asked_at: datetime  # when the town was asked: what we received later is not missed in its answer
    from_batch: UUID


class Compared(NamedTuple):
    """What came of it. `changes` counts steps written; `again` is True when everything was already known so."""

    lines: int
    matched: int
    ours_only: int
    theirs_only: int
    differing: int
    changes: int
    again: bool


def lock_town(tx: Transaction, town: TownCode) -> None:
    """Hold the town's turn until the transaction ends."""
    tx.one(queries.lock_town, {"town": town})


def insert_lines(tx: Transaction, run_id: UUID, lines: Sequence[StagedLine]) -> None:
    """Stage a statement's lines."""
    for start in range(0, len(lines), CHUNK):
        tx.copy_in(queries.copy_lines, copy_text((run_id, *line) for line in lines[start : start + CHUNK]))


def statement_sha256(lines: Iterable[StagedLine]) -> bytes:
    """Over the lines in order of kind and reference, without their accounts: the same statement, however it was sent."""
    digest = hashlib.sha256()
    for line in sorted(lines):
        digest.update("\x1f".join(map(str, line[:5])).encode() + b"\n")
    return digest.digest()


def compare_day(
    tx: Transaction, run: NewRun, lines: Sequence[StagedLine], *, now: datetime
) -> tuple[Compared, list[RecordDraft]]:
    """Compare staged lines with what stands; the outcome, and the record to append. The same again writes nothing.

    `lines` are those given to `insert_lines`. The town's turn is held (`lock_town`).
    """
    asked = {
        "run_id": run.run_id, "town": run.town, "on": run.accounting_on, "asked_at": run.asked_at, "now": now,
        "from_batch": run.from_batch, "statement_sha256": statement_sha256(lines),
    }  # fmt: skip
    tx.run(queries.insert_elsewhere, asked)
    changes = tx.run(queries.insert_changes, asked)
    met = tx.one(queries.count_outcomes, asked)
    tx.run(queries.delete_lines, asked)
    found = (len(lines), met.matched, met.ours_only, met.theirs_only, met.differing)
    last = tx.find(queries.find_last_run, asked)
    again = (
        last is not None
        and not changes
        and (bytes(last.statement_sha256), *last[2:]) == (asked["statement_sha256"], *found)
    )
    drafts: list[RecordDraft] = []
    if last is not None and again:
        tx.run(queries.put_day, {**asked, "run_id": last.run_id})
    else:
        counts = dict(
            zip(("line_count", "matched", "ours_only", "theirs_only", "differing"), found, strict=True)
        )
        tx.run(
            queries.insert_run, {**asked, **counts, "changes": changes, "cause": "day", "said_by": "gateway"}
        )
        tx.run(queries.put_day, asked)
        drafts = run_records(tx, [str(run.run_id)])
    return Compared(*found, changes, again), drafts
