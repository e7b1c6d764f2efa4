"""What 沥家园 says by signed events: a freeze ended by itself. Only the serial is taken."""

from __future__ import annotations

import re
from typing import Any

from adapters.json_reading import Form, form_of, judge, parse_json
from adapters.wire_fields import Instant, Word
from schemas.acceptor import Fault, WireField, WireSchema
from schemas.contributions import FaultyItem
from schemas.errors import InvalidError
from schemas.feeds import HookEvent

_SERIAL = re.compile(r"[A-Za-z0-9._:-]{1,64}").fullmatch
_MEMBERS = {"serial", "state", "points", "townReference"}


def _ended(value: Any) -> str | None:
    """Our serial, of a freeze that expired; the rest is asked for."""
    if type(value) is not dict or set(value) != _MEMBERS or value["state"] != "expired":
        return None
    serial = value["serial"]
    return serial if type(serial) is str and _SERIAL(serial) else None


class EndedFreeze(WireField):
    """The freeze as the town shows it; loaded as our serial."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(quick=_ended, **kwargs)

    def explain(self, value: Any) -> Fault:
        return Fault(
            "event-unreadable", "a freeze with serial, state expired, points and townReference is needed"
        )

    def json_schema(self) -> dict[str, Any]:
        members = {name: {"type": "string"} for name in sorted(_MEMBERS)}
        return {
            "type": "object",
            "properties": {**members, "state": {"type": "string", "enum": ["expired"]}},
            "required": sorted(_MEMBERS),
            "additionalProperties": False,
        }


class FreezeEnded(WireSchema):
    """A freeze ended by itself."""

    type = Word({"freeze.expired": ""}, required=True)
    timestamp = Instant(required=True)
    data = EndedFreeze(required=True)


_FORM: Form = form_of(FreezeEnded())


def to_event(body: bytes) -> HookEvent:
    """The event. Raises InvalidError with a place."""
    verdict = judge(_FORM, parse_json(body), 0, "")
    if isinstance(verdict, FaultyItem):
        raise InvalidError(verdict.detail, code=verdict.code, where=verdict.where)
    return HookEvent("freeze_ended", verdict["data"])
