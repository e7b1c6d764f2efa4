"""Says the records of refusals and their answers again, from the rows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.db import Query, Transaction, load_queries
from schemas.records import RecordBody, RecordDraft, Restater, RowFault
from schemas.values import instant_text

queries = load_queries(__file__)
REFUSAL, ANSWER = "witness_refusal", "witness_refusal_answer"
_NIL = "00000000-0000-0000-0000-000000000000"


def refusal_record(row: Sequence[Any]) -> RecordDraft:
    """Of the columns of witness_refusal in their order."""
    refusal_id, vkey, size, root, seen_size, code, refused_at = row
    said = {
        "vkey": vkey,
        "size": size,
        "root": bytes(root).hex(),
        "seen_size": seen_size,
        "code": code,
        "refused_at": instant_text(refused_at),
    }
    return RecordDraft(REFUSAL, str(refusal_id), said)


def answer_record(row: Sequence[Any]) -> RecordDraft:
    """Of the columns of refusal_answer in their order. The reason is free text of a person, so the log holds its digest."""
    refusal_id, answered_by, reason, answered_at = row
    said = {
        "answered_by": answered_by,
        "reason_sha256": hashlib.sha256(reason.encode()).hexdigest(),
        "answered_at": instant_text(answered_at),
    }
    return RecordDraft(ANSWER, str(refusal_id), said)


@dataclass(frozen=True, slots=True)
class _RowRestater:
    kind: str
    table: str
    ids: Query
    rows: Query
    draft: Callable[[Sequence[Any]], RecordDraft]

    def list_row_ids(self, tx: Transaction, after: str, limit: int) -> list[str]:
        return [row_id for (row_id,) in tx.tuples(self.ids, {"after": after or _NIL, "limit": limit})]

    def restate(self, tx: Transaction, row_ids: Sequence[str]) -> Mapping[str, RecordBody]:
        return {row[0]: self.draft(row).body for row in tx.tuples(self.rows, {"row_ids": list(row_ids)})}

    def explain(self, tx: Transaction, row_id: str, recorded: RecordBody) -> list[RowFault]:
        now = self.restate(tx, [row_id]).get(row_id, {})
        return [
            RowFault(
                self.table, f"refusal_id {row_id}", column, str(recorded.get(column)), str(now.get(column))
            )
            for column in {**recorded, **now}
            if recorded.get(column) != now.get(column)
        ]


RESTATERS: dict[str, Restater] = {
    REFUSAL: _RowRestater(
        REFUSAL, "witness_refusal", queries.list_refusal_ids, queries.restate_refusals, refusal_record
    ),
    ANSWER: _RowRestater(
        ANSWER, "refusal_answer", queries.list_answer_ids, queries.restate_answers, answer_record
    ),
}
