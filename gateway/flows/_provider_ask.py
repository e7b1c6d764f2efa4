"""A sign-in at the provider that has begun: sealed into the browser's cookie, so that nothing need be stored for visitors."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import NamedTuple

import orjson

from schemas.crypto import KeyRing, Sealed
from schemas.errors import ForbiddenError, TamperedError
from schemas.staff import ProviderAsk

PURPOSE = "staff_provider_sign_in"
LASTS = timedelta(minutes=10)


class Begun(NamedTuple):
    """What was asked of the provider, where to go afterwards, and when it began."""

    ask: ProviderAsk
    back: str
    begun_at: datetime


def seal_begun(keys: KeyRing, begun: Begun) -> str:
    """As cookie text."""
    plain = orjson.dumps([*begun.ask, begun.back, begun.begun_at.isoformat()])
    sealed = keys.seal(plain, PURPOSE)
    return f"{sealed.key_id}.{base64.urlsafe_b64encode(sealed.box).decode()}"


def open_begun(keys: KeyRing, text: str, *, now: datetime) -> Begun:
    """From cookie text. Raises ForbiddenError `sign-in-expired` for one that is not ours or older than LASTS."""
    key_id, _, box = text.partition(".")
    try:
        state, nonce, verifier, uri, back, at = orjson.loads(
            keys.open(Sealed(key_id, base64.urlsafe_b64decode(box)), PURPOSE)
        )
    except (TamperedError, ValueError):
        raise _expired() from None
    begun = Begun(ProviderAsk(state, nonce, verifier, uri), back, datetime.fromisoformat(at))
    if not begun.begun_at <= now < begun.begun_at + LASTS:
        raise _expired()
    return begun


def _expired() -> ForbiddenError:
    return ForbiddenError("this sign-in has ended", code="sign-in-expired", remedy="begin again")
