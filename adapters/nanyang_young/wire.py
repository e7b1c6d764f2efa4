"""南阳young's words as they stand on the wire: snake_case, epoch milliseconds, half points; nothing renamed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.wire_fields import FIRST_YEAR, LAST_YEAR, Points, Text, Word
from schemas.acceptor import Fault, WireField, WireSchema

KINDS = ("award", "deduction", "spend", "reversal")
EVENT = "changes.available"
PAGE_ITEMS = 500
MAX_SEQ = 2**53 - 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_MS = int(datetime(FIRST_YEAR, 1, 1, tzinfo=UTC).timestamp()) * 1000
_LAST_MS = int(datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC).timestamp()) * 1000

CHANGE_ID = r"ny_[A-Za-z0-9]{1,40}"
OPENID = r"o_[A-Za-z0-9_-]{8,60}"


def _whole(value: Any) -> int | None:
    return value if type(value) is int and 0 < value <= MAX_SEQ else None


class Sequence(WireField):
    """A sequence number: 1 and up, each given once."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(quick=_whole, **kwargs)

    def explain(self, value: Any) -> Fault:
        return Fault("sequence-invalid", "a sequence number is a whole JSON number from 1 up")

    def json_schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": 1, "maximum": MAX_SEQ}


def _epoch_ms(value: Any) -> datetime | None:
    if type(value) is not int or not _FIRST_MS <= value < _LAST_MS:
        return None
    return EPOCH + timedelta(milliseconds=value)


class EpochMs(WireField):
    """Milliseconds since 1970-01-01T00:00Z as a JSON number; loaded as an aware instant."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(quick=_epoch_ms, **kwargs)

    def explain(self, value: Any) -> Fault:
        if type(value) is not int:
            return Fault("instant-unreadable", "an instant is a whole JSON number of milliseconds since 1970")
        if _FIRST_MS <= value * 1000 < _LAST_MS:
            return Fault("instant-in-seconds", "these are seconds; milliseconds are needed")
        return Fault("instant-out-of-range", f"the year must be from {FIRST_YEAR} to {LAST_YEAR}")

    def json_schema(self) -> dict[str, Any]:
        return {"type": "integer", "description": "milliseconds since 1970-01-01T00:00Z"}


def _halves(points: Callable[[Any], Any]) -> Callable[[Any], int | None]:
    def quick(value: Any) -> int | None:
        centi = points(value) if type(value) is str else None
        return centi if centi is not None and centi % 50 == 0 else None

    return quick


class HalfPoints(WireField):
    """Points as a decimal string, whole or half ("2", "2.5"); loaded as integer 1/100 points."""

    def __init__(self, **kwargs: Any) -> None:
        self._points = Points()
        super().__init__(quick=_halves(self._points.quick), **kwargs)

    def explain(self, value: Any) -> Fault:
        if type(value) is not str:
            return Fault("not-a-string", 'points are a string such as "2.5"')
        if self._points.quick(value) is not None:
            return Fault("points-not-half", "points go by halves here: 2, 2.5, 3")
        return self._points.explain(value)

    def json_schema(self) -> dict[str, Any]:
        return {
            "type": "string",
            "pattern": r"^(0|[1-9][0-9]{0,5})(\.[05]0?)?$",
            "description": "above 0, at most 100000, by halves",
        }


def _reversal_names_original(kind: str, reverses: str | None) -> tuple[str, Fault] | None:
    if (kind == "reversal") == (reverses is not None):
        return None
    if reverses is None:
        return "reverses", Fault("reversal-without-original", "a reversal names the change_id it takes back")
    return "reverses", Fault("original-without-reversal", "only kind reversal names an original")


class Change(WireSchema):
    """One change of a resident's points."""

    seq = Sequence(required=True)
    change_id = Text(43, pattern=CHANGE_ID, required=True)
    openid = Text(62, pattern=OPENID, required=True)
    task = Text(64, few=True, required=True)
    kind = Word(dict.fromkeys(KINDS), load_default="award")
    points = HalfPoints(required=True)
    occurred_at = EpochMs(required=True)
    village = Text(64, few=True, load_default=None)
    reverses = Text(43, pattern=CHANGE_ID, load_default=None)

    rules = ((_reversal_names_original, ("kind", "reverses")),)


class Event(WireSchema):
    """What a webhook says: something changed. The content is fetched."""

    type = Word({EVENT: EVENT}, required=True)
    occurred_at = EpochMs(required=True)
