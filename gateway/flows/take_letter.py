"""A letter is taken out again, for the resident who lost it or for a regulator: who took it and why is recorded."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from gateway import evidence, objections
from gateway.house import House
from gateway.translog import append_records
from schemas.crypto import Sealed
from schemas.errors import NotFoundError


def take_letter(house: House, objection_id: UUID, *, by: str, reason: str, now: datetime) -> bytes:
    """The PDF as it was sent. Raises NotFoundError (no such objection, not answered, erased), InvalidError (no reason)."""
    with house.db.transaction() as tx:
        boxes = [
            (bytes(row.commitment), objections.open_words(house.keys, Sealed(row.key_id, bytes(row.sealed))))
            for row in objections.list_events(tx, objection_id)
        ]
        letters = [(committed, words.letter_hex) for committed, words in boxes if words and words.letter_hex]
        if not letters:
            raise NotFoundError("no letter is kept", where="objection_id", value=str(objection_id))
        # what stands for the letter is its salted commitment: a bare digest could be guessed from a name and our template
        commitment, letter_hex = letters[-1]
        export = evidence.Export(
            house.new_id(), "letter", str(objection_id), by, reason, commitment, 1, True, now
        )
        append_records(tx, [evidence.insert_export(tx, export)], now=now, new_id=house.new_id)
    return bytes.fromhex(letter_hex)
