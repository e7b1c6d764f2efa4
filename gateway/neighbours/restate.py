"""Says the records of switched neighbours again, from their rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.db import Transaction, load_queries
from schemas.records import RecordBody, RecordDraft, Restater, RowFault
from schemas.values import instant_text

queries = load_queries(__file__)

KIND = "neighbour_switched"


def _bodies(tx: Transaction, row_ids: Sequence[str]) -> dict[str, RecordBody]:
    return {
        row.row_id: {
            "neighbour": row.neighbour,
            "paused": row.paused,
            "why": row.why,
            "said_by": row.said_by,
            "switched_at": instant_text(row.switched_at),
        }
        for row in tx.all(queries.restate_switches, {"row_ids": list(row_ids)})
    }


def switch_record(tx: Transaction, row_id: str) -> RecordDraft:
    """The record of a switch just written."""
    return RecordDraft(KIND, row_id, _bodies(tx, [row_id])[row_id])


class _NeighbourSwitched:
    """See schemas.records.Restater."""

    kind = KIND

    def list_row_ids(self, tx: Any, after: str, limit: int) -> list[str]:
        return [row.row_id for row in tx.all(queries.list_switch_ids, {"after": after, "limit": limit})]

    def restate(self, tx: Any, row_ids: Sequence[str]) -> Mapping[str, RecordBody]:
        return _bodies(tx, row_ids)

    def explain(self, tx: Any, row_id: str, recorded: RecordBody) -> list[RowFault]:
        return [
            RowFault("neighbour_switch", f"switch_id {row_id}", column, str(recorded.get(column)), str(value))
            for column, value in _bodies(tx, [row_id]).get(row_id, {}).items()
            if recorded.get(column) != value
        ]


RESTATERS: dict[str, Restater] = {KIND: _NeighbourSwitched()}
