"""Fields of towns' JSON messages: text, words from a list, resident ids, points, instants, days, yes or no.

Each field's `quick` is the rule itself; `explain` finds the words after it said no. Nothing personal is repeated.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from schemas.acceptor import Fault, WireField
from schemas.resident_id import accepted_resident_id, resident_id_fault

MAX_POINTS = 100_000
FIRST_YEAR, LAST_YEAR = 2015, 2100
REMEMBERED = 4096

# C0 and C1 controls, bidirectional and zero-width marks, line separators, interlinear marks, non-characters, lone surrogates.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)
_POINTS_TEXT = re.compile(r"(?:0|[1-9][0-9]{0,5})(?:\.[0-9]{1,2})?").fullmatch
_INSTANT = re.compile(
    r"2[01][0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
).fullmatch
_DAY = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}").fullmatch


class ExponentNumber(float):
    """A JSON number that was written with an exponent: not how points are written."""


def _json_kind(value: Any) -> str:
    names = {
        str: "a string",
        bool: "true or false",
        int: "a number",
        float: "a number",
        list: "an array",
        dict: "an object",
    }
    return next((name for kind, name in names.items() if isinstance(value, kind)), "null")


def _plain_check(max_chars: int) -> Callable[[Any], str | None]:
    unprintable = _UNPRINTABLE.search

    def quick(value: Any) -> str | None:
        if type(value) is not str or not 0 < len(value) <= max_chars:
            return None
        if not value.isprintable() and unprintable(value):
            return None
        return value if value == value.strip() else None

    return quick


def _pattern_check(pattern: str) -> Callable[[Any], str | None]:
    match = re.compile(pattern).fullmatch
    return lambda value: value if type(value) is str and match(value) else None


def _remembering(check: Callable[[Any], str | None]) -> Callable[[Any], str | None]:
    taken: dict[str, str] = {}

    def quick(value: Any) -> str | None:
        if type(value) is not str:
            return None
        if value in taken:
            return value
        found = check(value)
        if found is not None and len(taken) < REMEMBERED:
            taken[found] = found
        return found

    return quick


class Text(WireField):
    """Text of 1 to `max_chars` characters without control characters or outer spaces; `pattern` narrows it further.

    `few` says the same words come again and again (villages): what was taken once is remembered, up to a bound.
    """

    def __init__(
        self, max_chars: int, *, pattern: str | None = None, few: bool = False, **kwargs: Any
    ) -> None:
        plain = _pattern_check(pattern) if pattern else _plain_check(max_chars)
        super().__init__(quick=_remembering(plain) if few else plain, **kwargs)
        self.max_chars, self.pattern = max_chars, pattern

    def explain(self, value: Any) -> Fault:
        if type(value) is not str:
            return Fault("not-a-string", f"this is {_json_kind(value)}; a string is needed")
        if not value:
            return Fault("text-empty", "an empty string; leave an optional field out instead")
        if len(value) > self.max_chars:
            return Fault("text-too-long", f"{len(value)} characters; at most {self.max_chars} are taken")
        if _UNPRINTABLE.search(value):
            return Fault("text-control-character", "holds a control or invisible character; remove it")
        if value != value.strip():
            return Fault("text-outer-space", "begins or ends with a space; remove it")
        return Fault("text-pattern", f"does not look like {self.pattern}")

    def json_schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": self.max_chars}
        if self.pattern:
            schema["pattern"] = f"^{self.pattern}$"
        return schema


class Word(WireField):
    """One of a few words."""

    def __init__(self, words: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(
            quick=lambda value: value if type(value) is str and value in words else None, **kwargs
        )
        self.words = tuple(words)

    def explain(self, value: Any) -> Fault:
        return Fault("word-unknown", f"must be one of {', '.join(self.words)}")

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.words)}


def _resident_id(value: Any) -> str | None:
    return accepted_resident_id(value) if type(value) is str else None


class ResidentId(WireField):
    """A resident id (GB 11643); a lower-case x is taken and becomes X."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(quick=_resident_id, **kwargs)

    def explain(self, value: Any) -> Fault:
        if type(value) is not str:
            return Fault(
                "not-a-string", f"this is {_json_kind(value)}; a resident id is a string of 18 characters"
            )
        return Fault(*resident_id_fault(value))

    def json_schema(self) -> dict[str, Any]:
        return {
            "type": "string",
            "pattern": "^[1-8][0-9]{16}[0-9Xx]$",
            "description": "resident id, GB 11643: real birth date, check character",
        }


