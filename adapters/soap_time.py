"""Instants of WS-Security: what a message says about when it was made, and whether that is lately."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from schemas.errors import UnauthenticatedError
from schemas.soap import AHEAD_S, FRESH_S

_INSTANT: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII)


def wire_instant(at: datetime) -> str:
    """xsd:dateTime in UTC with milliseconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def read_instant(text: str, where: str) -> datetime:
    """An xsd:dateTime with its zone. Raises UnauthenticatedError: only security headers are read with this."""
    found = _INSTANT.fullmatch(text.strip())
    if found is not None:
        zone = "+00:00" if found[3] == "Z" else found[3]
        try:
            return datetime.fromisoformat(f"{found[1]}.{(found[2] or '0')[:6].ljust(6, '0')}{zone}")
        except ValueError:
            pass
    raise UnauthenticatedError(
        f"{where} is no instant",
        code="timestamp-unreadable",
        where=where,
        remedy="write 2026-11-24T02:00:00Z",
    )


def check_fresh(created_text: str | None, expires_text: str | None, now: datetime) -> datetime:
    """When the message was made. Raises UnauthenticatedError when that is not said, too long ago, ahead of us, or over."""
    if not created_text:
        raise UnauthenticatedError(
            "the message does not say when it was made", code="timestamp-missing", where="Created"
        )
    created = read_instant(created_text, "Created")
    if created > now + timedelta(seconds=AHEAD_S):
        raise UnauthenticatedError(
            "the message was made in the future", code="message-ahead", where="Created", value=created_text.strip()[:40],
            remedy="set the clock by NTP",
        )  # fmt: skip
    expires = read_instant(expires_text, "Expires") if expires_text else None
    if created <= now - timedelta(seconds=FRESH_S) or (expires is not None and expires <= now):
        raise UnauthenticatedError(
            f"the message is too old: it is taken for {FRESH_S} s after it was made, and not after its own end",
            code="message-expired", where="Created", value=created_text.strip()[:40],
            remedy="make and sign it again; check the clock",
        )  # fmt: skip
    return created
