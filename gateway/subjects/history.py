"""What auditors read of a person's standing: consents, memberships, marks, restriction, erasure, holds. Ids and codes only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gateway.db import Transaction, int_array, load_queries
from schemas.audit import Happening

queries = load_queries(__file__)


def list_happenings(
    tx: Transaction, person_id: int, holder_ids: Sequence[int], before: datetime, limit: int
) -> list[Happening]:
    """Before an instant, newest first."""
    params = {
        "person_id": person_id,
        "holder_ids": int_array(holder_ids),
        "before": before,
        "limit": limit,
    }
    return [Happening(*row) for row in tx.tuples(queries.list_happenings, params)]
