"""Terms count working days as the State Council's notices move them; what the calendar does not reach is refused."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.objections import packaged_years, read_calendar_year
from schemas.errors import InvalidError, RefusedError
from schemas.workdays import WorkCalendar

CALENDAR = WorkCalendar.of(packaged_years())


@pytest.mark.parametrize(
    ("from_on", "count", "due_on"),
    [
        (date(2026, 11, 24), 5, date(2026, 12, 1)),  # a Tuesday: over one weekend
        (date(2026, 11, 24), 20, date(2026, 12, 22)),
        (date(2026, 11, 27), 1, date(2026, 11, 30)),  # Friday to Monday
        (date(2026, 11, 28), 1, date(2026, 11, 30)),  # received on a Saturday
        (date(2026, 9, 29), 4, date(2026, 10, 10)),  # national holiday, and a Saturday that is worked
        (
            date(2026, 2, 13),
            2,
            date(2026, 2, 24),
        ),  # the Saturday before New Year is worked, then nine days off
        (date(2026, 2, 24), 5, date(2026, 3, 2)),  # 28 February is a worked Saturday
        (date(2026, 4, 3), 1, date(2026, 4, 7)),
        (date(2026, 4, 30), 3, date(2026, 5, 8)),
        (date(2026, 9, 18), 1, date(2026, 9, 20)),  # a Sunday that is worked
    ],
)
def test_terms_go_round_holidays(from_on: date, count: int, due_on: date) -> None:
    assert CALENDAR.add_working_days(from_on, count) == due_on


def test_the_year_has_the_working_days_of_the_notice() -> None:
    """365 days, 104 of them on weekends, 19 weekdays off, 6 weekend days worked."""
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
    assert sum(map(CALENDAR.is_working, days)) == 365 - 104 - 19 + 6


def test_where_the_calendar_ends_nothing_is_guessed() -> None:
    assert CALENDAR.last_on() == date(2026, 12, 31)
    with pytest.raises(RefusedError) as refused:
        CALENDAR.add_working_days(date(2026, 12, 28), 5)
    assert refused.value.code == "calendar-ends"
    assert "2027" in str(refused.value)
    with pytest.raises(RefusedError):
        WorkCalendar().add_working_days(date(2026, 1, 1), 1)


@given(st.integers(0, 330), st.integers(1, 20))
def test_a_term_is_so_many_working_days_and_ends_on_one(offset_days: int, count: int) -> None:
    from_on = date(2026, 1, 1) + timedelta(days=offset_days)
    due_on = CALENDAR.add_working_days(from_on, count)
    between = [from_on + timedelta(days=n) for n in range(1, (due_on - from_on).days + 1)]
    assert CALENDAR.is_working(due_on)
    assert sum(map(CALENDAR.is_working, between)) == count


GOOD = "year: 2027\nreference: an invented notice\nholidays: [2027-01-01]\nworkdays: [2027-01-02]\n"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (GOOD.replace("2027-01-02", "2027-01-04"), "workdays[0]"),  # a Monday is worked anyway
        (GOOD.replace("[2027-01-01]", "[2027-01-01, 2027-01-03]"), "holidays[1]"),  # a Sunday is off anyway
        (GOOD.replace("2027-01-01", "2026-01-01"), "holidays[0]"),
        (GOOD.replace("2027-01-01", "new year"), "holidays[0]"),
        (GOOD.replace("[2027-01-01]", "[2027-01-01, 2027-01-01]"), "holidays"),
        (GOOD.replace("an invented notice", "''"), "reference"),
        (GOOD.replace("year: 2027", "year: soon"), "year"),
        (GOOD + "more: 1\n", "$"),
        ("{", "$"),
    ],
)
def test_a_wrong_calendar_is_refused_by_its_place(text: str, where: str) -> None:
    assert read_calendar_year(GOOD).year == 2027
    with pytest.raises(InvalidError) as refused:
        read_calendar_year(text)
    assert refused.value.where == where
