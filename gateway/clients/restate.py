"""Says client_changed records again, from rows. The latest change of a client is said from the client's
own row, so that a
client edited behind the house's back is found too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.clients.own_keys import KIND as OWN_KEY_KIND
from gateway.clients.own_keys_restate import OwnKeyChanged
from gateway.clients.registry import RECORD_KIND, change_body, queries
from gateway.clients.soap_registry import SOAP_RECORD_KIND
from gateway.clients.soap_restate import SoapClientChanged
from schemas.canonical import canonical_sha256
from schemas.records import RecordBody, Restater, RowFault


class _ClientChanged:
    """See schemas.records.Restater."""

    kind = RECORD_KIND

    def list_row_ids(self, tx: Any, after: str, limit: int) -> list[str]:
        return [row.row_id for row in tx.all(queries.list_change_ids, {"after": after, "limit": limit})]

    def restate(self, tx: Any, row_ids: Sequence[str]) -> Mapping[str, RecordBody]:
        rows = tx.all(queries.list_changes, {"row_ids": list(row_ids)})
        return {row.change_id: _latest(row) if row.latest else _past(row) for row in rows}

    def explain(self, tx: Any, row_id: str, recorded: RecordBody) -> list[RowFault]:
        faults = []
        for row in tx.all(queries.list_changes, {"row_ids": [row_id]}):
            where, past = f"client_id {row.client_id}", _past(row)
            for column, value in (_latest(row) if row.latest else past).items():
                was = recorded.get(column)
                if past[column] != was:
                    faults.append(RowFault("client_change", where, column, str(was), str(past[column])))
                elif isinstance(value, dict):
                    faults.append(RowFault("client", where, column, str(was), str(value["client"])))
        return faults


def _past(row: Any) -> RecordBody:
    return change_body(
        client_id=row.client_id,
        change=row.change,
        town=row.town,
        scopes=row.scopes,
        jwks_sha256=row.jwks_sha256,
        cert_sha256=row.cert_sha256,
        enabled=row.enabled,
        changed_at=row.changed_at,
    )


def _latest(row: Any) -> RecordBody:
    """The change, with whatever the client's own row says otherwise beside it: such a part equals no
    record."""
    past = _past(row)
    if row.now_client_id is None:
        return {**past, "client_id": {"client": None, "client_change": row.client_id}}
    if row.now_created_at != row.first_changed_at:
        return {
            **past,
            "changed_at": {"client": "created at another time than its first change", "client_change": ""},
        }
    present = change_body(
        client_id=row.now_client_id,
        change=row.change,
        town=row.now_town,
        scopes=row.now_scopes,
        jwks_sha256=canonical_sha256(row.now_jwks).hex(),
        cert_sha256=row.now_cert_sha256,
        enabled=row.now_enabled,
        changed_at=row.now_changed_at,
    )
    return {
        key: value if present[key] == value else {"client": present[key], "client_change": value}
        for key, value in past.items()
    }


RESTATERS: dict[str, Restater] = {
    RECORD_KIND: _ClientChanged(),
    SOAP_RECORD_KIND: SoapClientChanged(),
    OWN_KEY_KIND: OwnKeyChanged(),
}
