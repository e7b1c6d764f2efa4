"""What the log says of objections and of the calendar, and how verification says it again from the rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.db import load_queries
from gateway.db.restating import RowRestater
from schemas.canonical import canonical_json
from schemas.records import RecordDraft, Restater
from schemas.values import instant_text

queries = load_queries(__file__)
RECEIVED, EVENT, CALENDAR = "objection_received", "objection_event", "calendar_set"


def committed(salt: bytes, content: Mapping[str, Any]) -> bytes:
    """SHA-256 over salt and canonical JSON: what the records hold in place of words."""
    return hashlib.sha256(salt + canonical_json(dict(content))).digest()


def objection_record(row: Sequence[Any]) -> RecordDraft:
    """Of the columns of objection without key, box and salt."""
    (objection_id, serial, person_id, kind, about_kind, about_id, channel, commitment, due_on, received_by, received_at,
     recorded_at) = row  # fmt: skip
    said = {
        "serial": serial,
        "person_id": person_id,
        "kind": kind,
        "about_kind": about_kind,
        "about_id": about_id,
        "channel": channel,
        "commitment": bytes(commitment).hex(),
        "due_on": due_on.isoformat(),
        "received_by": received_by,
        "received_at": instant_text(received_at),
        "recorded_at": instant_text(recorded_at),
    }
    return RecordDraft(RECEIVED, str(objection_id), said)


def event_record(row: Sequence[Any]) -> RecordDraft:
    """Of the columns of objection_event without key, box and salt."""
    (event_id, objection_id, event_no, event, from_state, to_state, due_on, finding, decision_ids, commitment, recorded_by,
     happened_at) = row  # fmt: skip
    said = {
        "objection_id": str(objection_id),
        "event_no": event_no,
        "event": event,
        "from_state": from_state,
        "to_state": to_state,
        "due_on": due_on.isoformat(),
        "finding": finding,
        "decision_ids": list(decision_ids),
        "commitment": bytes(commitment).hex(),
        "recorded_by": recorded_by,
        "happened_at": instant_text(happened_at),
    }
    return RecordDraft(EVENT, str(event_id), said)


def calendar_record(row: Sequence[Any]) -> RecordDraft:
    """Of the columns of workday_calendar in their order."""
    calendar_id, year, reference, holidays, workdays, set_by, set_at = row
    said = {
        "year": year,
        "reference": reference,
        "holidays": list(holidays),
        "workdays": list(workdays),
        "set_by": set_by,
        "set_at": instant_text(set_at),
    }
    return RecordDraft(CALENDAR, str(calendar_id), said)


RESTATERS: dict[str, Restater] = {
    RECEIVED: RowRestater(
        RECEIVED, "objection", queries.list_objection_ids, queries.restate_objections, objection_record
    ),
    EVENT: RowRestater(
        EVENT, "objection_event", queries.list_event_ids, queries.restate_events, event_record
    ),
    CALENDAR: RowRestater(
        CALENDAR, "workday_calendar", queries.list_calendar_ids, queries.restate_calendars, calendar_record
    ),
}
