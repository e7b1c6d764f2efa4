"""Says staff_changed, staff_event and staff_look records again, from rows. The latest change of an account is said from the
account's own row and a digest of its credentials, so that an account edited behind the house's back is found too."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gateway.db import Query
from gateway.staff.accounts import CHANGED, change_body, queries, subject_digest
from gateway.staff.events import EVENT, event_body
from gateway.staff.looks import LOOK, look_body
from schemas.records import RecordBody, Restater, RowFault


class _StaffChanged:
    """See schemas.records.Restater."""

    kind = CHANGED

    def list_row_ids(self, tx: Any, after: str, limit: int) -> list[str]:
        return [row.row_id for row in tx.all(queries.list_change_ids, {"after": after, "limit": limit})]

    def restate(self, tx: Any, row_ids: Sequence[str]) -> Mapping[str, RecordBody]:
        rows = tx.all(queries.list_changes, {"row_ids": list(row_ids)})
        return {row.change_id: _latest(row) if row.latest else _past(row) for row in rows}

    def explain(self, tx: Any, row_id: str, recorded: RecordBody) -> list[RowFault]:
        faults = []
        for row in tx.all(queries.list_changes, {"row_ids": [row_id]}):
            where, past = f"staff_id {row.staff_id}", _past(row)
            for column, value in (_latest(row) if row.latest else past).items():
                was = recorded.get(column)
                if past[column] != was:
                    faults.append(RowFault("staff_change", where, column, str(was), str(past[column])))
                elif isinstance(value, dict):
                    faults.append(RowFault("staff", where, column, str(was), str(value["staff"])))
        return faults


def _past(row: Any) -> RecordBody:
    return change_body(
        staff_id=row.staff_id,
        change=row.change,
        branch_no=row.branch_no,
        teller_no=row.teller_no,
        roles=row.roles,
        source=row.source,
        subject_sha256=row.subject_sha256,
        enabled=row.enabled,
        secret_sha256=row.secret_sha256,
        changed_by=row.changed_by,
        changed_at=row.changed_at,
    )


def _latest(row: Any) -> RecordBody:
    """The change, with whatever the account says otherwise beside it: such a part equals no record."""
    past = _past(row)
    if row.now_staff_id is None:
        return {**past, "staff_id": {"staff": None, "staff_change": row.staff_id}}
    if row.now_created_at != row.first_changed_at:
        return {**past, "changed_at": {"staff": "made at another time than its first change"}}
    present = change_body(
        staff_id=row.now_staff_id,
        change=row.change,
        branch_no=row.now_branch_no,
        teller_no=row.now_teller_no,
        roles=row.now_roles,
        source=row.now_source,
        subject_sha256=subject_digest(row.now_subject),
        enabled=row.now_enabled,
        secret_sha256=row.now_secret_sha256,
        changed_by=row.changed_by,
        changed_at=row.now_changed_at,
    )
    return {
        key: value if present[key] == value else {"staff": present[key], "staff_change": value}
        for key, value in past.items()
    }


class _Rows:
    """Records that speak of one row each."""

    def __init__(self, kind: str, ids: Query, rows: Query, body: Callable[[Any], RecordBody]) -> None:
        self.kind = kind
        self._ids, self._rows, self._body = ids, rows, body

    def list_row_ids(self, tx: Any, after: str, limit: int) -> list[str]:
        return [row.row_id for row in tx.all(self._ids, {"after": after, "limit": limit})]

    def restate(self, tx: Any, row_ids: Sequence[str]) -> Mapping[str, RecordBody]:
        return {row[0]: self._body(row) for row in tx.all(self._rows, {"row_ids": list(row_ids)})}

    def explain(self, tx: Any, row_id: str, recorded: RecordBody) -> list[RowFault]:
        now = self.restate(tx, [row_id]).get(row_id, {})
        return [
            RowFault(self.kind, f"id {row_id}", name, str(recorded.get(name)), str(now.get(name)))
            for name in sorted({*now, *recorded})
            if now.get(name) != recorded.get(name)
        ]


RESTATERS: dict[str, Restater] = {
    CHANGED: _StaffChanged(),
    EVENT: _Rows(
        EVENT,
        queries.list_event_ids,
        queries.restate_events,
        lambda row: event_body(row.staff_id, row, row.occurred_at),
    ),
    LOOK: _Rows(LOOK, queries.list_look_ids, queries.restate_looks, look_body),
}
