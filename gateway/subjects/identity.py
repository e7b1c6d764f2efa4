"""Opening and finding identities.

What is returned here is personal (C2): it goes out to the bank or onto a masked screen, never into a log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from gateway.db import Transaction, int_array, load_queries
from schemas.crypto import KeyRing, Sealed
from schemas.errors import NotFoundError
from schemas.values import PersonId, TownCode

queries = load_queries(__file__)
SEAL_PURPOSE = "person"


@dataclass(frozen=True, slots=True)
class Identity:
    """A resident in the clear. `repr` shows nothing."""

    person_id: PersonId
    id_no: str = field(repr=False)
    name: str = field(repr=False)
    phone: str | None = field(repr=False)


def seal_identity(keys: KeyRing, id_no: str, name: str, phone: str | None) -> Sealed:
    """The sealed form kept in `person.sealed`."""
    return keys.seal(orjson.dumps({"id_no": id_no, "name": name, "phone": phone}), SEAL_PURPOSE)


def list_identities(tx: Transaction, keys: KeyRing, person_ids: Sequence[int]) -> dict[PersonId, Identity]:
    """Identities by person id; persons that do not exist or were erased are absent."""
    found: dict[PersonId, Identity] = {}
    for person_id, key_id, box in tx.tuples(queries.list_sealed, {"person_ids": int_array(person_ids)}):
        if not box:
            continue  # erased
        plain = orjson.loads(keys.open(Sealed(key_id, bytes(box)), SEAL_PURPOSE))
        found[PersonId(person_id)] = Identity(
            PersonId(person_id), plain["id_no"], plain["name"], plain["phone"]
        )
    return found


def get_identity(tx: Transaction, keys: KeyRing, person_id: int) -> Identity:
    """One identity. Raises NotFoundError."""
    found = list_identities(tx, keys, [person_id])
    if PersonId(person_id) not in found:
        raise NotFoundError("no such resident", where="person_id", value=person_id)
    return found[PersonId(person_id)]


def find_person(tx: Transaction, keys: KeyRing, id_no: str) -> PersonId | None:
    """The person with this resident id (upper-case X), or None."""
    digest = keys.lookup_digest("id_no", id_no)
    row = tx.find(queries.find_person, {"kind": "id_no", "town": "", "digest": digest})
    return PersonId(row.person_id) if row else None


def find_people_by_phone(tx: Transaction, keys: KeyRing, phone: str) -> list[PersonId]:
    """Everybody who gave this phone number: a family may share one."""
    params = {"kind": "phone", "town": "", "digest": keys.lookup_digest("phone", phone)}
    return [PersonId(person_id) for (person_id,) in tx.tuples(queries.find_people_by, params)]


def find_person_by_account(tx: Transaction, keys: KeyRing, town: TownCode, account: str) -> PersonId | None:
    """The person a town knows by this name of its own (an openid), or None."""
    digest = keys.lookup_digest("openid", account)
    row = tx.find(queries.find_person, {"kind": "openid", "town": town, "digest": digest})
    return PersonId(row.person_id) if row else None


def get_person(tx: Transaction, person_id: int) -> PersonId:
    """That there is such a person. Raises NotFoundError."""
    if not tx.tuples(queries.list_sealed, {"person_ids": int_array([person_id])}):
        raise NotFoundError("no such resident", where="person_id", value=person_id)
    return PersonId(person_id)
