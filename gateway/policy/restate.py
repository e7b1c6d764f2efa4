"""Says the records of rulesets again, from the rows: what was proposed, and who approved it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from gateway.db import Row, Transaction, load_queries
from schemas.records import RecordBody, RecordDraft, Restater, RowFault
from schemas.values import instant_text

queries = load_queries(__file__)

PROPOSED, APPROVED = "ruleset_proposed", "ruleset_approved"


def _proposed(row: Row) -> RecordBody:
    return {
        "ruleset_id": row.ruleset_id,
        "name": row.name,
        "product": row.product,
        "subject": row.subject,
        "valid_from_on": row.valid_from_on.isoformat(),
        "document_sha256": hashlib.sha256(bytes(row.document)).hexdigest(),
        "yaml_sha256": hashlib.sha256(row.yaml.encode()).hexdigest(),
        "proposed_by": row.proposed_by,
        "proposed_at": instant_text(row.proposed_at),
    }


def _approved(row: Row) -> RecordBody:
    return {
        "ruleset_id": row.ruleset_id,
        "name": row.name,
        "valid_from_on": row.valid_from_on.isoformat(),
        "proposed_by": row.proposed_by,
        "approved_by": row.approved_by,
        "approved_at": instant_text(row.approved_at),
    }


class RulesetRestater:
    """Restater of proposals or of approvals; `row_id` is the ruleset id."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def list_row_ids(self, tx: Transaction, after: str, limit: int) -> list[str]:
        query = queries.list_proposed_ids if self.kind == PROPOSED else queries.list_approved_ids
        return [r for (r,) in tx.tuples(query, {"after": after, "limit": limit})]

    def restate(self, tx: Transaction, row_ids: Sequence[str]) -> Mapping[str, RecordBody]:
        query, body = (
            (queries.restate_proposed, _proposed)
            if self.kind == PROPOSED
            else (queries.restate_approved, _approved)
        )
        return {row.ruleset_id: body(row) for row in tx.all(query, {"row_ids": list(row_ids)})}

    def explain(self, tx: Transaction, row_id: str, recorded: RecordBody) -> list[RowFault]:
        now = self.restate(tx, [row_id]).get(row_id)
        table = "ruleset" if self.kind == PROPOSED else "ruleset_approval"
        if now is None:
            return [RowFault(table, f"ruleset_id {row_id}", None, "a row", None)]
        return [
            RowFault(
                table,
                f"ruleset_id {row_id}",
                column.removesuffix("_sha256"),
                str(recorded.get(column)),
                str(now.get(column)),
            )
            for column in sorted({**recorded, **now})
            if recorded.get(column) != now.get(column)
        ]


def ruleset_record(tx: Transaction, kind: str, ruleset_id: str) -> RecordDraft:
    """The record of a ruleset just proposed or approved, stated from its row."""
    return RecordDraft(kind, ruleset_id, dict(RulesetRestater(kind).restate(tx, [ruleset_id])[ruleset_id]))


RESTATERS: dict[str, Restater] = {kind: RulesetRestater(kind) for kind in (PROPOSED, APPROVED)}
