"""How differences and days stand, and a person's word about a difference."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from gateway.db import Row, Transaction, load_queries
from gateway.settlements.restate import run_records
from schemas.records import RecordDraft, RowFault
from schemas.values import TownCode

queries = load_queries(__file__)

STATES = ("explained", "closed")
LISTED = 10_000
FAULT_LIMIT = 100


def list_due_days(
    tx: Transaction, town: TownCode, *, from_on: date, until_on: date, from_batch: UUID, limit: int
) -> list[date]:
    """Days from `from_on` to `until_on` (both included) that must be compared, oldest first: missed ones, those with an open
    difference, and those for which a batch from `from_batch` on brought something after they were compared."""
    params = {"town": town, "from": from_on, "until": until_on, "from_batch": from_batch, "limit": limit}
    return [on for (on,) in tx.tuples(queries.list_due_days, params)]


def list_last_days(tx: Transaction) -> dict[str, tuple[date, datetime]]:
    """Town → the latest day that was compared, and when."""
    return {row.town: (row.accounting_on, row.checked_at) for row in tx.all(queries.list_last_days)}


def find_day(tx: Transaction, town: TownCode, on: date) -> Row | None:
    """How a day came out (line_count, matched_count, …, checked_at), or None when it was never compared."""
    return tx.find(queries.find_day, {"town": town, "on": on})


def list_differences(
    tx: Transaction, town: TownCode | None, on: date | None, *, settled: bool = False, limit: int = LISTED
) -> list[Row]:
    """Differences as they stand, oldest first."""
    return tx.all(queries.list_differences, {"town": town, "on": on, "settled": settled, "limit": limit})


def count_differences(tx: Transaction) -> list[Row]:
    """Rows (town, owner, state, differences, oldest_at) of what is not closed."""
    return tx.all(queries.count_differences)


def insert_word(
    tx: Transaction, run_id: UUID, town: TownCode, references: Sequence[str],
    *, state: str, why: str, said_by: str, now: datetime,
) -> tuple[list[str], list[RecordDraft]]:  # fmt: skip
    """Explain or close differences; the references that changed, and the record. The same word twice changes nothing."""
    asked = {
        "run_id": run_id, "town": town, "references": list(references), "state": state, "why": why, "said_by": said_by,
        "now": now,
    }  # fmt: skip
    changed = tx.all(queries.insert_word, asked)
    if not changed:
        return [], []
    counts = dict.fromkeys(("line_count", "matched", "ours_only", "theirs_only", "differing"), 0)
    row = {
        **asked, **counts, "cause": "word", "on": min(c.accounting_on for c in changed), "statement_sha256": b"",
        "changes": len(changed), "asked_at": now,
    }  # fmt: skip
    tx.run(queries.insert_run, row)
    return sorted(c.reference for c in changed), run_records(tx, [str(run_id)])


def list_faults(tx: Transaction) -> list[RowFault]:
    """Steps of differences that no run wrote; at most FAULT_LIMIT."""
    return [
        RowFault(
            "difference_change", f"town {r.town}, {r.line_kind} {r.reference}, run_id {r.run_id}", None, None, "a step of no run"
        )
        for r in tx.all(queries.list_orphans, {"limit": FAULT_LIMIT})
    ]  # fmt: skip
