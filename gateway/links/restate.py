"""Says the records of links again, from the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from gateway.db import Row, Transaction, load_queries
from schemas.records import RecordBody, RecordDraft, Restater, RowFault
from schemas.values import instant_text

queries = load_queries(__file__)

LINKED, UNLINKED = "account_linked", "account_unlinked"


def _body(row: Row, kind: str) -> RecordBody:
    body: RecordBody = {
        "town": row.town,
        "person_id": row.person_id,
        "linked_at": instant_text(row.linked_at),
    }
    if kind == UNLINKED and row.ended_at is not None:
        body["ended_at"] = instant_text(row.ended_at)
        body["ended_by"] = row.ended_by
    return body


def link_record(tx: Transaction, kind: str, link_id: UUID) -> RecordDraft:
    """The record of an account just linked or unlinked, stated from its row."""
    row = tx.all(queries.restate_links, {"row_ids": [str(link_id)]})[0]
    return RecordDraft(kind, str(link_id), _body(row, kind))


class LinkRestater:
    """Restater of accounts linked, or of accounts unlinked."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def list_row_ids(self, tx: Transaction, after: str, limit: int) -> list[str]:
        query = queries.list_link_ids if self.kind == LINKED else queries.list_ended_ids
        return [r for (r,) in tx.tuples(query, {"after": after, "limit": limit})]

    def restate(self, tx: Transaction, row_ids: Sequence[str]) -> Mapping[str, RecordBody]:
        rows = tx.all(queries.restate_links, {"row_ids": list(row_ids)})
        return {
            r.row_id: _body(r, self.kind)
            for r in rows
            if self.kind == LINKED or r.ended_at is not None or r.ended_by is not None
        }

    def explain(self, tx: Transaction, row_id: str, recorded: RecordBody) -> list[RowFault]:
        now = self.restate(tx, [row_id]).get(row_id, {})
        return [
            RowFault("link", f"link_id {row_id}", column, str(recorded.get(column)), str(now.get(column)))
            for column in {**recorded, **now}
            if recorded.get(column) != now.get(column)
        ]


RESTATERS: dict[str, Restater] = {kind: LinkRestater(kind) for kind in (LINKED, UNLINKED)}
