"""The calendar of working days: years as files, and as rows that are never edited."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml

from gateway.db import Transaction, load_queries
from gateway.objections.restate import calendar_record
from schemas.errors import InvalidError
from schemas.records import RecordDraft
from schemas.workdays import CalendarYear, WorkCalendar

queries = load_queries(__file__)
_SATURDAY = 5


def packaged_years() -> list[CalendarYear]:
    """The years that come with the gateway."""
    folder = Path(__file__).parent
    return [read_calendar_year(path.read_text("utf-8")) for path in sorted(folder.glob("workdays_*.yaml"))]


def read_calendar_year(text: str) -> CalendarYear:
    """A year from YAML {year, reference, holidays, workdays}. Raises InvalidError that names the day and the fault."""
    try:
        said = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as exc:
        raise _wrong("the file is no YAML", "$", type(exc).__name__) from None
    if not isinstance(said, dict) or set(said) != {"year", "reference", "holidays", "workdays"}:
        raise _wrong("a year has year, reference, holidays, workdays and nothing else", "$", "")
    year, reference = said["year"], said["reference"]
    if type(year) is not int or not 2000 <= year <= 2200:
        raise _wrong("a year is a number like 2026", "year", year)
    if not isinstance(reference, str) or not reference.strip():
        raise _wrong("say which notice the days come from", "reference", reference)
    holidays = _days(said["holidays"], "holidays", year, weekend=False)
    workdays = _days(said["workdays"], "workdays", year, weekend=True)
    return CalendarYear(year, reference.strip(), holidays, workdays)


def _days(said: Any, where: str, year: int, *, weekend: bool) -> frozenset[date]:
    if not isinstance(said, list):
        raise _wrong("a list of days is wanted", where, type(said).__name__)
    for at, day in enumerate(said):
        if type(day) is not date:
            raise _wrong("a day is written as 2026-01-01", f"{where}[{at}]", day)
        if day.year != year:
            raise _wrong("the day is of another year", f"{where}[{at}]", day)
        if (day.weekday() >= _SATURDAY) is not weekend:
            words = "a make-up working day is on a weekend" if weekend else "a holiday here is a weekday"
            raise _wrong(words, f"{where}[{at}]", day)
    if len(set(said)) != len(said):
        raise _wrong("a day stands twice", where, "")
    return frozenset(said)


def _wrong(what: str, where: str, value: object) -> InvalidError:
    return InvalidError(what, code="calendar-wrong", where=where, value=str(value)[:40])


def get_calendar(tx: Transaction) -> WorkCalendar:
    """Every year known; of a year entered twice the newest."""
    return WorkCalendar.of(
        CalendarYear(row.year, row.reference, _set(row.holidays), _set(row.workdays))
        for row in tx.all(queries.list_calendar_years)
    )


def _set(days: list[str]) -> frozenset[date]:
    return frozenset(map(date.fromisoformat, days))


def insert_calendar_year(
    tx: Transaction, year: CalendarYear, *, by: str, now: datetime, calendar_id: UUID
) -> RecordDraft | None:
    """Enter a year; None when it stands so already. Raises InvalidError without who enters it."""
    if not by.strip():
        raise InvalidError("say who enters the calendar", where="by")
    if get_calendar(tx).years.get(year.year) == year:
        return None
    row = (
        calendar_id,
        year.year,
        year.reference,
        sorted(d.isoformat() for d in year.holidays),
        sorted(d.isoformat() for d in year.workdays),
        by,
        now,
    )
    names = ("calendar_id", "year", "reference", "holidays", "workdays", "by", "now")
    tx.run(queries.insert_calendar_year, dict(zip(names, row, strict=True)))
    return calendar_record(row)
