"""A resident asks or objects: taken down, with the day by which it is answered."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from gateway import benefits, objections, redemptions, subjects
from gateway.db import Transaction
from gateway.flows._proposal_moves import serial_of
from gateway.house import House
from gateway.translog import append_records
from schemas.errors import InvalidError, NotFoundError
from schemas.objections import ANSWER_DAYS, AboutKind, NewObjection, ObjectionKind, ObjectionState, Recorded
from schemas.values import beijing_date


def receive_objection(house: House, new: NewObjection, *, by: str, now: datetime) -> Recorded:
    """Twice under one id is once. A refusal of decisions made only by a machine binds from this moment.

    Errors: NotFoundError (no such resident, decision, redemption), InvalidError (no words, a day to come, somebody else's
    decision), ConflictError (the id was used), RefusedError (the calendar does not reach the day it is due: nothing is kept).
    """
    if new.received_at > now:
        raise InvalidError(
            "it cannot have been received in the future",
            where="received_at",
            value=beijing_date(new.received_at).isoformat(),
        )
    with house.db.transaction() as tx:
        subjects.get_person(tx, new.person_id)
        stands = objections.find_objection(tx, new.objection_id)
        if stands is not None:
            objections.require_same(house.keys, stands, new)
            return Recorded(stands.objection_id, stands.serial, stands.due_on, stands.state)
        _check_about(tx, new)
        received_on = beijing_date(new.received_at)
        due_on = objections.get_calendar(tx).add_working_days(received_on, ANSWER_DAYS)
        serial = serial_of("Y", received_on, new.objection_id)
        draft = objections.insert_objection(tx, house.keys, new, serial=serial, due_on=due_on, by=by, now=now)
        append_records(tx, [draft], now=now, new_id=house.new_id)
        return Recorded(new.objection_id, serial, due_on, ObjectionState.OPEN)


def _check_about(tx: Transaction, new: NewObjection) -> None:
    """What it is about exists and is about this person."""
    if new.about_kind not in (AboutKind.DECISION, AboutKind.REDEMPTION):
        if new.about_id:
            raise InvalidError(
                "only a decision or a redemption has an id", where="about_id", value=new.about_id[:40]
            )
        return
    if not new.about_id and new.kind is ObjectionKind.REFUSAL:
        return
    try:
        about_id = UUID(new.about_id)
    except ValueError:
        raise InvalidError("an id is a UUID", where="about_id", value=new.about_id[:40]) from None
    if new.about_kind is AboutKind.DECISION:
        row = benefits.find_decision(tx, about_id)
        households = [int(h) for h in subjects.list_households_of(tx, [new.person_id])]
        if row is None or not {row.subject_id, row.applicant_id} & {new.person_id, *households}:
            raise NotFoundError("no such decision about this resident", where="about_id", value=new.about_id)
        return
    found = redemptions.find_redemption(tx, about_id)
    if found is None or new.person_id not in (found.person_id, found.proxy_person_id):
        raise NotFoundError("no such redemption of this resident", where="about_id", value=new.about_id)
