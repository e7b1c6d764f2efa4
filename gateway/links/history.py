"""What auditors read: when somebody linked an account, and when that ended."""

from __future__ import annotations

from datetime import datetime

from gateway.db import Transaction, load_queries
from schemas.audit import Happening

queries = load_queries(__file__)


def list_happenings(tx: Transaction, person_id: int, before: datetime, limit: int) -> list[Happening]:
    """Before an instant, newest first."""
    params = {"person_id": person_id, "before": before, "limit": limit}
    return [Happening(*row) for row in tx.tuples(queries.list_happenings, params)]
