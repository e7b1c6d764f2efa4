"""What a member of staff tried was refused (a forged form, a tampered price): a record in the log."""

from __future__ import annotations

from datetime import datetime

from gateway import staff
from gateway.house import House
from gateway.staff import StaffEvent
from gateway.translog import append_records
from schemas.staff import StaffCaller


def record_refusal(house: House, caller: StaffCaller, code: str, place: str, *, now: datetime) -> None:
    """Write who, where (the address rule, never what was typed) and why."""
    event = StaffEvent(caller.staff_id, "refused", caller.branch_no, caller.teller_no, code[:64], place[:200])
    with house.db.transaction() as tx:
        draft = staff.insert_event(tx, event, now=now, event_id=house.new_id())
        append_records(tx, [draft], now=now, new_id=house.new_id)
