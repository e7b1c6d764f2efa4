"""The scalars of a ruleset document, each with errors that say what to do. Fractions are decimal text, never floats."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from marshmallow import ValidationError, fields


class Complaint(NamedTuple):
    """What is wrong and what to do. Where and which value are added by whoever knows the path."""

    what: str
    remedy: str


def refuse(what: str, remedy: str) -> ValidationError:
    """A validation error that carries a Complaint."""
    return ValidationError([Complaint(what, remedy)])


_MISSING = Complaint("is missing", "add it")


class _Scalar(fields.Field[Any]):
    missing = _MISSING

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        empty: Any = [Complaint("is empty", "give a value, or leave the word out")]
        absent: Any = [self.missing]
        self.error_messages.update(required=absent, null=empty)


class Whole(_Scalar):
    """An integer from `low` to `high`. Booleans and text are refused."""

    def __init__(self, low: int, high: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.low, self.high = low, high

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> int:
        if type(value) is not int:
            raise refuse("is not a whole number", f"write a whole number from {self.low} to {self.high}")
        if not self.low <= value <= self.high:
            raise refuse("is out of range", f"write a whole number from {self.low} to {self.high}")
        return value


_HUNDREDTHS = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,2}))?")


class Hundredths(_Scalar):
    """A decimal with at most two places, kept as an integer of hundredths: points, CNY, percent."""

    def __init__(self, unit: str, low: int, high: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.unit, self.low, self.high = unit, low, high

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> int:
        text = str(value) if type(value) in (int, str) else ""
        match = _HUNDREDTHS.fullmatch(text)
        between = f"from {_plain(self.low)} to {_plain(self.high)}"
        allowed = f"write {self.unit} {between} with at most two decimals, such as 100 or 2.5"
        if match is None:
            raise refuse(f"is not a number of {self.unit}", allowed)
        hundredths = int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))
        if not self.low <= hundredths <= self.high:
            raise refuse("is out of range", allowed)
        return hundredths


def _plain(hundredths: int) -> str:
    return format((Decimal(hundredths) / 100).normalize(), "f")


class Day(_Scalar):
    """A calendar day: a YAML date or its ISO text."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> date:
        if type(value) is date:
            return value
        try:
            if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
                return date.fromisoformat(value)
        except ValueError:
            pass
        raise refuse("is not a date", "write a day of the calendar as 2026-11-01, without a time")


class Words(_Scalar):
    """Text of 1 to `most` characters, trimmed, on one line unless it is a reference."""

    def __init__(self, most: int, pattern: str = "", remedy: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.most, self.pattern, self.remedy = most, re.compile(pattern) if pattern else None, remedy

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str:
        if not isinstance(value, str) or not value.strip():
            raise refuse("is not text", self.remedy or "write some words")
        text = value.strip()
        if len(text) > self.most:
            raise refuse("is too long", f"write at most {self.most} characters")
        if any(ord(c) < 32 and c != "\n" for c in text):
            raise refuse("contains control characters", "remove them")
        if self.pattern and not self.pattern.fullmatch(text):
            raise refuse("is not well formed", self.remedy)
        return text


_REFERENCE = Complaint(
    "is missing: every number says where it comes from",
    "name the document, law or decision, for example [S] title, date, or [P] our choice",
)


class Reference(Words):
    """Where the numbers of a block come from."""

    missing = _REFERENCE

    def __init__(self) -> None:
        super().__init__(500, remedy=_REFERENCE.remedy, required=True)


def code(**kwargs: Any) -> Words:
    """A code: lower-case letters, digits, underscore and hyphen."""
    return Words(
        64,
        pattern=r"[a-z0-9][a-z0-9_\-]*",
        remedy="use lower-case letters, digits, _ and -, such as model_household",
        **kwargs,
    )


class Choice(_Scalar):
    """One member of an enumeration, by its value."""

    def __init__(self, of: type[StrEnum], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.of = of

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> StrEnum:
        try:
            return self.of(value)
        except ValueError:
            raise refuse("is not one of the choices", "use " + ", ".join(str(m) for m in self.of)) from None


class Flag(_Scalar):
    """true or false."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> bool:
        if not isinstance(value, bool):
            raise refuse("is neither true nor false", "write true or false")
        return value


class CodeList(_Scalar):
    """`all`, or a list of codes without repetition."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> tuple[str, ...] | None:
        if value == "all":
            return None
        if not isinstance(value, list) or not value:
            raise refuse("is not a list of codes", "write `all`, or a list such as [related_person]")
        one = code()
        found = tuple(str(one.deserialize(item)) for item in value)
        if len(set(found)) != len(found):
            raise refuse("names a code twice", "name each code once")
        return found
