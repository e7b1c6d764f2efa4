"""Who a clerk may mean: by id card, phone, a family's code, or a town's QR. Only ids and masked names leave here."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from gateway import subjects
from gateway.db import Transaction
from gateway.flows._carried import ID_NO, OPENID, PHONE, read_carried
from gateway.house import House
from schemas.errors import NotFoundError
from schemas.masking import masked_id_no, masked_name
from schemas.values import PersonId, beijing_date


class Candidate(NamedTuple):
    """Somebody who may be meant."""

    person_id: int
    masked_name: str
    masked_id_no: str


def search_residents(house: House, words: str, *, now: datetime) -> list[Candidate]:
    """Those who may be meant, at most 50. Raises InvalidError for words that are none of the four, NotFoundError for nobody.
    What was typed is in no error and no log line."""
    with house.audit_db.transaction(read_only=True) as tx:
        found = _list_persons(house, tx, words, now)
        people = subjects.list_identities(tx, house.keys, found)
    if not people:
        raise NotFoundError(
            "nobody is known by this", code="resident-not-found", remedy="check what was read or typed"
        )
    return [
        Candidate(p, masked_name(people[PersonId(p)].name), masked_id_no(people[PersonId(p)].id_no))
        for p in found
        if PersonId(p) in people
    ]


def _list_persons(house: House, tx: Transaction, words: str, now: datetime) -> list[int]:
    carried = read_carried(house, words)
    if carried.kind == PHONE:
        return list(subjects.find_people_by_phone(tx, house.keys, carried.value))
    if carried.kind in (ID_NO, OPENID):
        if carried.kind == ID_NO:
            person_id = subjects.find_person(tx, house.keys, carried.value)
        else:
            town = carried.town or next(iter(house.readers))
            person_id = subjects.find_person_by_account(tx, house.keys, town, carried.value)
        return [] if person_id is None else [person_id]
    on = beijing_date(now)
    found: dict[int, None] = {}
    for town in [carried.town] if carried.town else list(house.readers):
        household_id = subjects.find_household(tx, town, carried.value, on)
        if household_id is not None:
            found.update(dict.fromkeys(subjects.list_members_of(tx, household_id, on)))
    return list(found)
