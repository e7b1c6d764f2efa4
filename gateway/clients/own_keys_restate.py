"""Says own_key_changed records again, from their rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.clients.own_keys import KIND, list_key_bodies, queries
from schemas.records import RecordBody, RowFault


class OwnKeyChanged:
    """See schemas.records.Restater."""

    kind = KIND

    def list_row_ids(self, tx: Any, after: str, limit: int) -> list[str]:
        return [row.row_id for row in tx.all(queries.list_key_change_ids, {"after": after, "limit": limit})]

    def restate(self, tx: Any, row_ids: Sequence[str]) -> Mapping[str, RecordBody]:
        return list_key_bodies(tx, row_ids)

    def explain(self, tx: Any, row_id: str, recorded: RecordBody) -> list[RowFault]:
        return [
            RowFault("own_key_change", f"change_id {row_id}", column, str(recorded.get(column)), str(value))
            for column, value in list_key_bodies(tx, [row_id]).get(row_id, {}).items()
            if recorded.get(column) != value
        ]
