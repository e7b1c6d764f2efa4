"""Says the records of reconciliations: the run's own row, and one digest over every step of a difference that it wrote."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.db import Transaction, load_queries
from schemas.records import RecordBody, RecordDraft, Restater, RowFault
from schemas.values import instant_text

queries = load_queries(__file__)

KIND = "reconciliation"


def _bodies(tx: Transaction, row_ids: Sequence[str]) -> dict[str, RecordBody]:
    params = {"row_ids": list(row_ids)}
    steps: dict[str, list[bytes]] = {}
    for row_id, *columns in tx.tuples(queries.list_changes_of_runs, params):
        steps.setdefault(row_id, []).append(_step(columns))
    return {row.row_id: _body(row, steps.get(row.row_id, [])) for row in tx.all(queries.list_runs, params)}


def _step(columns: Sequence[Any]) -> bytes:
    said = [instant_text(c) if hasattr(c, "tzinfo") else str(c) for c in columns]
    return hashlib.sha256("\x1f".join(said).encode()).digest()


def _body(row: Any, steps: Sequence[bytes]) -> RecordBody:
    return {
        "cause": row.cause,
        "town": row.town,
        "accounting_on": row.accounting_on.isoformat(),
        "said_by": row.said_by,
        "statement_sha256": bytes(row.statement_sha256).hex(),
        "line_count": row.line_count,
        "matched_count": row.matched_count,
        "ours_only_count": row.ours_only_count,
        "theirs_only_count": row.theirs_only_count,
        "differing_count": row.differing_count,
        "change_count": row.change_count,
        "asked_at": instant_text(row.asked_at),
        "reconciled_at": instant_text(row.reconciled_at),
        "changes_sha256": hashlib.sha256(b"".join(steps)).hexdigest(),
    }


def run_records(tx: Transaction, row_ids: Sequence[str]) -> list[RecordDraft]:
    """The records of runs just written."""
    return [RecordDraft(KIND, row_id, body) for row_id, body in _bodies(tx, row_ids).items()]


class _Reconciliation:
    """See schemas.records.Restater."""

    kind = KIND

    def list_row_ids(self, tx: Any, after: str, limit: int) -> list[str]:
        return [row.row_id for row in tx.all(queries.list_run_ids, {"after": after, "limit": limit})]

    def restate(self, tx: Any, row_ids: Sequence[str]) -> Mapping[str, RecordBody]:
        return _bodies(tx, row_ids)

    def explain(self, tx: Any, row_id: str, recorded: RecordBody) -> list[RowFault]:
        found = _bodies(tx, [row_id]).get(row_id, {})
        return [
            RowFault(
                "difference_change" if column == "changes_sha256" else "reconciliation",
                f"run_id {row_id}",
                None if column == "changes_sha256" else column,
                str(recorded.get(column)),
                str(value),
            )
            for column, value in found.items()
            if recorded.get(column) != value
        ]


RESTATERS: dict[str, Restater] = {KIND: _Reconciliation()}
