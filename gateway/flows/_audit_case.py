"""A case: one auditor's recorded look at one resident. Every page about a resident stands on one: none is unrecorded.

The look's id is what addresses carry: no number of a person does, and nobody else's look opens anything.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from gateway import staff, subjects
from gateway.db import Transaction
from gateway.house import House
from schemas.errors import ForbiddenError, RefusedError
from schemas.staff import StaffCaller


class Case(NamedTuple):
    """Who is looked at and why. `holder_ids`: the person and every household they belong or belonged to."""

    look_id: UUID
    person_id: int
    reason: str
    looked_at: datetime
    holder_ids: list[int]

    @property
    def households(self) -> list[int]:
        """The households among the holders."""
        return self.holder_ids[1:]


def open_case(house: House, tx: Transaction, caller: StaffCaller, look_id: UUID, now: datetime) -> Case:
    """The case of a look. Two statements. Errors: NotFoundError; ForbiddenError for somebody else's look; RefusedError for one
    that is older than a session lasts: the reason is to be given anew."""
    look = staff.get_look(tx, look_id)
    if look.staff_id != str(caller.staff_id):
        raise ForbiddenError("this look is somebody else's", code="look-of-another", where="look")
    if look.looked_at + timedelta(seconds=house.config.staff_session_s) <= now:
        raise RefusedError(
            "this look is too old to go on with",
            code="look-over",
            where="look",
            remedy="search again and say why",
        )
    households = subjects.list_households_of(tx, [look.person_id])
    return Case(look_id, look.person_id, look.reason, look.looked_at, [look.person_id, *map(int, households)])
