"""Says redemption_event records again, from rows. The last event of a redemption also says how the redemption stands, so that a
state, an approval or a town's part changed behind the house's back is found too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.redemptions.keeping import EVENT, event_body, queries, stands_text
from schemas.records import RecordBody, Restater, RowFault


class _RedemptionEvent:
    """See schemas.records.Restater."""

    kind = EVENT

    def list_row_ids(self, tx: Any, after: str, limit: int) -> list[str]:
        return [row.row_id for row in tx.all(queries.list_event_ids, {"after": after, "limit": limit})]

    def restate(self, tx: Any, row_ids: Sequence[str]) -> Mapping[str, RecordBody]:
        return {
            row.event_id: _said(row) for row in tx.all(queries.restate_events, {"row_ids": list(row_ids)})
        }

    def explain(self, tx: Any, row_id: str, recorded: RecordBody) -> list[RowFault]:
        now = self.restate(tx, [row_id]).get(row_id, {})
        return [
            RowFault("redemption", f"redemption_id {recorded.get('redemption_id')}, event_id {row_id}", name,
                     str(recorded.get(name)), str(now.get(name)))
            for name in sorted({*now, *recorded})
            if now.get(name) != recorded.get(name)
        ]  # fmt: skip


def _said(row: Any) -> RecordBody:
    body = event_body(row)
    if row.latest:
        now = stands_text(row.wanted, row.goods, row.posted, row.approved_by, row.heard or "")
        if now != row.stands or row.state != row.to_state:
            body["stands"] = {"redemption": f"{row.state} {now}", "event": row.stands}
    return body


RESTATERS: dict[str, Restater] = {EVENT: _RedemptionEvent()}
