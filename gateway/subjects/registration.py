"""Registering families with their consents, and withdrawing consents.

Set-based: a document of a thousand families is a dozen statements.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from gateway.db import Transaction, copy_text, int_array, load_queries
from gateway.subjects.identity import seal_identity
from schemas.contributions import HouseholdRegistration, MemberRegistration, Withdrawal
from schemas.crypto import KeyRing
from schemas.errors import ConflictError
from schemas.resident_id import born_on
from schemas.values import HouseholdId, PersonId, TownCode, beijing_date

queries = load_queries(__file__)

#: PIPL art. 23 and 29: the consent names who receives the data.
RECIPIENT = "bank"


class ConsentChange(NamedTuple):
    """A consent given or withdrawn, for the log."""

    consent_id: str
    person_id: PersonId
    purpose: str


@dataclass(frozen=True, slots=True)
class Registered:
    """What a registration changed. `changed` are subjects whose facts may be different now."""

    households: dict[str, HouseholdId]
    holders: list[int]  # who can hold points in this town: households, and persons registered without one
    given: list[ConsentChange] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)


def register(
    tx: Transaction,
    keys: KeyRing,
    town: TownCode,
    families: Sequence[HouseholdRegistration],
    *,
    now: datetime,
    new_id: Callable[[], UUID],
) -> Registered:
    """Store families: households, members who consented to something, consents. Saying it twice changes nothing.

    A member no longer named leaves the household today; members without any consent are not kept. A family whose head is head
    of a household in another town already is that household. Concurrent registrations wait for each other.
    """
    tx.run(queries.lock_registration)
    housed = [family for family in families if family.household_code]
    households = _households(tx, keys, town, housed, now)
    people = _persons(tx, keys, families, now)
    changed = _memberships(tx, town, housed, households, people.known, now)
    given = _consents(tx, town, families, people.known, now, new_id)
    refresh_standing(tx, town, [int(p) for p in people.known.values()])
    tx.run(queries.change_version, {"town": town})
    changed |= {int(change.person_id) for change in given}
    newly = {change.person_id for change in given}
    for family in housed:
        if any(people.known[m.id_no] in newly for m in family.members if m.consents):
            changed.add(int(households[family.household_code]))
    alone = {m.id_no for f in families if not f.household_code for m in f.members if m.consents}
    holders = {*map(int, households.values()), *(int(people.known[id_no]) for id_no in alone)}
    return Registered(households, sorted(holders), given, sorted(changed))


def _households(
    tx: Transaction, keys: KeyRing, town: TownCode, families: Sequence[HouseholdRegistration], now: datetime
) -> dict[str, HouseholdId]:
    wanted = {family.household_code: family for family in families}
    rows = tx.tuples(queries.resolve_households, {"town": town, "codes": "\n".join(wanted)})
    known = {
        code: HouseholdId(h) for code, h, _, until in rows if until == date.max or until > beijing_date(now)
    }
    missing = [code for code in wanted if code not in known]
    elsewhere = _homes_elsewhere(tx, keys, town, [wanted[code] for code in missing])
    new = [code for code in missing if code not in elsewhere]
    known |= elsewhere
    for code, household_id in zip(new, _take_ids(tx, len(new)), strict=True):
        known[code] = HouseholdId(household_id)
    if new:
        tx.copy_in(queries.copy_households, copy_text((known[c], wanted[c].village, now) for c in new))
    if missing:
        tx.copy_in(
            queries.copy_household_codes,
            copy_text((town, c, known[c], wanted[c].member_since_on, wanted[c].village) for c in missing),
        )
    if len(missing) < len(wanted):
        again = [wanted[code] for code in wanted if code not in set(missing)]
        villages = "\n".join(family.village for family in again)
        codes = "\n".join(family.household_code for family in again)
        tx.run(queries.put_villages, {"town": town, "codes": codes, "villages": villages})
    return known


def _homes_elsewhere(
    tx: Transaction, keys: KeyRing, town: TownCode, families: Sequence[HouseholdRegistration]
) -> dict[str, HouseholdId]:
    """Families new in this town that we know from another: by their head. A household takes one code of a town."""
    digest_of = keys.digester("lookup:id_no")
    heads = {
        digest_of(member.id_no.encode()).hex(): family.household_code
        for family in families
        for member in family.members
        if member.is_head and member.consents
    }
    if not heads:
        return {}
    rows = tx.tuples(queries.find_homes_of_heads, {"town": town, "digests": "\n".join(heads)})
    by_household = {household_id: heads[digest] for digest, household_id in rows}
    return {code: HouseholdId(household_id) for household_id, code in by_household.items()}


class _Persons(NamedTuple):
    known: dict[str, PersonId]


def _persons(
    tx: Transaction, keys: KeyRing, families: Sequence[HouseholdRegistration], now: datetime
) -> _Persons:
    wanted: dict[str, MemberRegistration] = {m.id_no: m for f in families for m in f.members if m.consents}
    digest_of = keys.digester("lookup:id_no")
    digests = {digest_of(id_no.encode()).hex(): id_no for id_no in wanted}
    params = {"kind": "id_no", "identifier_town": "", "digests": "\n".join(digests)}
    known = {
        digests[digest]: PersonId(person_id) for digest, person_id in tx.tuples(queries.find_people, params)
    }
    missing = [id_no for id_no in wanted if id_no not in known]
    persons: list[tuple[Any, ...]] = []
    identifiers: list[tuple[Any, ...]] = []
    for id_no, person_id in zip(missing, _take_ids(tx, len(missing)), strict=True):
        known[id_no] = PersonId(person_id)
        member = wanted[id_no]
        sealed = seal_identity(keys, id_no, member.name, member.phone)
        salt = os.urandom(32)
        commitment = hashlib.sha256(salt + id_no.encode()).digest()
        persons.append((person_id, sealed.key_id, sealed.box, salt, commitment, born_on(id_no), now))
        identifiers.append(("id_no", "", digest_of(id_no.encode()), person_id, now))
        if member.phone:
            identifiers.append(("phone", "", keys.lookup_digest("phone", member.phone), person_id, now))
    if persons:
        tx.copy_in(queries.copy_persons, copy_text(persons))
        tx.copy_in(queries.copy_identifiers, copy_text(identifiers))
    return _Persons(known)


def _memberships(
    tx: Transaction,
    town: TownCode,
    families: Sequence[HouseholdRegistration],
    households: dict[str, HouseholdId],
    people: dict[str, PersonId],
    now: datetime,
) -> set[int]:
    """Households whose members changed."""
    ids = [int(households[f.household_code]) for f in families]
    rows = tx.tuples(queries.list_memberships, {"household_ids": ids, "town": town})
    current = {(household_id, person_id) for household_id, person_id, _, _ in rows}
    wanted: dict[tuple[int, int], tuple[bool, date]] = {}
    for family in families:
        for member in family.members:
            if member.consents:
                pair = (int(households[family.household_code]), int(people[member.id_no]))
                wanted[pair] = (member.is_head, family.member_since_on)
    today = beijing_date(now)
    standing = {household for household, _ in current}  # who joins a standing family joins today
    joined = [
        (household, person, town, is_head, today if household in standing else since)
        for (household, person), (is_head, since) in wanted.items()
        if (household, person) not in current
    ]
    left = sorted(pair for pair in current if pair not in wanted)
    if left:
        gone = [person for _, person in left]
        tx.run(
            queries.end_memberships,
            {
                "on": today,
                "town": town,
                "household_ids": int_array(h for h, _ in left),
                "person_ids": int_array(gone),
            },
        )
        refresh_standing(tx, town, gone)
    if joined:
        tx.copy_in(queries.copy_memberships, copy_text(joined))
    return {row[0] for row in joined} | {h for h, _ in left}


def _consents(
    tx: Transaction,
    town: TownCode,
    families: Sequence[HouseholdRegistration],
    people: dict[str, PersonId],
    now: datetime,
    new_id: Callable[[], UUID],
) -> list[ConsentChange]:
    person_ids = [int(p) for p in people.values()]
    rows = tx.tuples(queries.list_consents_in_force, {"town": town, "person_ids": person_ids})
    in_force = {(person_id, purpose) for person_id, purpose in rows}
    given: list[ConsentChange] = []
    lines: list[tuple[Any, ...]] = []
    for family in families:
        for member in family.members:
            for consent in member.consents:
                person_id = people[member.id_no]
                if (int(person_id), str(consent.purpose)) in in_force:
                    continue
                in_force.add((int(person_id), str(consent.purpose)))
                consent_id = str(new_id())
                given.append(ConsentChange(consent_id, person_id, str(consent.purpose)))
                lines.append(
                    (consent_id, person_id, town, str(consent.purpose), RECIPIENT, consent.text_version,
                     consent.evidence, consent.guardian, consent.given_at, now)
                )  # fmt: skip
    if lines:
        tx.copy_in(queries.copy_consents, copy_text(lines))
    return given


def register_account(
    tx: Transaction,
    keys: KeyRing,
    town: TownCode,
    member: MemberRegistration,
    account: str,
    *,
    now: datetime,
    new_id: Callable[[], UUID],
) -> tuple[PersonId, list[ConsentChange]]:
    """A person with the town's own name for them (an openid) and their consents; the person, and the consents given now.

    Raises ConflictError `account-of-another` when the name belongs to somebody else, `other-account` when the person has another
    name in this town. Saying it twice changes nothing.
    """
    tx.run(queries.lock_registration, {"town": town})
    alone = (HouseholdRegistration("", "", beijing_date(now), (member,)),)
    person_id = _persons(tx, keys, alone, now).known[member.id_no]
    digest = keys.lookup_digest("openid", account)
    owners = tx.tuples(queries.list_account_owners, {"town": town, "digest": digest, "person_id": person_id})
    for owner, same in owners:
        if int(owner) != int(person_id):
            raise ConflictError(
                "this account is linked to somebody else", code="account-of-another", where="account"
            )
        if not same:
            raise ConflictError("another account is linked already", code="other-account", where="account")
    if not owners:
        tx.copy_in(queries.copy_identifiers, copy_text([("openid", town, digest, person_id, now)]))
    given = _consents(tx, town, alone, {member.id_no: person_id}, now, new_id)
    refresh_standing(tx, town, [int(person_id)])
    tx.run(queries.change_version, {"town": town})
    return person_id, given


def forget_account(tx: Transaction, town: TownCode, person_id: int) -> None:
    """The town's name for the person leads to nobody from now on. Saying it twice changes nothing."""
    tx.run(queries.delete_account, {"town": town, "person_id": person_id})
    tx.run(queries.change_version, {"town": town})


