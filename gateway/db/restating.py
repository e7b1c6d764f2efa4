"""The plain case of restating: one record speaks of one row, and is said again from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.db.queries import Query
from gateway.db.session import Transaction
from schemas.records import RecordBody, RecordDraft, RowFault

_NIL = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class RowRestater:
    """A `schemas.records.Restater`: `ids` lists row ids after %(after)s, `rows` the columns of %(row_ids)s, the id first."""

    kind: str
    table: str
    ids: Query
    rows: Query
    draft: Callable[[Sequence[Any]], RecordDraft]

    def list_row_ids(self, tx: Transaction, after: str, limit: int) -> list[str]:
        """Ids of rows that must have a record, in order."""
        return [row_id for (row_id,) in tx.tuples(self.ids, {"after": after or _NIL, "limit": limit})]

    def restate(self, tx: Transaction, row_ids: Sequence[str]) -> Mapping[str, RecordBody]:
        """What the records of these rows must say."""
        return {row[0]: self.draft(row).body for row in tx.tuples(self.rows, {"row_ids": list(row_ids)})}

    def explain(self, tx: Transaction, row_id: str, recorded: RecordBody) -> list[RowFault]:
        """The columns that do not say what was recorded."""
        now = self.restate(tx, [row_id]).get(row_id, {})
        return [
            RowFault(self.table, row_id, column, str(recorded.get(column)), str(now.get(column)))
            for column in {**recorded, **now}
            if recorded.get(column) != now.get(column)
        ]
