"""A request at a town's door shows a token: may it come in?

Verified tokens are remembered by their digest until they end, so that the signature is checked once; the
certificate
on the connection, the scope, the town and whether the client is still enabled are checked every time. A
disabled client
is refused within CLIENT_FRESH_S.
"""

from __future__ import annotations

import hashlib
import time
from datetime import datetime

from gateway import clients
from gateway.clients import AccessToken, Memory, RegisteredClient
from gateway.house import House
from schemas.errors import ForbiddenError, UnauthenticatedError
from schemas.oauth import Caller
from schemas.values import TownCode

CLIENT_FRESH_S = 2.0
TOKEN_BYTES = 4096


def authorize_request(
    house: House, bearer: str | None, certificate: str | None, scope: str, town: TownCode, *, now: datetime
) -> Caller:
    """The client behind a request. `bearer` is the token's text, `certificate` the x5t#S256 of the
    connection's client
    certificate. Raises UnauthenticatedError (401) or ForbiddenError (403); nothing was stored."""
    if bearer is None:
        raise UnauthenticatedError(
            "an access token is needed",
            code="token-missing",
            where="Authorization",
            remedy="get one at /oauth/token",
        )
    memory = clients.memory_of(house.db, house.config.token_keys)
    token = _verified(house, memory, bearer, now)
    if certificate is None or token.certificate != certificate:
        raise UnauthenticatedError(
            "the token is bound to another client certificate than this connection's",
            code="certificate-mismatch",
            where="client certificate",
            remedy="use the certificate with which the token was asked for (RFC 8705)",
        )
    client = _current_client(house, memory, token.client_id)
    if client is None or not client.enabled:
        raise UnauthenticatedError("the client is not enabled", code="client-disabled", where="client_id")
    if certificate not in client.certificates:
        raise UnauthenticatedError(
            "the certificate is no longer on the client's list",
            code="certificate-withdrawn",
            where="client certificate",
        )
    if client.town != town:
        raise ForbiddenError(
            "the client speaks for another town",
            code="other-town",
            where="path",
            remedy="use your own town's door",
        )
    if scope not in token.scopes or scope not in client.scopes:
        raise ForbiddenError(
            "the token lacks a scope",
            code="scope-missing",
            where="scope",
            value=scope,
            remedy="ask for this scope at /oauth/token, or have the operator grant it",
        )
    return Caller(client.client_id, client.town, token.scopes)


def _verified(house: House, memory: Memory, bearer: str, now: datetime) -> AccessToken:
    if len(bearer) > TOKEN_BYTES or not bearer.isascii():
        raise UnauthenticatedError(
            "the access token cannot be read", code="token-invalid", where="Authorization"
        )
    digest = hashlib.sha256(bearer.encode()).digest()
    token = memory.tokens.get(digest)
    if token is None:
        token = clients.read_token(bearer, memory.keys, house.config.public_url.rstrip("/"), now)
        memory.remember_token(digest, token)
    elif token.expires_at <= now.timestamp():
        memory.tokens.pop(digest, None)
        raise UnauthenticatedError(
            "the access token has ended",
            code="token-expired",
            where="Authorization",
            remedy="get a new token at /oauth/token",
        )
    return token


def _current_client(house: House, memory: Memory, client_id: str) -> RegisteredClient | None:
    at = time.monotonic()
    known = memory.clients.get(client_id)
    if known is not None and at - known[0] < CLIENT_FRESH_S:
        return known[1]
    with house.db.transaction(read_only=True) as tx:
        client = clients.find_client(tx, client_id)
    memory.remember_client(client_id, at, client)
    return client
