"""A clerk looks at what a resident has had, with what happened to each: why is recorded, as with every look."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from gateway import redemptions, staff, subjects
from gateway.db import Row
from gateway.house import House
from gateway.translog import append_records
from schemas.masking import masked_id_no, masked_name
from schemas.redemptions import LookReason
from schemas.staff import StaffCaller

MOST = 50


@dataclass(frozen=True, slots=True)
class HistoryView:
    """Newest first, at most 50; each redemption with its events, oldest first. Persons are masked."""

    person_id: int
    masked_name: str = field(repr=False)
    masked_id_no: str = field(repr=False)
    entries: tuple[tuple[Row, tuple[Row, ...]], ...]


def inspect_history(
    house: House, caller: StaffCaller, person_id: int, reason: LookReason, *, now: datetime
) -> HistoryView:
    """A resident's redemptions at every branch. Raises NotFoundError."""
    with house.db.transaction() as tx:
        identity = subjects.get_identity(tx, house.keys, person_id)
        draft = staff.insert_look(tx, caller, person_id, reason, now=now, look_id=house.new_id())
        append_records(tx, [draft], now=now, new_id=house.new_id)
        rows = redemptions.list_of_person(tx, person_id, MOST)
        events = redemptions.list_timelines(tx, [row.redemption_id for row in rows])
    entries = tuple((row, tuple(events[row.redemption_id])) for row in rows)
    return HistoryView(person_id, masked_name(identity.name), masked_id_no(identity.id_no), entries)
