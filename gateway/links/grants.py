"""Links and their grants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import orjson

from gateway.db import Row, Transaction, int_array, load_queries
from schemas.crypto import KeyRing, Sealed
from schemas.values import PersonId, TownCode

queries = load_queries(__file__)
SEAL_PURPOSE = "link grant"


class Link(NamedTuple):
    """An account linked now."""

    link_id: UUID
    linked_at: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """A grant in the clear: on the way to the town, never into a log."""

    link_id: UUID
    town: TownCode
    person_id: PersonId
    account: str = field(repr=False)
    refresh_token: str = field(repr=False)
    history_cursor: str = ""


def find_link(tx: Transaction, town: TownCode, person_id: int) -> Link | None:
    """The link in force of a person at a town."""
    row = tx.find(queries.find_link, {"town": town, "person_id": person_id})
    return Link(row.link_id, row.linked_at) if row else None


def insert_link(tx: Transaction, keys: KeyRing, held: Held, *, now: datetime) -> tuple[UUID, bool]:
    """Link an account; when the person's is linked already, that link gets the new grant. The link, and whether it is new."""
    standing = find_link(tx, held.town, held.person_id)
    link_id = standing.link_id if standing else held.link_id
    sealed = _seal(keys, held.account, held.refresh_token)
    who = {"link_id": link_id, "town": held.town, "person_id": held.person_id, "now": now}
    if standing is None:
        tx.run(queries.insert_link, who)
    tx.run(queries.write_grant, {**who, "key_id": sealed.key_id, "sealed": sealed.box})
    return link_id, standing is None


def end_link(tx: Transaction, town: TownCode, person_id: int, ended_by: str, *, now: datetime) -> UUID | None:
    """The link ends; its grant waits to be revoked. None: there was no link."""
    params = {"town": town, "person_id": person_id, "ended_by": ended_by, "now": now}
    row = tx.find(queries.end_link, params)
    if row is None:
        return None
    tx.run(queries.end_grant, {"link_id": row.link_id, "now": now})
    return UUID(str(row.link_id))


def list_accounts(
    tx: Transaction, keys: KeyRing, town: TownCode, person_ids: Sequence[int]
) -> dict[PersonId, str]:
    """Person → the town's name for them (an openid), of those whose account is linked."""
    rows = tx.all(queries.list_accounts, {"town": town, "person_ids": int_array(person_ids)})
    return {held.person_id: held.account for held in (_open(keys, row) for row in rows)}


def list_histories(tx: Transaction, keys: KeyRing, town: TownCode, limit: int) -> list[Held]:
    """Grants whose resident's earlier changes are still to be fetched, oldest first."""
    return [_open(keys, row) for row in tx.all(queries.list_histories, {"town": town, "limit": limit})]


def list_grants_to_renew(
    tx: Transaction, keys: KeyRing, town: TownCode, renewed_before: datetime, limit: int
) -> list[Held]:
    """Grants in force that were not renewed since then, oldest first."""
    params = {"town": town, "renewed_before": renewed_before, "limit": limit}
    return [_open(keys, row) for row in tx.all(queries.list_grants_to_renew, params)]


def list_ended_grants(tx: Transaction, keys: KeyRing, town: TownCode, limit: int) -> list[Held]:
    """Grants of ended links that the town was not yet told of."""
    return [_open(keys, row) for row in tx.all(queries.list_ended_grants, {"town": town, "limit": limit})]


def find_ended_grant(tx: Transaction, keys: KeyRing, link_id: UUID) -> Held | None:
    """The grant of a link that ended, which the town was not yet told of."""
    row = tx.find(queries.find_ended_grant, {"link_id": link_id})
    return _open(keys, row) if row else None


def lock_grant(tx: Transaction, keys: KeyRing, link_id: UUID) -> Held | None:
    """The grant, held until the transaction ends; None when it is gone or its link ended."""
    row = tx.find(queries.lock_grant, {"link_id": link_id})
    return _open(keys, row) if row else None


def write_renewed(tx: Transaction, keys: KeyRing, held: Held, *, now: datetime) -> None:
    """The new refresh token in place of the old."""
    sealed = _seal(keys, held.account, held.refresh_token)
    params = {"link_id": held.link_id, "key_id": sealed.key_id, "sealed": sealed.box, "now": now}
    tx.run(queries.write_renewed, params)


def write_history(tx: Transaction, link_id: UUID, cursor: str, done_at: datetime | None) -> None:
    """How far the resident's earlier changes were fetched."""
    tx.run(queries.write_history, {"link_id": link_id, "cursor": cursor, "done_at": done_at})


def delete_grant(tx: Transaction, link_id: UUID) -> None:
    """The town was told: nothing of the grant stays."""
    tx.run(queries.delete_grant, {"link_id": link_id})


def _seal(keys: KeyRing, account: str, refresh_token: str) -> Sealed:
    return keys.seal(orjson.dumps({"account": account, "refresh_token": refresh_token}), SEAL_PURPOSE)


def _open(keys: KeyRing, row: Row) -> Held:
    plain = orjson.loads(keys.open(Sealed(row.key_id, bytes(row.sealed)), SEAL_PURPOSE))
    return Held(
        UUID(str(row.link_id)),
        TownCode(row.town),
        PersonId(row.person_id),
        plain["account"],
        plain["refresh_token"],
        row.history_cursor,
    )
