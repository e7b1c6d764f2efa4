"""What staff did at the doors; each event is a record in the log."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from gateway.db import Row, Transaction
from gateway.staff.accounts import queries
from schemas.records import RecordBody, RecordDraft
from schemas.values import instant_text

EVENT = "staff_event"


class StaffEvent(NamedTuple):
    """Who, what ('signed_in', 'signed_out', 'refused', 'locked'), as which branch and teller, and why."""

    staff_id: UUID
    event: str
    branch_no: str
    teller_no: str
    code: str
    place: str = ""


def insert_event(tx: Transaction, event: StaffEvent, *, now: datetime, event_id: UUID) -> RecordDraft:
    """Write it and say it."""
    params = {**event._asdict(), "event_id": event_id, "now": now}
    tx.run(queries.insert_event, params)
    return RecordDraft(EVENT, str(event_id), event_body(str(event.staff_id), event, now))


def list_events(tx: Transaction, *, since: datetime, limit: int = 500) -> list[Row]:
    """Rows (event_id, staff_id, event, branch_no, teller_no, code, place, occurred_at), newest first."""
    return tx.all(queries.list_events, {"since": since, "limit": limit})


def event_body(staff_id: str, row: Any, occurred_at: datetime) -> RecordBody:
    """The body of a staff_event record, from the columns of staff_event."""
    return {
        "staff_id": staff_id,
        "event": row.event,
        "branch_no": row.branch_no,
        "teller_no": row.teller_no,
        "code": row.code,
        "place": row.place,
        "occurred_at": instant_text(occurred_at),
    }