def _points_centi(value: Any) -> int | None:
    kind = type(value)
    if kind is int:
        return value * 100 if 0 < value <= MAX_POINTS else None
    if kind is float:
        centi = round(value * 100) if 0 < value <= MAX_POINTS else 0
        return centi if centi and centi / 100 == value else None
    if kind is str and _POINTS_TEXT(value):
        whole, _, part = value.partition(".")
        centi = int(whole) * 100 + (int(part.ljust(2, "0")) if part else 0)
        return centi if 0 < centi <= MAX_POINTS * 100 else None
    return None


class Points(WireField):
    """Points, as a JSON number or a decimal string with at most two decimals; loaded as integer 1/100 points."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(quick=_points_centi, **kwargs)

    def explain(self, value: Any) -> Fault:
        if isinstance(value, ExponentNumber) or (
            isinstance(value, str) and re.fullmatch(r"[0-9.+-]+[eE][0-9+-]+", value)
        ):
            return Fault("points-exponent", "written with an exponent; write the number out")
        if isinstance(value, str):
            if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value, re.ASCII) or len(value) > 40:
                return Fault(
                    "points-not-a-number",
                    "not a plain decimal such as 12 or 12.5 (no spaces, signs or full-width digits)",
                )
            number = Decimal(value)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            if isinstance(value, float) and not math.isfinite(value):
                return Fault(
                    "points-not-a-number", "not a finite number; write a plain decimal such as 12 or 12.5"
                )
            number = Decimal(repr(value))
        else:
            return Fault(
                "points-not-a-number", f"this is {_json_kind(value)}; points are a number or a decimal string"
            )
        if number <= 0:
            return Fault(
                "points-not-positive", "points must be above 0; `kind` says in which direction they go"
            )
        if number > MAX_POINTS:
            return Fault("points-too-many", f"more than {MAX_POINTS} points in one item")
        return Fault("points-decimals", "at most two decimals and no leading zeros")

    def json_schema(self) -> dict[str, Any]:
        return {
            "oneOf": [
                {"type": "number", "exclusiveMinimum": 0, "maximum": MAX_POINTS},
                {"type": "string", "pattern": r"^(0|[1-9][0-9]{0,5})(\.[0-9]{1,2})?$"},
            ],
            "description": "above 0, at most 100000, at most two decimals, no exponent",
        }


def _instant(value: Any) -> datetime | None:
    if type(value) is not str or not _INSTANT(value):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at if FIRST_YEAR <= at.year <= LAST_YEAR else None


class Instant(WireField):
    """RFC 3339 with an offset; fractions beyond microseconds are cut."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(quick=_instant, **kwargs)

    def explain(self, value: Any) -> Fault:
        if type(value) is not str:
            return Fault(
                "not-a-string",
                f"this is {_json_kind(value)}; an instant is a string such as 2026-05-01T08:30:00+08:00",
            )
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+", value):
            return Fault("instant-no-offset", "has no offset; add +08:00")
        try:
            year = datetime.fromisoformat(value).year
        except ValueError:
            return Fault("instant-unreadable", "not an RFC 3339 instant such as 2026-05-01T08:30:00+08:00")
        if not FIRST_YEAR <= year <= LAST_YEAR:
            return Fault("instant-out-of-range", f"the year must be from {FIRST_YEAR} to {LAST_YEAR}")
        return Fault("instant-unreadable", "not the RFC 3339 form 2026-05-01T08:30:00+08:00")

    def json_schema(self) -> dict[str, Any]:
        return {
            "type": "string",
            "format": "date-time",
            "description": "RFC 3339 with an offset, years 2015 to 2100",
        }


def _day(value: Any) -> date | None:
    if type(value) is not str or not _DAY(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


class Day(WireField):
    """A calendar day (Asia/Shanghai), yyyy-mm-dd."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(quick=_day, **kwargs)

    def explain(self, value: Any) -> Fault:
        return Fault("day-unreadable", "not a real day written yyyy-mm-dd")

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date"}


class Flag(WireField):
    """true or false, nothing else."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(quick=lambda value: value if type(value) is bool else None, **kwargs)

    def explain(self, value: Any) -> Fault:
        return Fault("not-a-flag", "must be true or false")

    def json_schema(self) -> dict[str, Any]:
        return {"type": "boolean"}
