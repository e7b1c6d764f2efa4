"""A town says that something changed: a signed event is checked, remembered, and answered. What changed is asked for, not told.

Standard Webhooks 1.0: HMAC-SHA256 over id.timestamp.body with one of the town's secrets (two during rotation), a timestamp within
five minutes, an id remembered so that a repeat is answered and not repeated. An id may also change when a sender tries again
(sendgrid-nodejs #1435): nothing an event does depends on how often it comes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import UTC, datetime
from typing import cast

from standardwebhooks.webhooks import Webhook

from gateway import feeds
from gateway.house import House
from schemas.errors import ConflictError, InvalidError, NotFoundError, UnauthenticatedError
from schemas.feeds import EventReader, HookEvent, HookMessage
from schemas.values import TownCode

TOLERANCE_S = 300
MOST_SIGNATURES = 8
_EVENT_ID = re.compile(r"[A-Za-z0-9._-]{1,128}").fullmatch
_TIMESTAMP = re.compile(r"[0-9]{10}").fullmatch


def receive_event(house: House, town: TownCode, message: HookMessage, *, now: datetime) -> HookEvent | None:
    """The event when it is new; None when it was taken before. A feed that changed is due from now on.

    Errors: NotFoundError for a town that sends no events; InvalidError for headers or a body that cannot be read;
    UnauthenticatedError for a signature or a time that is not good; ConflictError `event-id-reused`.
    """
    _check_headers(message, now)
    secrets = house.hook_secrets.get(town, ())
    reader = house.readers.get(town)
    if not secrets or reader is None or not hasattr(reader, "read_event"):
        raise NotFoundError("this town sends no events here", code="no-events", where="town")
    _check_signature(secrets, message)
    event = cast(EventReader, reader).read_event(message.body)
    digest = hashlib.sha256(message.body).digest()
    with house.db.transaction() as tx:
        before = feeds.insert_event(tx, town, message.event_id, digest, event.kind, event.subject, now=now)
        if before is None and event.kind == "changes":
            feeds.mark_wanted(tx, town, now=now)
    if before is not None and before != digest:
        raise ConflictError(
            "this event id came before with another body", code="event-id-reused", where="webhook-id",
            remedy="give each event an id of its own; send a repeat unchanged",
        )  # fmt: skip
    return event if before is None else None


def _check_headers(message: HookMessage, now: datetime) -> None:
    for name, value in (
        ("webhook-id", message.event_id),
        ("webhook-timestamp", message.timestamp),
        ("webhook-signature", message.signature),
    ):
        if not value:
            raise InvalidError(
                "a header of Standard Webhooks is missing", code="event-header-missing", where=name,
                remedy="send webhook-id, webhook-timestamp and webhook-signature",
            )  # fmt: skip
    if not _EVENT_ID(message.event_id):
        raise _unreadable("webhook-id", "one id of 1 to 128 letters, digits, dots, dashes or underscores")
    if not _TIMESTAMP(message.timestamp):
        raise _unreadable("webhook-timestamp", "one time in whole seconds since 1970")
    away_s = int(message.timestamp) - int(now.timestamp())
    if abs(away_s) > TOLERANCE_S:
        raise UnauthenticatedError(
            f"signed {abs(away_s)} s {'after' if away_s > 0 else 'before'} our time; {TOLERANCE_S} s are taken",
            code="event-timestamp", where="webhook-timestamp", remedy="check the clock; sign each attempt anew",
        )  # fmt: skip


def _check_signature(secrets: tuple[str, ...], message: HookMessage) -> None:
    """Every signature shown is compared with every secret, in constant time each."""
    try:
        text = message.body.decode()
    except UnicodeDecodeError:
        raise InvalidError("the body is not UTF-8", code="json-encoding", where="body") from None
    at = datetime.fromtimestamp(int(message.timestamp), UTC)
    wanted = [Webhook(secret).sign(message.event_id, at, text).encode() for secret in secrets]
    shown = message.signature.split(" ")
    if len(shown) > MOST_SIGNATURES or not all(map(_is_signature, shown)):
        raise _unreadable(
            "webhook-signature", f"at most {MOST_SIGNATURES} of version,base64, one space apart"
        )
    good = False
    for signature in shown:
        for right in wanted:
            good |= hmac.compare_digest(signature.encode(), right)
    if not good:
        raise UnauthenticatedError(
            "no signature is one of this town's (v1, HMAC-SHA256)", code="event-signature", where="webhook-signature",
            remedy="sign id.timestamp.body, byte for byte as sent, with the secret we agreed on",
        )  # fmt: skip


def _is_signature(text: str) -> bool:
    version, comma, value = text.partition(",")
    try:
        return bool(comma and version.isalnum() and base64.b64decode(value.encode("ascii"), validate=True))
    except ValueError:
        return False


def _unreadable(where: str, wanted: str) -> InvalidError:
    return InvalidError(
        "a header of Standard Webhooks cannot be read", code="event-header-unreadable", where=where,
        remedy=f"send it once: {wanted}",
    )  # fmt: skip
