"""Whether every box still opens to what the log committed to: a changed box, salt or key id shows nowhere else."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.db import Transaction, load_queries
from gateway.objections.keeping import open_words
from gateway.objections.restate import committed
from schemas.crypto import KeyRing, Sealed
from schemas.errors import GatewayError
from schemas.records import RowFault

queries = load_queries(__file__)
PIECE = 500


def list_unopened(tx: Transaction, keys: KeyRing) -> Iterator[tuple[int, list[RowFault]]]:
    """Piece by piece: how many boxes were looked at, and which do not open to their commitment. Boxes of erased residents are
    empty, and of nobody else."""
    for piece in tx.stream(queries.list_boxes, chunk=PIECE):
        faults = []
        for table, row_id, key_id, box, salt, commitment, erased in piece:
            wrong = _wrong(keys, Sealed(key_id, bytes(box)), bytes(salt), bytes(commitment), erased=erased)
            if wrong:
                faults.append(RowFault(table, row_id, wrong, "what was committed to", "something else"))
        yield len(piece), faults


def _wrong(keys: KeyRing, sealed: Sealed, salt: bytes, commitment: bytes, *, erased: bool) -> str:
    if not sealed.box and not salt:
        return "" if erased else "sealed"
    try:
        words = open_words(keys, sealed)
    except (GatewayError, ValueError, TypeError):
        return "sealed"
    return "" if words is not None and committed(salt, words.content) == commitment else "salt"
