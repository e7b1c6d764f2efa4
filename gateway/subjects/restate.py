"""Says the records of consents again, from the rows. Persons appear as ids and salted commitments only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.db import Row, Transaction, load_queries
from gateway.subjects.erasure_records import ERASURE_RESTATERS
from schemas.records import RecordBody, RecordDraft, Restater, RowFault
from schemas.values import instant_text

queries = load_queries(__file__)

GIVEN, WITHDRAWN = "consent_given", "consent_withdrawn"


def _body(row: Row, kind: str) -> RecordBody:
    body: RecordBody = {
        "person_id": row.person_id,
        "commitment": None if row.commitment is None else bytes(row.commitment).hex(),
        "town": row.town,
        "purpose": row.purpose,
        "recipient": row.recipient,
        "text_version": row.text_version,
        "evidence": row.evidence,
        "by_guardian": row.by_guardian,
        "given_at": instant_text(row.given_at),
        "recorded_at": instant_text(row.recorded_at),
    }
    if kind == WITHDRAWN and row.withdrawn_at is not None:
        body["withdrawn_at"] = instant_text(row.withdrawn_at)
        body["withdrawal_recorded_at"] = instant_text(row.withdrawal_recorded_at)
    return body


def consent_records(tx: Transaction, kind: str, consent_ids: Sequence[str]) -> list[RecordDraft]:
    """Records of consents just given or withdrawn, stated from their rows."""
    rows = tx.all(queries.restate_consents, {"row_ids": list(consent_ids)})
    return [
        RecordDraft(kind, row.row_id, _body(row, kind)) for row in sorted(rows, key=lambda r: str(r.row_id))
    ]


class ConsentRestater:
    """Restater of consents given, or of consents withdrawn."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def list_row_ids(self, tx: Transaction, after: str, limit: int) -> list[str]:
        query = queries.list_consent_ids if self.kind == GIVEN else queries.list_withdrawn_ids
        return [r for (r,) in tx.tuples(query, {"after": after, "limit": limit})]

    def restate(self, tx: Transaction, row_ids: Sequence[str]) -> Mapping[str, RecordBody]:
        rows = tx.all(queries.restate_consents, {"row_ids": list(row_ids)})
        return {
            r.row_id: _body(r, self.kind) for r in rows if self.kind == GIVEN or r.withdrawn_at is not None
        }

    def explain(self, tx: Transaction, row_id: str, recorded: RecordBody) -> list[RowFault]:
        now = self.restate(tx, [row_id]).get(row_id, {})
        return [
            RowFault("person" if column == "commitment" else "consent", f"consent_id {row_id}", column,
                     str(recorded.get(column)), str(now.get(column)))
            for column in {**recorded, **now}
            if recorded.get(column) != now.get(column)
        ]  # fmt: skip


RESTATERS: dict[str, Restater] = {
    **{kind: ConsentRestater(kind) for kind in (GIVEN, WITHDRAWN)},
    **ERASURE_RESTATERS,
}
