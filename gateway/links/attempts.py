"""A resident on the way to the town and back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import orjson

from gateway.db import Transaction, load_queries
from schemas.crypto import KeyRing, Sealed
from schemas.feeds import EntryIdentity
from schemas.values import Purpose, TownCode

queries = load_queries(__file__)
SEAL_PURPOSE = "link attempt"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What must be known when the resident comes back."""

    attempt_id: UUID
    town: TownCode
    entry_id: UUID
    identity: EntryIdentity = field(repr=False)
    purposes: tuple[Purpose, ...]
    code_verifier: str = field(repr=False)
    nonce: str = field(repr=False)
    language: str
    begun_at: datetime
    expires_at: datetime


def insert_attempt(
    tx: Transaction, keys: KeyRing, attempt: Attempt, *, state_digest: bytes, session_digest: bytes
) -> None:
    """Keep an attempt; those before it with the same entry end: of several tabs, the last one counts."""
    identity = attempt.identity
    plain = {
        "id_no": identity.id_no, "name": identity.name, "phone": identity.phone, "purposes": list(attempt.purposes),
        "code_verifier": attempt.code_verifier, "nonce": attempt.nonce, "language": attempt.language,
    }  # fmt: skip
    sealed = keys.seal(orjson.dumps(plain), SEAL_PURPOSE)
    tx.run(queries.supersede_attempts, {"entry_id": attempt.entry_id, "now": attempt.begun_at})
    tx.run(
        queries.insert_attempt,
        {
            "attempt_id": attempt.attempt_id, "town": attempt.town, "entry_id": attempt.entry_id,
            "state_digest": state_digest, "session_digest": session_digest, "key_id": sealed.key_id,
            "sealed": sealed.box, "begun_at": attempt.begun_at, "expires_at": attempt.expires_at,
        },
    )  # fmt: skip


def take_attempt(
    tx: Transaction,
    keys: KeyRing,
    town: TownCode,
    state_digest: bytes,
    session_digest: bytes,
    *,
    now: datetime,
) -> Attempt | None:
    """The open attempt with this state, of this browser; taken from now on, whatever comes of it. None: there is none."""
    params = {"town": town, "state_digest": state_digest, "session_digest": session_digest, "now": now}
    row = tx.find(queries.take_attempt, params)
    if row is None:
        return None
    plain = orjson.loads(keys.open(Sealed(row.key_id, bytes(row.sealed)), SEAL_PURPOSE))
    tx.run(queries.empty_attempt, {"attempt_id": row.attempt_id})
    return Attempt(
        row.attempt_id,
        town,
        row.entry_id,
        EntryIdentity(plain["id_no"], plain["name"], plain["phone"]),
        tuple(Purpose(p) for p in plain["purposes"]),
        plain["code_verifier"],
        plain["nonce"],
        plain["language"],
        row.begun_at,
        row.expires_at,
    )


def mark_outcome(tx: Transaction, attempt_id: UUID, outcome: str) -> None:
    """What became of a taken attempt: 'linked', or the code of the refusal."""
    tx.run(queries.mark_outcome, {"attempt_id": attempt_id, "outcome": outcome})


def count_attempts(tx: Transaction, entry_id: UUID) -> int:
    """How often this entry was tried."""
    return int(tx.one(queries.count_attempts, {"entry_id": entry_id}).count)


def is_entry_used(tx: Transaction, entry_id: UUID) -> bool:
    """Whether an account was linked with this entry."""
    return tx.find(queries.find_linked, {"entry_id": entry_id}) is not None


def expire_attempts(tx: Transaction, *, now: datetime) -> int:
    """Of those that never came back, nothing personal stays; returns how many."""
    return tx.run(queries.expire_attempts, {"now": now})


def delete_old_attempts(tx: Transaction, before: datetime) -> int:
    """Forget attempts that began before; returns how many."""
    return tx.run(queries.delete_old_attempts, {"before": before})
