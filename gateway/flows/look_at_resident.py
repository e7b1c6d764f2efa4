"""An auditor begins to look at a resident: who, at whom and why is a record before anything is shown."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from gateway import staff, subjects
from gateway.house import House
from gateway.translog import append_records
from schemas.audit import AuditReason
from schemas.staff import StaffCaller


def look_at_resident(
    house: House, caller: StaffCaller, person_id: int, reason: AuditReason, *, now: datetime
) -> UUID:
    """The look's id, which opens the pages of this resident for this auditor while a session lasts. The one thing the audit desk
    causes to be written: as the application, never as the auditor. Raises NotFoundError."""
    look_id = house.new_id()
    with house.db.transaction() as tx:
        subjects.get_person(tx, person_id)
        draft = staff.insert_look(tx, caller, person_id, reason, now=now, look_id=look_id)
        append_records(tx, [draft], now=now, new_id=house.new_id)
    return look_id
