"""Says soap_client_changed records again, from rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.clients.soap_registry import SOAP_RECORD_KIND, change_body, queries
from schemas.records import RecordBody, RowFault


class SoapClientChanged:
    """See schemas.records.Restater."""

    kind = SOAP_RECORD_KIND

    def list_row_ids(self, tx: Any, after: str, limit: int) -> list[str]:
        return [row.row_id for row in tx.all(queries.list_soap_client_ids, {"after": after, "limit": limit})]

    def restate(self, tx: Any, row_ids: Sequence[str]) -> Mapping[str, RecordBody]:
        rows = tx.all(queries.list_soap_changes, {"row_ids": list(row_ids)})
        return {str(row.change_id): change_body(row) for row in rows}

    def explain(self, tx: Any, row_id: str, recorded: RecordBody) -> list[RowFault]:
        faults = []
        for row in tx.all(queries.list_soap_changes, {"row_ids": [row_id]}):
            where = f"client_id {row.client_id}"
            faults += [
                RowFault("soap_client", where, column, str(recorded.get(column)), str(value))
                for column, value in change_body(row).items()
                if recorded.get(column) != value
            ]
        return faults
