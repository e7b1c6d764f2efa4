"""The token endpoint on Authlib: client credentials, private_key_jwt, certificate-bound tokens.

Authlib's framework-independent server runs here inside one transaction that a corridor opened; the door
only carries
the form in and the answer out. What Authlib leaves open is closed here: algorithms are named, an assertion
ends soon
and is used once, keys come from our own list, the certificate on the connection must be one the client
registered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Request
from authlib.oauth2.rfc6749.errors import InvalidClientError, InvalidScopeError
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from gateway.clients.registry import RegisteredClient, find_client, insert_assertion
from gateway.clients.tokens import TokenGenerator, TokenKeys
from gateway.db import Transaction
from schemas.oauth import ASSERTION_ALGORITHMS, ASSERTION_LIFETIME_S, SCOPES, TokenAnswer

LEEWAY_S = 30  # clocks of towns differ
METHOD = "private_key_jwt"


class _Request(OAuth2Request):  # type: ignore[misc]
    """A token request without a web framework."""

    def __init__(self, uri: str, form: Mapping[str, str]) -> None:
        super().__init__("POST", uri)
        self.payload = BasicOAuth2Payload(dict(form))
        self._fields = dict(form)

    @property
    def form(self) -> Mapping[str, str]:
        return self._fields


class _Assertion(JWTBearerClientAssertion):  # type: ignore[misc]
    """RFC 7523 section 2.2, with the instant passed in."""

    CLIENT_AUTH_METHOD = METHOD

    def __init__(self, tx: Transaction, audiences: list[str], now: datetime) -> None:
        super().__init__(leeway=LEEWAY_S)
        self._tx = tx
        self._audiences = audiences
        self._now = now

    def get_audiences(self) -> list[str]:
        return self._audiences

    def resolve_client_public_key(self, client: RegisteredClient) -> KeySet:
        return KeySet.import_key_set(dict(client.jwks))  # type: ignore[arg-type]

    def process_assertion_claims(self, assertion: str, resolve_key: KeySet) -> dict[str, Any]:
        try:
            token = jwt.decode(assertion, resolve_key, algorithms=list(ASSERTION_ALGORITHMS))
        except (JoseError, ValueError) as exc:
            raise InvalidClientError(description="The assertion's signature does not verify.") from exc
        self.verify_claims(token.claims)
        return token.claims

    def verify_claims(self, claims: dict[str, Any]) -> None:
        now_s = int(self._now.timestamp())
        try:
            jwt.JWTClaimsRegistry(
                now=now_s,
                leeway=LEEWAY_S,
                iss={"essential": True},
                sub={"essential": True},
                aud={"essential": True, "values": self._audiences},
                exp={"essential": True},
                jti={"essential": True},
            ).validate(claims)
        except (JoseError, TypeError, ValueError) as exc:
            raise InvalidClientError(description="The assertion's claims are not acceptable.") from exc
        if not all(type(claims[name]) is int for name in ("exp", "nbf", "iat") if name in claims):
            raise InvalidClientError(description="The assertion's times are whole seconds.")
        if claims["sub"] != claims["iss"]:
            raise InvalidClientError(description="Issuer and subject of the assertion must be the client.")
        if claims["exp"] > now_s + ASSERTION_LIFETIME_S + LEEWAY_S:
            raise InvalidClientError(description="The assertion ends more than 5 minutes ahead.")
        if "iat" in claims and claims["iat"] < now_s - ASSERTION_LIFETIME_S - LEEWAY_S:
            raise InvalidClientError(description="The assertion was made too long ago.")
        jti = claims["jti"]
        if not isinstance(jti, str) or not 1 <= len(jti) <= 256 or "\0" in jti:
            raise InvalidClientError(description="The assertion's jti is a text of 1 to 256 characters.")
        # Kept for as long as any clock within the leeway would still take the assertion.
        until = datetime.fromtimestamp(int(claims["exp"]) + 2 * LEEWAY_S, UTC) + timedelta(seconds=1)
        if not insert_assertion(self._tx, claims["sub"], jti, until):
            raise InvalidClientError(description="The assertion was used before.")


class _Grant(ClientCredentialsGrant):  # type: ignore[misc]
    """Client credentials (RFC 6749 section 4.4), for a certificate the client registered (RFC 8705 section
    3)."""

    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar[list[str]] = [METHOD]

    def validate_requested_scope(self) -> None:
        asked = self.request.payload.scope
        if asked and not set(asked.split()) <= self.request.client.scopes:
            raise InvalidScopeError(description="The client may not have every scope it asks for.")
        if self.server.certificate not in self.request.client.certificates:
            raise InvalidClientError(
                description="The client certificate of this connection is not the client's."
            )


class TokenServer(AuthorizationServer):  # type: ignore[misc]
    """One token request. `answer()` never raises for what a client did wrong."""

    def __init__(
        self,
        tx: Transaction,
        keys: TokenKeys,
        issuer: str,
        certificate: str,
        *,
        now: datetime,
        new_id: Callable[[], Any],
    ) -> None:
        super().__init__(scopes_supported=list(SCOPES))
        self.certificate = certificate
        self._tx = tx
        self._token_endpoint = f"{issuer}/oauth/token"
        self.register_token_generator(
            "client_credentials", TokenGenerator(issuer, keys, certificate, now, str(new_id()))
        )
        self.register_grant(_Grant)
        self.register_client_auth_method(METHOD, _Assertion(tx, [issuer, self._token_endpoint], now))

    def answer(self, form: Mapping[str, str]) -> TokenAnswer:
        """RFC 6749 section 5: the token, or an error with its code."""
        request = _Request(self._token_endpoint, form)
        status, body = self.create_token_response(request)
        client: RegisteredClient | None = request.client
        if body.get("error") == "invalid_client":
            status = 401
        return TokenAnswer(status, body, client.client_id if client else None)

    def query_client(self, client_id: str) -> RegisteredClient | None:
        """The enabled client of that id; a disabled one does not exist here."""
        if not 1 <= len(client_id) <= 64 or "\0" in client_id:
            return None
        client = find_client(self._tx, client_id)
        return client if client is not None and client.enabled else None

    def save_token(self, token: Mapping[str, Any], request: Any) -> None:
        """Tokens are signed and not kept."""

    def create_oauth2_request(self, request: Any) -> Any:
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> tuple[int, dict[str, Any]]:
        return status, dict(body)

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens: the door writes the line."""
