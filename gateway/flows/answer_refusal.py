"""A person found out why a witness would not sign, and says so; publication goes on from there."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from gateway.house import House
from gateway.translog import insert_refusal_answer


def answer_refusal(house: House, refusal_id: UUID, *, by: str, reason: str, now: datetime) -> None:
    """Recorded in the log with who answered. Raises ConflictError when there is no such open refusal, InvalidError without a
    reason."""
    with house.db.transaction() as tx:
        insert_refusal_answer(tx, refusal_id, by=by, reason=reason, now=now, new_id=house.new_id)
