"""The correlation id of what is going on, from a door to the outbox."""

from __future__ import annotations

import re
from contextvars import ContextVar
from uuid import uuid4

correlation_id: ContextVar[str] = ContextVar("correlation_id", default="")

_SANE = re.compile(r"[A-Za-z0-9._:-]{8,64}")
_PERSONAL = re.compile(r"[0-9]{15,}[0-9Xx]?")


def enter(asked: str | None) -> str:
    """Take the caller's id when it is sane (8 to 64 plain characters, not a number that could be a person's), otherwise
    make one. It stands for the running context from here on."""
    if asked is None or not _SANE.fullmatch(asked) or _PERSONAL.search(asked):
        asked = uuid4().hex
    correlation_id.set(asked)
    return asked
