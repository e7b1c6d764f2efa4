"""Says job_outcome records again, from their rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.runs.outcomes import KIND, list_bodies, queries
from schemas.records import RecordBody, Restater, RowFault


class _JobOutcome:
    """See schemas.records.Restater."""

    kind = KIND

    def list_row_ids(self, tx: Any, after: str, limit: int) -> list[str]:
        return [row.row_id for row in tx.all(queries.list_outcome_ids, {"after": after, "limit": limit})]

    def restate(self, tx: Any, row_ids: Sequence[str]) -> Mapping[str, RecordBody]:
        return list_bodies(tx, row_ids)

    def explain(self, tx: Any, row_id: str, recorded: RecordBody) -> list[RowFault]:
        return [
            RowFault("job_outcome", f"run_id {row_id}", column, str(recorded.get(column)), str(value))
            for column, value in list_bodies(tx, [row_id]).get(row_id, {}).items()
            if recorded.get(column) != value
        ]


RESTATERS: dict[str, Restater] = {KIND: _JobOutcome()}
