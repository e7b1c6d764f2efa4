"""Linking a resident's account at a town: authorization code with PKCE (RFC 6749 §4.1, RFC 7636) and OpenID Connect Core 1.0.

Never retries. Keys of ID tokens come from the town's configured JWKS address, never from a token's header; algorithms are named;
a session of Authlib's keeps the token it got, so each call has one of its own.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from typing import Any, NoReturn

import orjson
import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeySet

from adapters.oauth_client import ShortAssertion
from schemas.boundary import before_neighbour_call
from schemas.errors import RefusedError, UnavailableError
from schemas.feeds import Grant
from schemas.resident_id import accepted_resident_id

log = logging.getLogger(__name__)

ALGORITHMS = ("ES256",)
SCOPE = "openid identity points offline_access"
ID_TOKEN_BYTES = 16 * 1024
ANSWER_BYTES = 256 * 1024
HINT = "refresh_token"
LEEWAY_S = 30
OLDEST_S = 600  # an ID token is fresh: issued while the resident was there
KEYS_FRESH_S, KEYS_AGAIN_S = 3600.0, 10.0


class OidcLinking:
    """`schemas.feeds.TownLinking` over OpenID Connect."""

    def __init__(
        self,
        *,
        neighbour: str,
        address: str,
        issuer: str,
        client_id: str,
        key_pem: str,
        key_id: str,
        paths: Mapping[str, str],
        verify: str | bool,
        client_cert: tuple[str, str] | None,
        timeout: tuple[float, float],
    ) -> None:
        self._issuer = issuer
        self._neighbour = neighbour
        self._client_id = client_id
        self._url = {name: address.rstrip("/") + path for name, path in paths.items()}
        self._method = ShortAssertion(self._url["token"], key_pem, key_id)
        self._verify, self._cert, self._timeout = verify, client_cert, timeout
        self._keys: KeySet | None = None
        self._keys_at = 0.0  # monotonic
        self._lock = threading.Lock()

    @property
    def issuer(self) -> str:
        """What `iss` must say."""
        return self._issuer

    @property
    def authorize_origin(self) -> str:
        """Where the resident's browser is sent: for the page's content policy."""
        scheme, _, rest = self._url["authorize"].partition("://")
        return f"{scheme}://{rest.partition('/')[0]}"

    def begin(self, *, state: str, nonce: str, code_verifier: str, redirect_uri: str, language: str) -> str:
        """The address of the town's own page. Nothing is called."""
        with self._session() as session:
            url, _ = session.create_authorization_url(
                self._url["authorize"], state=state, code_verifier=code_verifier, redirect_uri=redirect_uri,
                nonce=nonce, ui_locales="en" if language == "en" else "zh-CN",
            )  # fmt: skip
        return str(url)

    def exchange(self, code: str, *, nonce: str, code_verifier: str, redirect_uri: str) -> Grant:
        """The code for tokens; the ID token is checked, then the town is asked who it is. What fails a check is revoked."""
        before_neighbour_call(self._neighbour)
        with self._session() as session:
            given = self._token(
                session, "code-refused", grant_type="authorization_code", code=code, redirect_uri=redirect_uri,
                code_verifier=code_verifier,
            )  # fmt: skip
            refresh = given.get("refresh_token")
            if not isinstance(refresh, str) or not refresh:
                self._refuse("no-refresh-token")
            try:
                account = self._check_id_token(given.get("id_token"), nonce)
                id_no = self._ask_identity(session, str(given["access_token"]), account)
            except RefusedError:
                self._revoke_quietly(refresh)
                raise
        return Grant(account, id_no, refresh)

    def renew(self, refresh_token: str, account: str) -> Grant:
        """A new refresh token for the old one (RFC 6749 §6)."""
        before_neighbour_call(self._neighbour)
        with self._session() as session:
            given = self._token(
                session, "grant-ended", grant_type="refresh_token", refresh_token=refresh_token
            )
        return Grant(account, "", str(given.get("refresh_token") or refresh_token))

    def revoke(self, refresh_token: str) -> None:
        """RFC 7009: an unknown token is revoked already."""
        before_neighbour_call(self._neighbour)
        with self._session() as session:
            try:
                answer = session.revoke_token(
                    self._url["revoke"], token=refresh_token, token_type_hint=HINT,
                    timeout=self._timeout, allow_redirects=False,
                )  # fmt: skip
            except requests.RequestException as exc:
                raise self._away("revocation", type(exc).__name__) from exc
        if answer.status_code != 200:
            raise self._away("revocation", answer.status_code)

    def _session(self) -> OAuth2Session:
        session = OAuth2Session(
            self._client_id,
            scope=SCOPE,
            code_challenge_method="S256",
            token_endpoint_auth_method=self._method,
            revocation_endpoint_auth_method=self._method,
        )
        session.trust_env = False
        session.verify, session.cert = self._verify, self._cert
        return session

    def _token(self, session: OAuth2Session, refused: str, **form: str) -> Mapping[str, Any]:
        try:
            given: Mapping[str, Any] = session.fetch_token(
                self._url["token"], timeout=self._timeout, allow_redirects=False, **form
            )
        except OAuthError as exc:
            if exc.error in ("invalid_grant", "invalid_request"):
                self._refuse(refused)
            raise self._away("token", str(exc.error)[:40]) from exc
        except Exception as exc:  # requests, JSON and Authlib errors alike: no token
            raise self._away("token", type(exc).__name__) from exc
        if not isinstance(given.get("access_token"), str):
            raise self._away("token", "no access token")
        return given

    def _check_id_token(self, text: Any, nonce: str) -> str:
        """The subject. OpenID Connect Core §3.1.3.7: signature, issuer, audience, times, nonce; one audience only."""
        if not isinstance(text, str) or len(text) > ID_TOKEN_BYTES:
            self._refuse("id-token-missing" if text is None else "id-token-too-long")
        now = int(time.time())
        try:
            claims = self._decode(text)
            jwt.JWTClaimsRegistry(
                now=now,
                leeway=LEEWAY_S,
                iss={"essential": True, "value": self._issuer},
                aud={"essential": True, "value": self._client_id},
                sub={"essential": True},
                exp={"essential": True},
                iat={"essential": True},
                nonce={"essential": True, "value": nonce},
            ).validate(claims)
        except (JoseError, ValueError, KeyError, TypeError) as exc:
            log.warning("%s: an ID token was refused: %s", self._neighbour, type(exc).__name__)
            self._refuse("id-token-refused")
        if claims["aud"] not in (self._client_id, [self._client_id]):
            self._refuse("id-token-audience")
        if not now - OLDEST_S <= int(claims["iat"]) <= now + LEEWAY_S:
            self._refuse("id-token-not-fresh")
        subject = claims["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= 64 or not subject.isascii():
            self._refuse("id-token-subject")
        return subject

    def _decode(self, text: str) -> dict[str, Any]:
        try:
            return dict(jwt.decode(text, self._town_keys(), algorithms=list(ALGORITHMS)).claims)
        except (JoseError, ValueError):
            if time.monotonic() - self._keys_at < KEYS_AGAIN_S:
                raise
            return dict(jwt.decode(text, self._town_keys(again=True), algorithms=list(ALGORITHMS)).claims)

    def _town_keys(self, *, again: bool = False) -> KeySet:
        """The town's signature keys: P-256 only, asked for anew after an hour, or when one is unknown."""
        with self._lock:
            if self._keys is None or again or time.monotonic() - self._keys_at > KEYS_FRESH_S:
                document = self._get("jwks", None)
                found = document.get("keys") if isinstance(document, dict) else None
                usable: list[Key] = [
                    ECKey.import_key({**key, "alg": "ES256"})
                    for key in found or ()
                    if isinstance(key, dict)
                    and (key.get("kty"), key.get("crv")) == ("EC", "P-256")
                    and key.get("use", "sig") == "sig"
                    and "d" not in key
                ]
                if not usable:
                    raise self._away("keys", "no usable key")
                self._keys, self._keys_at = KeySet(usable), time.monotonic()
            return self._keys

    def _ask_identity(self, session: OAuth2Session, access_token: str, account: str) -> str:
        said = self._get("userinfo", access_token)
        if said.get("sub") != account:
            self._refuse("userinfo-subject")
        number = said.get("id_no")
        id_no = accepted_resident_id(number) if isinstance(number, str) else None
        if id_no is None:
            self._refuse("userinfo-no-identity")
        return id_no

    def _get(self, what: str, access_token: str | None) -> dict[str, Any]:
        headers = {"Accept": "application/json"}
        if access_token is not None:
            headers["Authorization"] = f"Bearer {access_token}"
        try:
            with requests.Session() as session:
                session.trust_env = False
                answer = session.get(
                    self._url[what], headers=headers, timeout=self._timeout, verify=self._verify, cert=self._cert,
                    allow_redirects=False, stream=True,
                )  # fmt: skip
                body = answer.raw.read(ANSWER_BYTES + 1, decode_content=True)
                answer.close()
            document = orjson.loads(body) if len(body) <= ANSWER_BYTES else None
        except (requests.RequestException, OSError, ValueError) as exc:
            raise self._away(what, type(exc).__name__) from exc
        if answer.status_code != 200 or not isinstance(document, dict):
            raise self._away(what, answer.status_code)
        return document

    def _revoke_quietly(self, refresh_token: str) -> None:
        """After a refused identity: the grant is of no use, and must not stay."""
        try:
            self.revoke(refresh_token)
        except UnavailableError as exc:
            log.warning("%s: a grant that was not taken could not be revoked: %s", self._neighbour, exc.code)

    def _refuse(self, code: str) -> NoReturn:
        raise RefusedError(
            f"{self._neighbour} did not prove who the resident is", code=code, where="linking",
            remedy="start linking again from the bank's app or the counter",
        )  # fmt: skip

    def _away(self, what: str, value: Any) -> UnavailableError:
        return UnavailableError(
            f"{self._neighbour} could not be asked", code="linking-unavailable", where=what, value=value,
            remedy="start linking again", retry_after_s=10,
        )  # fmt: skip
