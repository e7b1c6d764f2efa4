"""From a town's words to our ids, a whole push at a time, and the few reads other paths need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

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
    people: dict[str, KnownPerson | None]  # None: nobody we know

    def household(self, code: str, on: date) -> HouseholdId | None:
        """The household that had this code on that day."""
        for valid_from_on, valid_until_on, household_id in self.periods.get(code, ()):
            if valid_from_on <= on < valid_until_on:
                return household_id
        return None


class _Memory(NamedTuple):
    """What one process resolved of one town while `version` stood. Digests and ids only; nothing can be read from it."""

    version: UUID
    periods: dict[str, list[tuple[date, date, HouseholdId]]]
    people: dict[str, KnownPerson | None]


REMEMBERED = 400_000  # codes and digests of a town; then it begins anew
_memories: dict[tuple[TownCode, str], _Memory] = {}


def resolve(tx: Transaction, town: TownCode, asked: Asked) -> Resolution:
    """All households and persons a push names, in three statements at most, whatever its size.

    What stands in the database is remembered until a registration or a withdrawal in the town changes its version, which is
    read in this transaction: a withdrawn consent counts for the next push that begins.
    """
    memory = _remembered(town, asked.digest_kind, town_version(tx, town))
    codes = [code for code in asked.codes if code not in memory.periods]
    if codes:
        found: dict[str, list[tuple[date, date, HouseholdId]]] = {code: [] for code in codes}
        params = {"town": town, "codes": "\n".join(codes)}
        for code, household_id, from_on, until_on in tx.tuples(queries.resolve_households, params):
            found[code].append((from_on, until_on, HouseholdId(household_id)))
        memory.periods.update(found)
    digests = [digest for digest in asked.digests if digest not in memory.people]
    if digests:
        people: dict[str, KnownPerson | None] = dict.fromkeys(digests)
        params = {"town": town, "kind": asked.digest_kind, "digests": "\n".join(digests)}
        for digest, person_id, purposes, households in tx.tuples(queries.resolve_people, params):
            people[digest] = KnownPerson(
                PersonId(person_id), frozenset(purposes.split()), frozenset(map(int, households.split()))
            )
        memory.people.update(people)
    return Resolution(memory.periods, memory.people)


def town_version(tx: Transaction, town: TownCode) -> UUID:
    """Changes with every registration and withdrawal in the town."""
    row = tx.find(queries.get_version, {"town": town})
    return row.version if row else UUID(int=0)


def _remembered(town: TownCode, digest_kind: str, version: UUID) -> _Memory:
    memory = _memories.get((town, digest_kind))
    if (
        memory is None
        or memory.version != version
        or version.int == 0  # no registration yet: every database begins so
        or len(memory.periods) + len(memory.people) > REMEMBERED
    ):
        memory = _memories[town, digest_kind] = _Memory(version, {}, {})
    return memory


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


def list_home_members(
    tx: Transaction, household_ids: Sequence[int], on: date
) -> list[tuple[HouseholdId, PersonId]]:
    """(household, person): whose own points count for which household on that day. Nobody counts for two."""
    params = {"household_ids": int_array(household_ids), "on": on}
    return [(HouseholdId(h), PersonId(p)) for h, p in tx.tuples(queries.list_home_members, params)]


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


def list_villages(tx: Transaction, town: TownCode, household_ids: Sequence[int], on: date) -> dict[int, str]:
    """The village a town has each household registered in on a day; a household of two towns has one in each."""
    params = {"town": town, "household_ids": int_array(household_ids), "on": on}
    return dict(tx.tuples(queries.list_villages, params))


def list_consented_households(tx: Transaction, town: TownCode, household_ids: Sequence[int]) -> set[int]:
    """Those of the households in which somebody's consent is in force in the town: of no other may points be taken."""
    params = {"town": town, "household_ids": int_array(household_ids)}
    return {household for (household,) in tx.tuples(queries.list_consented_households, params)}


def list_codes_of(tx: Transaction, town: TownCode, household_ids: Sequence[int], on: date) -> dict[int, str]:
    """The code each household has in a town on a day."""
    params = {"town": town, "household_ids": int_array(household_ids), "on": on}
    return dict(tx.tuples(queries.list_codes_of, params))


def list_accounts_of(tx: Transaction, person_id: int, on: date) -> list[Row]:
    """Rows (town, household_id, code): the households a person belongs to on the day, with each town's own code."""
    return tx.all(queries.list_accounts_of, {"person_id": person_id, "on": on})


def list_members_of(tx: Transaction, household_id: int, on: date) -> list[PersonId]:
    """Who belongs to a household on the day, its head first."""
    rows = tx.tuples(queries.list_members_of, {"household_id": household_id, "on": on})
    return [PersonId(person_id) for (person_id,) in rows]
