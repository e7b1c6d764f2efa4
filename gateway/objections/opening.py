"""What outsiders need to check the records of a person's objections: the words under each commitment."""

from __future__ import annotations

from gateway.db import Row, Transaction, load_queries
from gateway.objections.keeping import open_words
from gateway.objections.restate import EVENT, RECEIVED
from schemas.crypto import KeyRing, Sealed
from schemas.evidence import Opening

queries = load_queries(__file__)
MOST = 500


def open_objections(tx: Transaction, keys: KeyRing, person_id: int) -> dict[tuple[str, str], Opening]:
    """By (kind, row id). After erasure the records stand unopened."""
    openings: dict[tuple[str, str], Opening] = {}
    found = tx.all(queries.list_to_open, {"person_id": person_id, "limit": MOST})
    for row in found:
        openings[RECEIVED, row.objection_id] = _opening(keys, row)
    ids = [row.objection_id for row in found]
    for row in tx.all(queries.list_events_to_open, {"objection_ids": ids}):
        openings[EVENT, row.event_id] = _opening(keys, row)
    return openings


def _opening(keys: KeyRing, row: Row) -> Opening:
    sealed = Sealed(row.key_id, bytes(row.sealed))
    words = open_words(keys, sealed)
    return Opening() if words is None else Opening(bytes(row.salt), words.content)
