"""What the log holds a contribution row to. Alone in its file because outsiders' verifier carries it too: it is computed once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any


def item_digest(town: str, batch_id: str, row: Sequence[Any]) -> bytes:
    """SHA-256 (32 bytes) over one contribution row as stored: what the log holds the row to.

    `row` is (item_no, reference, kind, activity, category, holder_id, person_id, points_centi, occurred_at as microseconds
    since 1970, occurred_on as text, reverses or '', period or '', content digest in hex). Fields are joined by U+001F.
    """
    return hashlib.sha256("\x1f".join((town, batch_id, *map(str, row))).encode()).digest()