def withdraw(
    tx: Transaction, keys: KeyRing, town: TownCode, withdrawals: Sequence[Withdrawal], *, now: datetime
) -> tuple[list[ConsentChange], set[int]]:
    """Withdraw consents; those withdrawn, and the positions in `withdrawals` that had nothing to withdraw."""
    digest = keys.digester("lookup:id_no")
    digests = {digest(w.id_no.encode()).hex() for w in withdrawals}
    params = {"town": town, "kind": "id_no", "digests": "\n".join(sorted(digests))}
    people = {row[0]: int(row[1]) for row in tx.tuples(queries.resolve_people, params)}
    named = [(no, people.get(digest(w.id_no.encode()).hex()), w) for no, w in enumerate(withdrawals)]
    rows = tx.tuples(
        queries.withdraw_consents,
        {
            "town": town,
            "now": now,
            "person_ids": [p for _, p, _ in named if p is not None],
            "purposes": [str(w.purpose) for _, p, w in named if p is not None],
            "instants": [w.withdrawn_at for _, p, w in named if p is not None],
        },
    )
    done = [
        ConsentChange(str(consent_id), PersonId(person_id), purpose)
        for consent_id, person_id, purpose in rows
    ]
    refresh_standing(tx, town, [int(c.person_id) for c in done])
    tx.run(queries.change_version, {"town": town})
    pairs = {(int(c.person_id), c.purpose) for c in done}
    idle = {no for no, person, w in named if person is None or (person, str(w.purpose)) not in pairs}
    return done, idle


def refresh_standing(tx: Transaction, town: TownCode, person_ids: Sequence[int]) -> None:
    """Rewrite what a push asks of these persons in this town. Call after every change of a consent or a membership."""
    if person_ids:
        tx.run(queries.refresh_standing, {"town": town, "person_ids": int_array(person_ids)})


def _take_ids(tx: Transaction, count: int) -> list[int]:
    return [n for (n,) in tx.tuples(queries.take_subject_ids, {"count": count})] if count else []
