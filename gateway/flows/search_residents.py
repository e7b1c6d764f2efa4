"""Who a clerk may mean: by id number, phone, or a family's code. Only ids and masked names leave here."""

from __future__ import annotations

import re
from datetime import datetime
from typing import NamedTuple

from gateway import subjects
from gateway.db import Transaction
from gateway.house import House
from schemas.errors import InvalidError, NotFoundError
from schemas.masking import masked_id_no, masked_name
from schemas.values import PersonId, beijing_date

PHONE = re.compile(r"1[0-9]{10}")
ID_NO = re.compile(r"[0-9]{17}[0-9Xx]")
FAMILY = re.compile(r"[0-9A-Za-z._-]{1,64}")


class Candidate(NamedTuple):
    """Somebody who may be meant."""

    person_id: int
    masked_name: str
    masked_id_no: str


def search_residents(house: House, words: str, *, now: datetime) -> list[Candidate]:
    """Those who may be meant, at most 50. Raises InvalidError for words that are none of the three, NotFoundError for nobody.
    What was typed is in no error and no log line."""
    asked = words.strip().replace(" ", "")
    with house.audit_db.transaction(read_only=True) as tx:
        found = _list_persons(house, tx, asked, now)
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


def _list_persons(house: House, tx: Transaction, asked: str, now: datetime) -> list[int]:
    if ID_NO.fullmatch(asked):
        person_id = subjects.find_person(tx, house.keys, asked.upper())
        return [] if person_id is None else [person_id]
    if PHONE.fullmatch(asked):
        return list(subjects.find_people_by_phone(tx, house.keys, asked))
    if not FAMILY.fullmatch(asked):
        raise InvalidError(
            "this is no id number, phone or family code", code="words-unreadable", where="words",
            remedy="18 characters of the id card, 11 digits of the phone, or the family's code",
        )  # fmt: skip
    on = beijing_date(now)
    found: dict[int, None] = {}
    for town in house.readers:
        household_id = subjects.find_household(tx, town, asked, on)
        if household_id is not None:
            found.update(dict.fromkeys(subjects.list_members_of(tx, household_id, on)))
    return list(found)
