"""Each look of staff at a resident, with why; each is a record in the log (PIPL art. 51, Zhejiang public credit rules)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from gateway.db import Row, Transaction
from gateway.staff.accounts import queries
from schemas.audit import AuditReason
from schemas.errors import NotFoundError
from schemas.records import RecordBody, RecordDraft
from schemas.redemptions import LookReason
from schemas.staff import StaffCaller
from schemas.values import instant_text

LOOK = "staff_look"


def insert_look(
    tx: Transaction,
    caller: StaffCaller,
    person_id: int,
    reason: LookReason | AuditReason,
    *,
    now: datetime,
    look_id: UUID,
) -> RecordDraft:
    """Write who looked at whom and why."""
    params = {
        "look_id": look_id,
        "staff_id": caller.staff_id,
        "branch_no": caller.branch_no,
        "teller_no": caller.teller_no,
        "person_id": person_id,
        "reason": reason.value,
        "now": now,
    }
    row = tx.one(queries.insert_look, params)
    return RecordDraft(LOOK, str(look_id), look_body(row))


def list_looks(tx: Transaction, person_id: int, limit: int = 500) -> list[Row]:
    """Who looked at a person, newest first: look_id, staff_id, branch_no, teller_no, person_id, reason, looked_at."""
    return tx.all(queries.list_looks, {"person_id": person_id, "limit": limit})


def get_look(tx: Transaction, look_id: UUID) -> Row:
    """One look, columns as in `list_looks`. Raises NotFoundError."""
    found = tx.find(queries.get_look, {"look_id": look_id})
    if found is None:
        raise NotFoundError("no such look", code="look-not-found", where="look")
    return found


def has_looked(tx: Transaction, caller: StaffCaller, person_id: int, since: datetime) -> bool:
    """Whether this member of staff looked at this person since then."""
    params = {"person_id": person_id, "staff_id": caller.staff_id, "since": since}
    return tx.find(queries.find_look_since, params) is not None


def look_body(row: Any) -> RecordBody:
    """The body of a staff_look record, from the columns of staff_look. The person is an id."""
    return {
        "staff_id": row.staff_id,
        "branch_no": row.branch_no,
        "teller_no": row.teller_no,
        "person_id": row.person_id,
        "reason": row.reason,
        "looked_at": instant_text(row.looked_at),
    }
