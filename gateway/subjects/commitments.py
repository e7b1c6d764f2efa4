"""Whether each person's salt still opens the commitment that records in the log hold.

The only check of the log that needs the key of the personal data. Nothing personal leaves it: a fault says number and column.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date

import orjson

from gateway.db import Transaction, load_queries
from gateway.subjects.identity import SEAL_PURPOSE
from schemas.crypto import KeyRing, Sealed
from schemas.errors import TamperedError
from schemas.records import RowFault
from schemas.resident_id import born_on

queries = load_queries(__file__)
PIECE = 2000


def list_unopened(tx: Transaction, keys: KeyRing) -> Iterator[tuple[int, list[RowFault]]]:
    """Piece by piece: how many persons were looked at, and whose salt, commitment or sealed identity do not belong together.

    Erased persons have none of them, and are left out. About 20 microseconds a person.
    """
    for piece in tx.stream(queries.list_openings, chunk=PIECE):
        faults = []
        for person_id, key_id, box, salt, commitment, birth_on in piece:
            wrong = _wrong(keys, Sealed(key_id, bytes(box)), bytes(salt), bytes(commitment), birth_on)
            if wrong:
                faults.append(
                    RowFault("person", f"person_id {person_id}", wrong[0], wrong[1], "something else")
                )
        yield len(piece), faults


def _wrong(
    keys: KeyRing, sealed: Sealed, salt: bytes, commitment: bytes, birth_on: date | None
) -> tuple[str, str] | None:
    """(columns, what they should be) of a person that does not hold together."""
    try:
        id_no = orjson.loads(keys.open(sealed, SEAL_PURPOSE))["id_no"]
    except (TamperedError, ValueError, KeyError, TypeError, IndexError):
        return "sealed, key_id", "an identity that opens with its key"
    if hashlib.sha256(salt + id_no.encode()).digest() != commitment:
        return "salt, commitment", "a salt that opens the commitment in the log"
    if birth_on != born_on(id_no):
        return "birth_on", "the day in the sealed resident id"
    return None
