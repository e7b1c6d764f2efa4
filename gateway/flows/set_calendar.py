"""The working days of a year are entered, as the State Council's notice has them."""

from __future__ import annotations

from datetime import datetime

from gateway import objections
from gateway.house import House
from gateway.translog import append_records
from schemas.workdays import CalendarYear


def set_calendar(house: House, years: list[CalendarYear], *, by: str, now: datetime) -> list[int]:
    """The years that were new or changed; each is a record. Entering a year twice is once. Raises InvalidError without `by`."""
    entered = []
    with house.db.transaction() as tx:
        for year in years:
            draft = objections.insert_calendar_year(tx, year, by=by, now=now, calendar_id=house.new_id())
            if draft is not None:
                append_records(tx, [draft], now=now, new_id=house.new_id)
                entered.append(year.year)
    return entered
