"""What auditors read: what happened in somebody's redemptions, and which ones a clerk opened. Each list is bounded."""

from __future__ import annotations

from datetime import datetime

from gateway.db import Row, Transaction, load_queries
from schemas.audit import Happening

queries = load_queries(__file__)


def list_happenings(tx: Transaction, person_id: int, before: datetime, limit: int) -> list[Happening]:
    """Events of the person's redemptions before an instant, newest first; `detail` is the teller number."""
    params = {"person_id": person_id, "before": before, "limit": limit}
    return [Happening(*row) for row in tx.tuples(queries.list_happenings, params)]


def list_of_clerk(
    tx: Transaction, staff_id: str, from_at: datetime, until_at: datetime, limit: int
) -> list[Row]:
    """Redemptions that somebody opened in [from_at, until_at), newest first."""
    params = {"staff_id": staff_id, "from_at": from_at, "until_at": until_at, "limit": limit}
    return tx.all(queries.list_of_clerk, params)
