"""A member of staff goes to the bank's provider to sign in; what must be remembered goes, sealed, with their browser."""

from __future__ import annotations

import secrets
from datetime import datetime

from gateway.flows._provider_ask import Begun, seal_begun
from gateway.house import House
from schemas.errors import NotFoundError
from schemas.staff import ProviderAsk


def begin_provider_sign_in(house: House, back: str, *, now: datetime) -> tuple[str, str]:
    """Where to send the browser, and the sealed text for its cookie. Raises NotFoundError when no provider is configured,
    UnavailableError when it does not answer."""
    if house.identity is None:
        raise NotFoundError("no identity provider is configured", remedy="sign in with the local directory")
    ask = ProviderAsk(
        secrets.token_urlsafe(24),
        secrets.token_urlsafe(24),
        secrets.token_urlsafe(48),
        house.config.public_url.rstrip("/") + "/staff/callback",
    )
    url = house.identity.authorization_url(ask)  # ‖ no transaction is open here
    return url, seal_begun(house.keys, Begun(ask, back, now))
