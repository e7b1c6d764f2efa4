"""Working days: a dated table of holidays and make-up working days, and counting in it. What the table does not reach is an
error, never a guess: China moves working days by a yearly notice of the State Council."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from schemas.errors import RefusedError

_SATURDAY = 5
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CalendarYear:
    """One year: days off on weekdays, working days on weekends, and the notice that says so."""

    year: int
    reference: str
    holidays: frozenset[date]
    workdays: frozenset[date]  # 调休上班: weekend days that are worked


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """The years that are known."""

    years: Mapping[int, CalendarYear] = field(default_factory=dict)

    @classmethod
    def of(cls, years: Iterable[CalendarYear]) -> WorkCalendar:
        """From years, the last of each counts."""
        return cls({one.year: one for one in years})

    def is_working(self, on: date) -> bool:
        """Whether that day is worked. Raises RefusedError (code calendar-ends) for a year that is not known."""
        year = self.years.get(on.year)
        if year is None:
            raise RefusedError(
                f"the calendar of working days does not reach {on.isoformat()}",
                code="calendar-ends",
                where="calendar",
                value=on.year,
                remedy=f"enter the State Council's notice for {on.year}: `gateway objection calendar FILE`",
            )
        return on in year.workdays or (on.weekday() < _SATURDAY and on not in year.holidays)

    def add_working_days(self, from_on: date, count: int) -> date:
        """The `count`-th working day after `from_on`; that day itself is not counted (Civil Code art. 201). Raises as above."""
        on = from_on
        while count > 0:
            on += _DAY
            count -= self.is_working(on)
        return on

    def last_on(self) -> date | None:
        """The last day of the unbroken run of years from the first known one; None when nothing is known."""
        if not self.years:
            return None
        year = min(self.years)
        while year + 1 in self.years:
            year += 1
        return date(year, 12, 31)
