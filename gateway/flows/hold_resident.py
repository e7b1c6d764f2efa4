"""A legal hold: nothing of this resident is erased until it ends."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from gateway import subjects, translog
from gateway.house import House


def hold_resident(house: House, person_id: int, *, by: str, reason: str, now: datetime) -> UUID:
    """The hold's id. Errors: NotFoundError, InvalidError (who or why is missing)."""
    hold_id = house.new_id()
    with house.db.transaction() as tx:
        subjects.get_person(tx, person_id)
        record = subjects.insert_hold(tx, hold_id, person_id, by=by, reason=reason, now=now)
        translog.append_records(tx, [record], now=now, new_id=house.new_id)
    return hold_id
