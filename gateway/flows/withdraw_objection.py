"""A resident takes an objection back, or lets the machine decide again after having refused it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from gateway import benefits, objections, subjects
from gateway.flows._objection_event import keep_event
from gateway.house import House
from schemas.objections import ObjectionKind, ObjectionState, Recorded


def withdraw_objection(house: House, objection_id: UUID, *, by: str, reason: str, now: datetime) -> Recorded:
    """Before the answer it is withdrawn; after the answer only a refusal can end. The next sweep evaluates them.

    Errors: NotFoundError, ConflictError (nothing to take back), InvalidError (no reason).
    """
    with house.db.transaction() as tx:
        stands = objections.lock_objection(tx, objection_id)
        refusal = stands.kind is ObjectionKind.REFUSAL
        ends = refusal and stands.state is ObjectionState.ANSWERED
        event = objections.ObjectionEvent.REFUSAL_ENDED if ends else objections.ObjectionEvent.WITHDRAWN
        done = keep_event(house, tx, stands, event, by=by, words=reason, due_on=stands.due_on, now=now)
        if refusal and not objections.list_refusing(tx, [stands.person_id]):
            holders = [stands.person_id, *map(int, subjects.list_households_of(tx, [stands.person_id]))]
            objections.end_reviews(tx, holders)
            benefits.mark_changed(tx, holders, cause="refusal ended", now=now)
    return done
