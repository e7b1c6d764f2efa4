"""What outsiders need to check that a person's points came in a push as they stand: the rows, and the digests of all its rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from gateway.contributions.digests import item_digest
from gateway.contributions.restate import KIND
from gateway.contributions.writing import EPOCH, MICROSECOND
from gateway.db import Transaction, load_queries
from schemas.evidence import Opening

queries = load_queries(__file__)


def open_contributions(
    tx: Transaction, person_id: int, holder_ids: Sequence[int], limit: int
) -> dict[tuple[str, str], Opening]:
    """By (kind, row id): each push that holds points of the person, or of their household as such. Other people's rows of the
    push appear as digests only. At most `limit` rows, the newest."""
    rows: defaultdict[str, list[Any]] = defaultdict(list)
    digests: dict[str, bytes] = {}
    params = {"person_id": person_id, "holder_ids": list(holder_ids), "limit": limit}
    for (batch_id, item_no, town, reference, kind, activity, category, holder_id, of_person_id, points_centi, at, on, reverses,
         period, content, kept) in tx.tuples(queries.list_rows_to_open, params):  # fmt: skip
        row = [item_no, reference, kind, activity, category, holder_id, of_person_id, points_centi, (at - EPOCH) // MICROSECOND,
               on.isoformat(), reverses or "", period or "", bytes(content).hex()]  # fmt: skip
        digests[batch_id] = joined = digests.get(batch_id) or bytes(kept)
        rows[batch_id].append([_place(joined, item_digest(town, batch_id, row)), row])
    return {
        (KIND, batch_id): Opening(attached={"digests": digests[batch_id].hex(), "items": items})
        for batch_id, items in rows.items()
    }


def _place(joined: bytes, digest: bytes) -> int:
    """Which of the push's digests it is; −1: none, the row was changed, and the verifier will say so."""
    at = joined.find(digest)
    while at > 0 and at % 32:
        at = joined.find(digest, at + 1)
    return at // 32 if at >= 0 else -1
