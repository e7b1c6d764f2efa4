"""Activity codes an operator added: who, when, and the record of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from gateway.db import Row, Transaction, load_queries
from schemas.errors import ConflictError
from schemas.records import RecordBody, RecordDraft, RowFault
from schemas.values import Category, TownCode, instant_text

queries = load_queries(__file__)

KIND = "activity_code"


def insert_code(
    tx: Transaction, town: TownCode, activity: str, category: Category, *, by: str, now: datetime
) -> RecordDraft | None:
    """Add a code; the record to append, or None when it stood exactly so. ConflictError when it stands for another category."""
    asked = {"town": town, "activity": activity, "category": str(category), "added_by": by, "now": now}
    added = tx.run(queries.insert_code, asked)
    row = tx.one(queries.get_code, asked)
    if row.category != category:
        raise ConflictError(
            f"this activity stands for {row.category}, since {row.added_at.date()} by {row.added_by}", code="code-stands",
            where="activity", value=activity, remedy="items were posted by it; ask the town for a new code",
        )  # fmt: skip
    return RecordDraft(KIND, _row_id(row), _body(row)) if added else None


def list_code_rows(tx: Transaction, town: TownCode | None) -> list[Row]:
    """Rows (town, activity, category, added_by, added_at)."""
    return tx.all(queries.list_code_rows, {"town": town})


def _row_id(row: Any) -> str:
    return f"{row.town} {row.activity}"


def _body(row: Any) -> RecordBody:
    return {
        "town": row.town,
        "activity": row.activity,
        "category": row.category,
        "added_by": row.added_by,
        "added_at": instant_text(row.added_at),
    }


class CodeRestater:
    """Restater of kind activity_code. See schemas.records.Restater."""

    kind = KIND

    def list_row_ids(self, tx: Any, after: str, limit: int) -> list[str]:
        return [row.row_id for row in tx.all(queries.list_code_ids, {"after": after, "limit": limit})]

    def restate(self, tx: Any, row_ids: Sequence[str]) -> Mapping[str, RecordBody]:
        return {row.row_id: _body(row) for row in tx.all(queries.restate_codes, {"row_ids": list(row_ids)})}

    def explain(self, tx: Any, row_id: str, recorded: RecordBody) -> list[RowFault]:
        return [
            RowFault("activity_code", row_id, column, str(recorded.get(column)), str(value))
            for column, value in self.restate(tx, [row_id]).get(row_id, {}).items()
            if recorded.get(column) != value
        ]
