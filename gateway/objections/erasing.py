"""When a resident is erased, their words, our answers and the salts go; rows, states, days and commitments stay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gateway.db import Transaction, int_array, load_queries

queries = load_queries(__file__)


def find_last_event_at(tx: Transaction, person_id: int) -> datetime | None:
    """When something last happened to an objection of the person."""
    found: datetime | None = tx.one(queries.find_last_event, {"person_id": person_id}).at
    return found


def erase_words(tx: Transaction, person_ids: Sequence[int]) -> int:
    """Empty every box of these persons; how many. Twice is once."""
    params = {"person_ids": int_array(person_ids)}
    return tx.run(queries.erase_objections, params) + tx.run(queries.erase_events, params)
