"""What auditors read: one contribution by a town's reference, and what somebody contributed. Each list is bounded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from gateway.db import Row, Transaction, int_array, load_queries
from schemas.audit import Happening

queries = load_queries(__file__)
SAME_DAY = 500  # the index is by day: so many more are read, because within a day the order is another


def list_by_reference(tx: Transaction, towns: Sequence[str], reference: str) -> list[Row]:
    """The contributions that these towns sent under this reference: at most one each."""
    return tx.all(queries.list_by_reference, {"towns": "\n".join(towns), "reference": reference})


def list_happenings(
    tx: Transaction, person_id: int, holder_ids: Sequence[int], before: datetime, limit: int
) -> list[Happening]:
    """What the person contributed, and what their households did as such, before an instant, newest first."""
    params = {
        "person_id": person_id,
        "holder_ids": int_array(holder_ids),
        "before": before,
        "limit": limit,
        "most": limit + SAME_DAY,
    }
    return [Happening(*row) for row in tx.tuples(queries.list_happenings, params)]


def list_of_batch(tx: Transaction, batch_id: UUID, holder_ids: Sequence[int], limit: int) -> list[Row]:
    """What one push brought these holders, in its order."""
    params = {"batch_id": batch_id, "holder_ids": int_array(holder_ids), "limit": limit}
    return tx.all(queries.list_of_batch, params)
