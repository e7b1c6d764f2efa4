"""Words of the token endpoint and of the guard on a town's door (RFC 6749, 7523, 8705, 9068)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from schemas.values import TownCode

#: What a token may be for → what it allows, in words.
SCOPES = {
    "contributions.write": "push contributions, one, in batches or as a stream",
    "contributions.read": "read the answers to one's own pushes again",
    "households.write": "register households, members and consents",
    "consents.write": "withdraw consents",
}
TOKEN_LIFETIME_S = 600
ASSERTION_LIFETIME_S = 300  # how far ahead an assertion may end
ASSERTION_BYTES = 8192
ASSERTION_ALGORITHMS = ("ES256", "PS256")


@dataclass(frozen=True, slots=True)
class ClientRegistration:
    """Who may speak for a town: public keys (RFC 7517 set) and the x5t#S256 of its certificates, two during
    rollover."""

    client_id: str
    town: TownCode
    scopes: tuple[str, ...]
    jwks: Mapping[str, Any]
    certificates: tuple[str, ...]


class TokenRequest(NamedTuple):
    """What came to the token endpoint: the form's fields as sent, repeated ones repeated, and the x5t#S256 of
    the client certificate on the connection (None: there was none)."""

    form: tuple[tuple[str, str], ...]
    certificate: str | None


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """RFC 6749 section 5.1 or 5.2: a status and a JSON body. `client_id` is for the log line."""

    status: int
    body: dict[str, Any] = field(repr=False)
    client_id: str | None = None


class Caller(NamedTuple):
    """A client that proved who it is, and for which town it speaks."""

    client_id: str
    town: TownCode
    scopes: frozenset[str]
