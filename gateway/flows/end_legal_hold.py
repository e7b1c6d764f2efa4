"""A legal hold ends; what was due is erased by the next run."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from gateway import subjects, translog
from gateway.house import House


def end_legal_hold(house: House, hold_id: UUID, *, by: str, reason: str, now: datetime) -> None:
    """Errors: NotFoundError, ConflictError (ended before), InvalidError (who or why is missing)."""
    with house.db.transaction() as tx:
        record = subjects.end_legal_hold(tx, hold_id, by=by, reason=reason, now=now)
        translog.append_records(tx, [record], now=now, new_id=house.new_id)
