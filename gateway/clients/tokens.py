"""Access tokens (RFC 9068): the keys that sign them, making and reading them."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from gateway.clients.registry import RegisteredClient
from schemas.errors import InvalidError, UnauthenticatedError
from schemas.oauth import TOKEN_LIFETIME_S

ALGORITHMS = ("ES256",)
RELOAD_S = 5.0  # how soon a rotated key is seen
LEEWAY_S = 5


class TokenKeys:
    """The signing keys in a directory: the newest file (last by name) signs, all are published and verify."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._checked_at = 0.0
        self._stamp: tuple[Any, ...] = ()
        self._keys: list[ECKey] = []

    def signing(self) -> KeySet:
        """The one key that signs now, as a set, so that its kid enters the header."""
        return KeySet([self._current()[-1]])

    def all(self) -> KeySet:
        """Every key that may have signed a token still alive."""
        return KeySet(self._current())

    def jwks(self) -> dict[str, Any]:
        """The public halves (RFC 7517), for /oauth/jwks."""
        return {
            "keys": [
                {**key.as_dict(private=False), "kid": key.kid, "alg": "ES256", "use": "sig"}
                for key in self._current()
            ]
        }

    def _current(self) -> list[Any]:
        if self._keys and time.monotonic() - self._checked_at < RELOAD_S:
            return self._keys
        with self._lock:
            files = sorted(self._folder.glob("*.key"))
            stamp = tuple((f.name, f.stat().st_mtime_ns) for f in files)
            if stamp != self._stamp or not self._keys:
                if not files:
                    raise InvalidError(
                        "there is no key to sign tokens with",
                        code="token-key-missing",
                        where=str(self._folder),
                        remedy="run `gateway certs init`, or install the bank's keys",
                    )
                self._keys = [_read(f) for f in files]
                self._stamp = stamp
            self._checked_at = time.monotonic()
        return self._keys


def _read(path: Path) -> ECKey:
    key = ECKey.import_key(path.read_text())
    return ECKey.import_key({**key.as_dict(private=True), "kid": key.thumbprint()})


class AccessToken(NamedTuple):
    """What a verified token says."""

    client_id: str
    scopes: frozenset[str]
    certificate: str  # x5t#S256 it is bound to
    expires_at: int  # epoch seconds
    token_id: str


class TokenGenerator(JWTBearerTokenGenerator):  # type: ignore[misc]
    """Authlib's RFC 9068 generator, with our keys, our audience, the instant passed in, and the
    certificate binding
    of RFC 8705."""

    def __init__(self, issuer: str, keys: TokenKeys, certificate: str, now: datetime, token_id: str) -> None:
        super().__init__(
            issuer=issuer, alg="ES256", expires_generator=lambda client, grant_type: TOKEN_LIFETIME_S
        )
        self._keys = keys
        self._certificate = certificate
        self._now_s = int(now.timestamp())
        self._token_id = token_id

    def get_jwks(self) -> KeySet:
        return self._keys.signing()

    def get_audiences(self, client: RegisteredClient, user: Any, scope: Any) -> str:
        return str(self.issuer)

    def get_jti(self, client: RegisteredClient, grant_type: str, user: Any, scope: Any) -> str:
        return self._token_id

    def get_extra_claims(
        self, client: RegisteredClient, grant_type: str, user: Any, scope: Any
    ) -> dict[str, Any]:
        return {
            "iat": self._now_s,
            "exp": self._now_s + TOKEN_LIFETIME_S,
            "cnf": {"x5t#S256": self._certificate},
        }


def read_token(text: str, keys: TokenKeys, issuer: str, now: datetime) -> AccessToken:
    """Check signature, algorithm, type, issuer, audience and times. Raises UnauthenticatedError, which
    never says more
    than that the token is not good: the log line says which check failed."""
    try:
        token = jwt.decode(text, keys.all(), algorithms=list(ALGORITHMS))
        if str(token.header.get("typ", "")).lower() not in ("at+jwt", "application/at+jwt"):
            raise _bad("typ")
        jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=LEEWAY_S,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": issuer},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            client_id={"essential": True},
            jti={"essential": True},
            scope={"essential": True},
            cnf={"essential": True},
        ).validate(token.claims)
    except (JoseError, ValueError) as exc:
        raise _bad(type(exc).__name__) from exc
    claims: Mapping[str, Any] = token.claims
    bound = claims["cnf"].get("x5t#S256") if isinstance(claims["cnf"], dict) else None
    if (
        not isinstance(bound, str)
        or claims["sub"] != claims["client_id"]
        or not isinstance(claims["scope"], str)
    ):
        raise _bad("claims")
    return AccessToken(
        str(claims["client_id"]),
        frozenset(claims["scope"].split()),
        bound,
        int(claims["exp"]),
        str(claims["jti"]),
    )


def _bad(check: str) -> UnauthenticatedError:
    return UnauthenticatedError(
        "the access token is not valid here or has ended",
        code="token-invalid",
        where="Authorization",
        value=check,
        remedy="get a new token at /oauth/token",
    )
