"""Somebody comes in a resident's place: who they are, by the id card they show; that they were looked at is recorded."""

from __future__ import annotations

from datetime import datetime

from gateway import staff, subjects
from gateway.flows._carried import ID_NO, read_carried
from gateway.flows.search_residents import Candidate
from gateway.house import House
from gateway.translog import append_records
from schemas.errors import InvalidError, NotFoundError
from schemas.masking import masked_id_no, masked_name
from schemas.redemptions import LookReason
from schemas.staff import StaffCaller


def identify_proxy(
    house: House, caller: StaffCaller, words: str, *, resident_id: int, now: datetime
) -> Candidate:
    """The proxy, masked. Raises InvalidError for anything but another person's id number, NotFoundError for nobody we know.
    What was typed is in no error."""
    carried = read_carried(house, words)
    if carried.kind != ID_NO:
        raise InvalidError(
            "a proxy is found by the number of their id card", code="proxy-id-needed", where="proxy"
        )
    with house.db.transaction() as tx:
        person_id = subjects.find_person(tx, house.keys, carried.value)
        people = subjects.list_identities(tx, house.keys, [person_id]) if person_id is not None else {}
        if person_id is None or person_id not in people:
            raise NotFoundError("nobody is known by this id number", code="proxy-not-found", where="proxy")
        if person_id == resident_id:
            raise InvalidError("nobody acts for themselves", code="proxy-is-resident", where="proxy")
        draft = staff.insert_look(
            tx, caller, person_id, LookReason.REDEMPTION, now=now, look_id=house.new_id()
        )
        append_records(tx, [draft], now=now, new_id=house.new_id)
    identity = people[person_id]
    return Candidate(person_id, masked_name(identity.name), masked_id_no(identity.id_no))
