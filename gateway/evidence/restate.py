"""Says the records of exports again, from the rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.db import Transaction, load_queries
from schemas.records import RecordBody, RecordDraft, Restater, RowFault
from schemas.values import instant_text

queries = load_queries(__file__)
EXPORTED = "evidence_exported"
_NIL = "00000000-0000-0000-0000-000000000000"


def export_record(row: Sequence[Any]) -> RecordDraft:
    """Of the columns of evidence_export in their order. The reason is a person's free text, so the log holds its digest."""
    (export_id, about_kind, about_id, exported_by, reason, file_sha256, record_count, with_identity,
     exported_at) = row  # fmt: skip
    said = {
        "about_kind": about_kind,
        "about_id": about_id,
        "exported_by": exported_by,
        "reason_sha256": hashlib.sha256(reason.encode()).hexdigest(),
        "file_sha256": bytes(file_sha256).hex(),
        "record_count": record_count,
        "with_identity": with_identity,
        "exported_at": instant_text(exported_at),
    }
    return RecordDraft(EXPORTED, str(export_id), said)


class ExportRestater:
    """Restater of kind evidence_exported."""

    kind = EXPORTED

    def list_row_ids(self, tx: Transaction, after: str, limit: int) -> list[str]:
        return [r for (r,) in tx.tuples(queries.list_export_ids, {"after": after or _NIL, "limit": limit})]

    def restate(self, tx: Transaction, row_ids: Sequence[str]) -> Mapping[str, RecordBody]:
        rows = tx.tuples(queries.restate_exports, {"row_ids": list(row_ids)})
        return {row[0]: export_record(row).body for row in rows}

    def explain(self, tx: Transaction, row_id: str, recorded: RecordBody) -> list[RowFault]:
        now = self.restate(tx, [row_id]).get(row_id, {})
        return [
            RowFault(
                "evidence_export",
                f"export_id {row_id}",
                column,
                str(recorded.get(column)),
                str(now.get(column)),
            )
            for column in {**recorded, **now}
            if recorded.get(column) != now.get(column)
        ]


RESTATERS: dict[str, Restater] = {EXPORTED: ExportRestater()}
