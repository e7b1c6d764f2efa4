"""Objections by the day they are due, with their age: overdue ones stand first."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from gateway import objections
from gateway.house import House
from schemas.objections import ObjectionState
from schemas.values import beijing_date


class Listed(NamedTuple):
    """One line. Nothing personal: our number of the person."""

    objection_id: UUID
    serial: str
    person_id: int
    kind: str
    about_kind: str
    channel: str
    received_on: date
    due_on: date
    state: ObjectionState
    age_days: int
    overdue_days: int  # 0: in time, or answered


class ObjectionList(NamedTuple):
    """The lines; decisions that wait for a person because the applicant refuses a machine's; how far the calendar reaches."""

    lines: tuple[Listed, ...]
    waiting_reviews: int
    calendar_until: date | None


def list_objections(house: House, *, waiting_only: bool = True, now: datetime) -> ObjectionList:
    """At most 500."""
    today = beijing_date(now)
    with house.audit_db.transaction(read_only=True) as tx:
        rows = objections.list_objections(tx, waiting_only=waiting_only)
        reviews = len(objections.list_reviews(tx))
        reaches = objections.get_calendar(tx).last_on()
    lines = []
    for row in rows:
        state = ObjectionState(row.state)
        received_on = beijing_date(row.received_at)
        late = (today - row.due_on).days if state in objections.PENDING else 0
        lines.append(
            Listed(row.objection_id, row.serial, row.person_id, row.kind, row.about_kind, row.channel, received_on, row.due_on,
                   state, (today - received_on).days, max(late, 0))
        )  # fmt: skip
    return ObjectionList(tuple(lines), reviews, reaches)
