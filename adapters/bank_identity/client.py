"""Calls to the provider through Authlib, and the checks of what it says. Never retries."""

from __future__ import annotations

import hmac
import threading
import time
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import orjson
import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from adapters.oauth_client import ShortAssertion
from schemas.boundary import before_neighbour_call
from schemas.errors import ForbiddenError, UnavailableError
from schemas.staff import BRANCH_NO, TELLER_NO, ProviderAsk, ProviderClaims, ProviderReturn, Role

if TYPE_CHECKING:
    from adapters.bank_identity import Config

NEIGHBOUR: Final = "bank_identity"
ALGORITHMS: Final = ["RS256", "PS256", "ES256"]  # named here: never what the token asks for
METADATA_LIVES_S = 3600.0
KEYS_APART_S = 30.0  # an unknown key is looked for so often at most
LONGEST_TOKEN = 16 * 1024
LEEWAY_S = 30
_NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class IdentityClient:
    """`schemas.ports.IdentityPort` over OpenID Connect."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._issuer = config.address.rstrip("/")
        self._timeout = (config.connect_timeout_s, config.answer_timeout_s)
        self._lock = threading.Lock()
        self._metadata: dict[str, Any] = {}
        self._metadata_at = -METADATA_LIVES_S
        self._keys: KeySet | None = None
        self._keys_at = -KEYS_APART_S
        self._calls = requests.Session()
        self._calls.trust_env = False
        self._calls.verify = str(config.ca_file) if config.ca_file else True

    def authorization_url(self, ask: ProviderAsk) -> str:
        """Where the browser goes to sign in. Raises UnavailableError."""
        metadata = self._read_metadata()
        session = self._session(metadata, ask)
        url, _ = session.create_authorization_url(
            metadata["authorization_endpoint"],
            state=ask.state,
            code_verifier=ask.code_verifier,
            nonce=ask.nonce,
        )
        return str(url)

    def exchange(self, ask: ProviderAsk, returned: ProviderReturn, now: datetime) -> ProviderClaims:
        """Who signed in. Raises ForbiddenError `provider-refused` for an answer that is wrong in any way, `provider-no-role` for
        a person without a role here, and UnavailableError."""
        if returned.error or not returned.code:
            raise _refused(f"it answered {returned.error[:40]!r}" if returned.error else "it gave no code")
        if not hmac.compare_digest(returned.state.encode(), ask.state.encode()):
            raise _refused("the state is not ours")
        metadata = self._read_metadata()
        says_issuer = metadata.get("authorization_response_iss_parameter_supported") is True
        if (returned.issuer or says_issuer) and returned.issuer != metadata["issuer"]:
            raise _refused("another issuer answered (RFC 9207)")
        given = self._fetch_token(metadata, ask, returned.code)
        id_token, access_token = given.get("id_token"), given.get("access_token")
        if (
            not isinstance(id_token, str)
            or not isinstance(access_token, str)
            or len(id_token) > LONGEST_TOKEN
        ):
            raise _refused("it gave no ID token")
        claims = self._read_id_token(metadata, id_token, ask.nonce, access_token, now)
        return self._to_person(claims, id_token)

    def sign_out_url(self, id_token: str, back: str) -> str:
        """Where the browser goes to sign out there as well; '' when the provider offers no such place."""
        target = self._read_metadata().get("end_session_endpoint")
        if not isinstance(target, str) or not target.startswith("https://"):
            return ""
        asked = {
            "id_token_hint": id_token,
            "client_id": self._config.client_id,
            "post_logout_redirect_uri": back,
        }
        return f"{target}?{urlencode(asked)}"

    def _session(self, metadata: Mapping[str, Any], ask: ProviderAsk) -> Any:
        assertion = ShortAssertion(
            metadata["token_endpoint"], self._config.key_file.read_text(), self._config.key_id
        )
        session = OAuth2Session(
            self._config.client_id,
            scope=self._config.scope,
            redirect_uri=ask.redirect_uri,
            code_challenge_method="S256",
            token_endpoint_auth_method=assertion,
        )
        session.trust_env = False
        session.verify = self._calls.verify
        return session

    def _fetch_token(self, metadata: Mapping[str, Any], ask: ProviderAsk, code: str) -> Mapping[str, Any]:
        before_neighbour_call(NEIGHBOUR)
        try:
            with self._session(metadata, ask) as session:
                given = session.fetch_token(
                    metadata["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=ask.code_verifier,
                    timeout=self._timeout,
                    allow_redirects=False,
                )
        except requests.RequestException as exc:  # a code is used once: whatever happened, begin again
            raise _away(exc) from exc
        except (OAuthError, ValueError) as exc:
            raise _refused(f"it gave no token ({type(exc).__name__})") from exc
        return dict(given)

    def _read_id_token(
        self, metadata: Mapping[str, Any], text: str, nonce: str, access_token: str, now: datetime
    ) -> Mapping[str, Any]:
        """OpenID Connect Core 1.0 section 3.1.3.7."""
        try:
            token = self._decode(metadata, text)
            claims = CodeIDToken(
                token.claims,
                token.header,
                {
                    "iss": {"essential": True, "value": metadata["issuer"]},
                    "aud": {"essential": True, "value": self._config.client_id},
                    "sub": {"essential": True, "allow_blank": False},
                },
                {"nonce": nonce, "client_id": self._config.client_id, "access_token": access_token},
            )
            claims.validate(now=int(now.timestamp()), leeway=LEEWAY_S)
        except (JoseError, ValueError, KeyError, TypeError) as exc:
            raise _refused(f"its ID token is not to be trusted ({type(exc).__name__})") from exc
        return claims  # type: ignore[no-any-return]

    def _decode(self, metadata: Mapping[str, Any], text: str) -> Any:
        """With a key of the provider's list; a key we do not know yet is looked for once."""
        for fresh in (False, True):
            keys = self._read_keys(metadata, fresh=fresh)
            try:
                return jwt.decode(text, keys, algorithms=ALGORITHMS)
            except (JoseError, ValueError):
                if fresh or time.monotonic() - self._keys_at < KEYS_APART_S:
                    raise
        raise AssertionError("unreachable")

    def _read_keys(self, metadata: Mapping[str, Any], *, fresh: bool) -> KeySet:
        with self._lock:
            if self._keys is None or fresh:
                found = self._fetch(metadata["jwks_uri"]).get("keys")
                usable = [
                    key
                    for key in found or ()
                    if isinstance(key, dict)
                    and key.get("use", "sig") == "sig"
                    and key.get("kty") in ("RSA", "EC")
                ]
                try:
                    self._keys = KeySet.import_key_set({"keys": usable})
                except (JoseError, ValueError, KeyError) as exc:
                    raise _refused("its keys cannot be read") from exc
                self._keys_at = time.monotonic()
            return self._keys

    def _read_metadata(self) -> Mapping[str, Any]:
        """OpenID Connect Discovery 1.0 section 4: the issuer it names is the one we asked."""
        with self._lock:
            if time.monotonic() - self._metadata_at < METADATA_LIVES_S:
                return self._metadata
        found = self._fetch(self._issuer + "/.well-known/openid-configuration")
        try:
            metadata = OpenIDProviderMetadata(found)
            metadata.validate_issuer()
        except ValueError as exc:
            raise _refused("its metadata cannot be read") from exc
        if str(metadata.get("issuer", "")).rstrip("/") != self._issuer:
            raise _refused("its metadata names another issuer")
        for name in _NEEDED:
            if not str(metadata.get(name, "")).startswith("https://"):
                raise _refused(f"its metadata has no usable {name}")
        with self._lock:
            self._metadata, self._metadata_at = dict(metadata), time.monotonic()
            return self._metadata

    def _fetch(self, url: str) -> dict[str, Any]:
        before_neighbour_call(NEIGHBOUR)
        try:
            answer = self._calls.get(url, timeout=self._timeout, allow_redirects=False)
            found = orjson.loads(answer.content) if answer.status_code == 200 else None
        except (requests.RequestException, orjson.JSONDecodeError) as exc:
            raise _away(exc) from exc
        if not isinstance(found, dict):
            raise _away(None)
        return found

    def _to_person(self, claims: Mapping[str, Any], id_token: str) -> ProviderClaims:
        config = self._config
        said = claims.get(config.roles_claim, [])
        groups = {said} if isinstance(said, str) else {str(group) for group in said}
        mapped = {config.roles.get(group, group if not config.roles else "") for group in groups}
        roles = frozenset(Role(role) for role in mapped if role in set(Role))
        branch_no, teller_no = (str(claims.get(n, "")) for n in (config.branch_claim, config.teller_claim))
        if not roles:
            raise ForbiddenError(
                "the identity provider gives this person no role here",
                code="provider-no-role",
                where=config.roles_claim,
            )
        if not BRANCH_NO.fullmatch(branch_no) or not TELLER_NO.fullmatch(teller_no):
            raise _refused("it says no branch or no teller number")
        name = str(claims.get(config.name_claim) or teller_no)[:64]
        return ProviderClaims(f"{claims['iss']} {claims['sub']}", name, branch_no, teller_no, roles, id_token)


def _refused(why: str) -> ForbiddenError:
    return ForbiddenError(
        f"the identity provider's answer is not accepted: {why}",
        code="provider-refused",
        where=NEIGHBOUR,
        remedy="begin the sign-in again",
    )


def _away(exc: Exception | None) -> UnavailableError:
    return UnavailableError(
        "the identity provider does not answer",
        code="provider-unavailable",
        where=NEIGHBOUR,
        value=type(exc).__name__ if exc else None,
        retry_after_s=10,
    )
