"""What auditors read of staff: whom somebody looked at, how they signed in and were refused, how their account changed."""

from __future__ import annotations

from datetime import datetime

from gateway.db import Row, Transaction
from gateway.staff.accounts import queries
from schemas.audit import Happening


def list_look_happenings(tx: Transaction, person_id: int, before: datetime, limit: int) -> list[Happening]:
    """Who looked at a person before an instant, newest first; `detail` is why, `reference` the teller number."""
    params = {"person_id": person_id, "before": before, "limit": limit}
    return [Happening(*row) for row in tx.tuples(queries.list_look_happenings, params)]


def list_looks_by(
    tx: Transaction, staff_id: str, from_at: datetime, until_at: datetime, limit: int
) -> list[Row]:
    """Whom a member of staff looked at in [from_at, until_at), newest first; columns as in `list_looks`."""
    params = {"staff_id": staff_id, "from_at": from_at, "until_at": until_at, "limit": limit}
    return tx.all(queries.list_looks_by, params)


def list_events_by(
    tx: Transaction, staff_id: str, from_at: datetime, until_at: datetime, limit: int
) -> list[Row]:
    """Sign-ins, sign-outs, refusals in [from_at, until_at), newest first."""
    params = {"staff_id": staff_id, "from_at": from_at, "until_at": until_at, "limit": limit}
    return tx.all(queries.list_events_by, params)


def list_changes_of(tx: Transaction, staff_id: str, limit: int = 100) -> list[Row]:
    """How the account was made and changed, newest first."""
    return tx.all(queries.list_changes_of, {"staff_id": staff_id, "limit": limit})
