"""The town's words as they stand on the wire: nothing renamed, nothing unknown taken."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from adapters.wire_fields import Day, Flag, Points, ResidentId, Text, Word
from schemas.acceptor import Fault, WireField, WireSchema
from schemas.resident_id import born_on
from schemas.values import BEIJING, GUARDIAN_UNTIL_AGE, age_on

MAX_ROWS, MAX_PERSONS = 1000, 500
ROW_PATTERN = r"[A-Za-z0-9][A-Za-z0-9-]{0,31}"
_LOCAL_TIME = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}").fullmatch


def _local_time(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value).replace(tzinfo=BEIJING) if _LOCAL_TIME(value) else None
    except (TypeError, ValueError):
        return None


class LocalTime(WireField):
    """Beijing time without an offset, as the town's platform writes it: 2026-05-01 08:30:00."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(quick=_local_time, **kwargs)

    def explain(self, value: Any) -> Fault:
        return Fault("time-unreadable", "not a Beijing time written 2026-05-01 08:30:00")

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "description": "Beijing time, yyyy-mm-dd HH:MM:SS"}


class WholePoints(Points):
    """Points without a fraction."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        any_points = self.quick
        self.quick = lambda value: centi if (centi := any_points(value)) and centi % 100 == 0 else None


def _undo_names_row(how: str, undoes: str | None) -> tuple[str, Fault] | None:
    if (how == "undo") == (undoes is not None):
        return None
    return "UNDOES", Fault("undo-without-row", "undo names the ROW_NO it takes back, and only undo does")


class Row(WireSchema):
    """One row: points given, taken off, or taken back."""

    ROW_NO = Text(32, pattern=ROW_PATTERN, required=True)
    ACT = Text(32, few=True, required=True)
    HOW = Word(dict.fromkeys(("+", "-", "undo")), load_default="+")
    ID_CARD = ResidentId(required=True)
    SCORE = WholePoints(required=True)
    AT = LocalTime(required=True)
    UNDOES = Text(32, pattern=ROW_PATTERN, load_default=None)

    rules = ((_undo_names_row, ("HOW", "UNDOES")),)


def _guardian_for_a_child(id_card: str, since: Any, guardian: bool) -> tuple[str, Fault] | None:
    age = age_on(born_on(id_card), since)
    if age is None or age >= GUARDIAN_UNTIL_AGE or guardian:
        return None
    return "GUARDIAN", Fault("guardian-needed", "under 14 a guardian consents: set GUARDIAN (PIPL art. 31)")


class Person(WireSchema):
    """A person and what they consent to (PIPL art. 23 and 29). Without any consent nothing is kept."""

    ID_CARD = ResidentId(required=True)
    NAME = Text(64, required=True)
    PHONE = Text(20, pattern=r"\+?[0-9]{5,19}", load_default=None)
    VILLAGE = Text(64, required=True)
    SINCE = Day(required=True)
    LOAN_AT = LocalTime(load_default=None)
    GOODS_AT = LocalTime(load_default=None)
    WORDING = Text(32, required=True)
    GUARDIAN = Flag(load_default=False)

    rules = ((_guardian_for_a_child, ("ID_CARD", "SINCE", "GUARDIAN")),)


class Ending(WireSchema):
    """A person takes a consent back."""

    ID_CARD = ResidentId(required=True)
    WHAT = Word(dict.fromkeys(("loan", "goods")), required=True)
    AT = LocalTime(required=True)


Loaded = Mapping[str, Any]
