"""From a town's words to our ids, a whole push at a time, and the few reads other paths need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from gateway.db import Row, Transaction, int_array, load_queries
from schemas.values import HouseholdId, PersonId, Purpose, TownCode

queries = load_queries(__file__)


class Asked(NamedTuple):
    """What a push names: family codes, and lookup digests (hex) of resident ids or openids."""

    codes: Iterable[str]
    digests: Iterable[str]
    digest_kind: str = "id_no"


class KnownPerson(NamedTuple):
    person_id: PersonId
    purposes: frozenset[str]
    households: frozenset[int]


@dataclass(frozen=True, slots=True)
class Resolution:
    """What we know of those a push names."""

    periods: dict[str, list[tuple[date, date, HouseholdId]]]
    people: dict[str, KnownPerson]

    def household(self, code: str, on: date) -> HouseholdId | None:
        """The household that had this code on that day."""
        for valid_from_on, valid_until_on, household_id in self.periods.get(code, ()):
            if valid_from_on <= on < valid_until_on:
                return household_id
        return None


def resolve(tx: Transaction, town: TownCode, asked: Asked) -> Resolution:
    """All households and persons a push names, in two statements whatever its size."""
    periods: dict[str, list[tuple[date, date, HouseholdId]]] = {}
    codes = "\n".join(asked.codes)
    if codes:
        for code, household_id, from_on, until_on in tx.tuples(
            queries.resolve_households, {"town": town, "codes": codes}
        ):
            periods.setdefault(code, []).append((from_on, until_on, HouseholdId(household_id)))
    people: dict[str, KnownPerson] = {}
    digests = "\n".join(asked.digests)
    if digests:
        params = {"town": town, "kind": asked.digest_kind, "digests": digests}
        for digest, person_id, purposes, households in tx.tuples(queries.resolve_people, params):
            people[digest] = KnownPerson(
                PersonId(person_id), frozenset(purposes.split()), frozenset(map(int, households.split()))
            )
    return Resolution(periods, people)


def list_applicants(tx: Transaction, subject_ids: Sequence[int], on: date) -> list[Row]:
    """Rows (subject_id, applicant_id, birth_on): who would apply for a loan. Subjects nobody may map for are absent."""
    return tx.all(queries.list_applicants, {"subject_ids": int_array(subject_ids), "on": on})


def list_consenting(
    tx: Transaction, purpose: Purpose, person_ids: Sequence[int]
) -> set[tuple[PersonId, TownCode]]:
    """Pairs (person, town) with a consent in force for the purpose: consent is given for one town's points."""
    rows = tx.tuples(queries.list_consenting, {"purpose": purpose, "person_ids": int_array(person_ids)})
    return {(PersonId(person_id), TownCode(town)) for person_id, town in rows}


def list_marks(tx: Transaction, subject_ids: Sequence[int], on: date) -> list[Row]:
    """Rows (subject_id, kind 'veto'|'honour', code) valid on the day."""
    return tx.all(queries.list_marks, {"subject_ids": int_array(subject_ids), "on": on})


def list_households_of(tx: Transaction, person_ids: Sequence[int]) -> list[HouseholdId]:
    """Households the persons belong or belonged to."""
    return [
        HouseholdId(h)
        for (h,) in tx.tuples(queries.list_households_of, {"person_ids": int_array(person_ids)})
    ]


def find_household(tx: Transaction, town: TownCode, code: str, on: date) -> HouseholdId | None:
    """The household that has this family code on the day, or None."""
    row = tx.find(queries.find_household, {"town": town, "code": code, "on": on})
    return HouseholdId(row.household_id) if row else None
