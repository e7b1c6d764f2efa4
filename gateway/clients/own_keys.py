"""Our own keys and certificates, and our witnesses' keys: when each began and ended here, for the log."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from gateway.db import Transaction, load_queries
from schemas.records import RecordBody, RecordDraft
from schemas.values import instant_text

queries = load_queries(__file__)

KIND: Final = "own_key_changed"


class OwnKey(NamedTuple):
    """A key in use: what for, and its public form (a verifier key, a JWK thumbprint, SHA-256 of a certificate)."""

    purpose: str
    public_key: str


def insert_key_changes(
    tx: Transaction, present: Collection[OwnKey], *, now: datetime, new_id: Callable[[], UUID]
) -> list[RecordDraft]:
    """Compare what is in use with what was; write what began and what ended, and give the records. Twice is once."""
    tx.run(queries.lock_own_keys)
    standing = {OwnKey(*row) for row in tx.tuples(queries.list_standing_keys)}
    begun = [(one, "begun") for one in sorted(set(present) - standing)]
    ended = [(one, "ended") for one in sorted(standing - set(present))]
    drafts = []
    for one, change in begun + ended:
        change_id = str(new_id())
        tx.run(
            queries.insert_key_change, {"change_id": change_id, **one._asdict(), "change": change, "now": now}
        )
        drafts.append(RecordDraft(KIND, change_id, list_key_bodies(tx, [change_id])[change_id]))
    return drafts


def list_key_bodies(tx: Transaction, change_ids: Sequence[str]) -> dict[str, RecordBody]:
    """What the log says of these changes, from their rows."""
    return {
        row.change_id: {
            "purpose": row.purpose,
            "public_key": row.public_key,
            "change": row.change,
            "changed_at": instant_text(row.changed_at),
        }
        for row in tx.all(queries.restate_key_changes, {"row_ids": list(change_ids)})
    }
