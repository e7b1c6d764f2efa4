"""Counts of a branch's goods (盘点): every good, what the book said, what was there, and why they differ."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gateway.db import Row, Transaction, copy_text
from gateway.goods.catalogue import queries
from schemas.canonical import canonical_sha256
from schemas.goods import CountedGood
from schemas.records import RecordBody, RecordDraft
from schemas.values import instant_text

COUNTED = "stock_counted"
TOLD = 100  # differences that stand in the record by themselves; the digest is over every line


def insert_count(
    tx: Transaction,
    count_id: UUID,
    branch_no: str,
    lines: Sequence[CountedGood],
    *,
    staff_id: UUID,
    teller_no: str,
    now: datetime,
) -> RecordDraft:
    """Write a count. Raises ConflictError (from the session) for an id that was used, or a difference without a reason."""
    row = {"count_id": count_id, "branch_no": branch_no, "counted_by": staff_id, "teller_no": teller_no}
    tx.run(queries.insert_count, {**row, "now": now})
    ordered = sorted(lines, key=lambda line: str(line.good_id))
    tx.copy_in(queries.copy_count_lines, copy_text((count_id, *line) for line in ordered))
    said = [_line(str(n.good_id), n.book_count, n.counted_count, n.reason) for n in ordered]
    return RecordDraft(COUNTED, str(count_id), count_body(branch_no, str(staff_id), teller_no, now, said))


def count_body(
    branch_no: str, counted_by: str, teller_no: str, counted_at: datetime, lines: list[list[Any]]
) -> RecordBody:
    """The body of a stock_counted record; `lines` as `_line` makes them, by good."""
    return {
        "branch_no": branch_no,
        "counted_by": counted_by,
        "teller_no": teller_no,
        "counted_at": instant_text(counted_at),
        "line_count": len(lines),
        "lines_sha256": canonical_sha256(lines).hex(),
        "differences": [line for line in lines if line[1] != line[2]][:TOLD],
    }


def _line(good_id: str, book_count: int, counted_count: int, reason: str) -> list[Any]:
    return [good_id, book_count, counted_count, reason]


def counted_line(row: Any) -> list[Any]:
    """The same from a row."""
    return _line(row.good_id, row.book_count, row.counted_count, row.reason)


def find_count(tx: Transaction, count_id: UUID) -> Row | None:
    """Rows (count_id, branch_no, counted_by, teller_no, counted_at)."""
    return tx.find(queries.find_count, {"count_id": count_id})


def find_last_count(tx: Transaction, branch_no: str) -> Row | None:
    """The newest count of a branch."""
    return tx.find(queries.find_last_count, {"branch_no": branch_no})


def list_count_lines(tx: Transaction, count_id: UUID) -> list[Row]:
    """Rows (good_id, code, name_zh, name_en, book_count, counted_count, reason) by code."""
    return tx.all(queries.list_count_lines, {"count_id": count_id})
