"""The answer takes longer: the longer term, once, with a stated reason."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from gateway import objections
from gateway.flows._objection_event import keep_event
from gateway.house import House
from schemas.objections import ANSWER_DAYS_MOST, Recorded
from schemas.values import beijing_date


def extend_objection(house: House, objection_id: UUID, *, by: str, reason: str, now: datetime) -> Recorded:
    """Due on the last day the rules allow, counted from the day it was received. The reason is told to the resident.

    Errors: NotFoundError, ConflictError (extended before, or answered), InvalidError (no reason), RefusedError (calendar).
    """
    event = objections.ObjectionEvent.EXTENDED
    with house.db.transaction() as tx:
        stands = objections.lock_objection(tx, objection_id)
        objections.next_state(stands.state, event)
        received_on = beijing_date(stands.received_at)
        due_on = objections.get_calendar(tx).add_working_days(received_on, ANSWER_DAYS_MOST)
        return keep_event(house, tx, stands, event, by=by, words=reason, due_on=due_on, now=now)
