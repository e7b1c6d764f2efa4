"""Tables to take away: CSV as spreadsheets in use here expect it, with nothing they would run as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from schemas.values import BEIJING

#: columns of the report of differences, by the name of their field
COLUMNS = (
    "town", "accounting_on", "line_kind", "reference", "outcome", "fields", "ours", "theirs", "owner", "action", "state", "why",
    "said_by", "found_at", "changed_at",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_of(rows: Iterable[Any]) -> bytes:
    """Differences as CSV in UTF-8 with a mark, instants in Beijing time."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([_cell(getattr(row, column)) for column in COLUMNS] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def stock_csv(rows: Iterable[Any]) -> bytes:
    """What a branch has, as CSV in the same manner."""
    columns = ("branch_no", "code", "name_zh", "name_en", "on_hand_count", "held_count", "low_stock_count")
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_cell(getattr(row, column)) for column in columns] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> str:
    return plain_cell(
        value.astimezone(BEIJING).isoformat(timespec="seconds") if isinstance(value, datetime) else str(value)
    )


def plain_cell(text: str) -> str:
    """A text as a cell that no spreadsheet runs: one that begins like a formula gets a quote before it."""
    return "'" + text if text.startswith(_FORMULA) else text
