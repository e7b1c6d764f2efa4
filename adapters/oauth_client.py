"""Calls to a neighbour's REST interface with OAuth 2.0 client credentials (RFC 6749 §4.4) and private_key_jwt (RFC 7523).

Never retries: it says which kind of failure it was, and the corridor decides. One token serves all threads and is renewed before
it ends. Connections are kept; every wait has an end.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import orjson
import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT, private_key_jwt_sign
from joserfc.jwk import ECKey
from urllib3.exceptions import MaxRetryError, NameResolutionError, NewConnectionError

from adapters.deadlines import DeadlineAdapter, ending_in
from schemas.boundary import before_neighbour_call
from schemas.errors import (
    ConflictError,
    ForbiddenError,
    GatewayError,
    InvalidError,
    NotFoundError,
    OutcomeUnknownError,
    RefusedError,
    UnavailableError,
)

LONGEST_ANSWER_BYTES = 8 * 1024 * 1024
CONNECTIONS = 32
ASSERTION_LIVES_S = 300
RENEW_BEFORE_S = 30.0  # a token is not used in the last seconds of its life

_KINDS: Mapping[int, type[GatewayError]] = {
    400: InvalidError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    422: RefusedError,
}


class ShortAssertion(PrivateKeyJWT):  # type: ignore[misc]  # Authlib is untyped
    """private_key_jwt with ES256, a fresh `jti` each time and five minutes to live (Authlib's own would live an hour)."""

    def __init__(self, token_url: str, key_pem: str, key_id: str) -> None:
        super().__init__(token_url, alg="ES256")
        self._key = ECKey.import_key(key_pem)
        self._key_id = key_id or self._key.thumbprint()

    def sign(self, auth: Any, token_endpoint: str) -> str:
        """The assertion for one request."""
        assertion: str = private_key_jwt_sign(
            self._key,
            client_id=auth.client_id,
            token_endpoint=token_endpoint,
            header={"kid": self._key_id},
            alg=self.alg,
            expires_in=ASSERTION_LIVES_S,
        )
        return assertion


class OAuthAccess:
    """One neighbour: its address, our credentials there, and the failures told apart."""

    def __init__(
        self,
        *,
        neighbour: str,
        address: str,
        client_id: str,
        key_pem: str,
        key_id: str,
        token_path: str,
        scope: str,
        verify: str | bool,
        client_cert: tuple[str, str] | None,
        connect_timeout_s: float,
        answer_timeout_s: float,
    ) -> None:
        self._neighbour = neighbour
        self._address = address.rstrip("/")
        self._token_url = self._address + token_path
        self._timeout = (connect_timeout_s, answer_timeout_s)
        self._exchange_s = connect_timeout_s + answer_timeout_s  # the whole of one, however slowly it drips
        self._token = ""
        self._token_until = 0.0  # monotonic
        self._renewing = threading.Lock()
        self._oauth = OAuth2Session(
            client_id,
            scope=scope,
            token_endpoint_auth_method=ShortAssertion(self._token_url, key_pem, key_id),
        )
        self._calls = requests.Session()
        ca_file = Path(verify) if isinstance(verify, str) else None
        for session in (self._oauth, self._calls):
            session.trust_env = False  # no proxy or netrc from the surroundings
            session.verify = verify
            session.cert = client_cert
            session.mount("https://", DeadlineAdapter(ca_file=ca_file, client=None, connections=CONNECTIONS))

    def ask(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """GET: changes nothing, so any failure to answer is UnavailableError. The JSON answer."""
        return self._call("GET", path, query, None, acts=False)

    def fetch(self, path: str, query: Mapping[str, str] | None = None) -> bytes:
        """GET like `ask`: the answer's bytes as they came, once it is a JSON object."""
        body: bytes = self._call("GET", path, query, None, acts=False, raw=True)
        return body

    def ask_by_post(self, path: str, content: Mapping[str, Any]) -> Any:
        """POST that changes nothing: for questions that name a person, whose id must not stand in an address."""
        return self._call("POST", path, None, content, acts=False)

    def act(self, path: str, content: Mapping[str, Any]) -> Any:
        """POST: a lost or unreadable answer is OutcomeUnknownError. The JSON answer."""
        return self._call("POST", path, None, content, acts=True)

    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        content: Mapping[str, Any] | None,
        *,
        acts: bool,
        raw: bool = False,
    ) -> Any:
        before_neighbour_call(self._neighbour)
        headers = {"Authorization": "Bearer " + self._usable_token(), "Accept": "application/json"}
        if content is not None:
            headers["Content-Type"] = "application/json"
        try:
            with ending_in(self._exchange_s):
                answer = self._calls.request(
                    method,
                    self._address + path,
                    params=query,
                    data=None if content is None else orjson.dumps(content),
                    headers=headers,
                    timeout=self._timeout,
                    allow_redirects=False,
                    stream=True,
                )
                body = self._read_bounded(answer)
        except requests.RequestException as exc:
            self._lost(exc, acts=acts)
        document = self._judge(answer, body, path, acts=acts)
        return body if raw else document

    def _usable_token(self) -> str:
        """The token all threads share; one of them renews it. Asking for one acts on nothing: UnavailableError."""
        with self._renewing:
            if time.monotonic() < self._token_until:
                return self._token
            asked_at = time.monotonic()
            try:
                with ending_in(self._exchange_s):
                    given = self._oauth.fetch_token(
                        self._token_url,
                        grant_type="client_credentials",
                        timeout=self._timeout,
                        allow_redirects=False,
                    )
                token, lives_s = str(given["access_token"]), float(given.get("expires_in") or 60)
            except Exception as exc:  # Authlib, requests and JSON errors alike: no token, nothing happened
                raise UnavailableError(
                    f"{self._neighbour} gave no access token ({type(exc).__name__})", code="neighbour-no-token",
                    where=self._token_url, remedy="check our client id and key there", retry_after_s=10,
                ) from exc  # fmt: skip
            self._token = token
            self._token_until = asked_at + max(lives_s - RENEW_BEFORE_S, lives_s / 2)
            return token

    def _forget_token(self, token: str | None) -> None:
        with self._renewing:
            if token is None or token == self._token:
                self._token_until = 0.0

    def _read_bounded(self, answer: requests.Response) -> bytes:
        """The whole body, within a size; within a time, because the exchange has an end."""
        parts, size = [], 0
        for part in answer.iter_content(65536):
            size += len(part)
            if size > LONGEST_ANSWER_BYTES:
                answer.close()
                raise requests.Timeout("the answer is too long")
            parts.append(part)
        return b"".join(parts)

    def _lost(self, exc: requests.RequestException, *, acts: bool) -> NoReturn:
        if not acts or _never_sent(exc):
            raise UnavailableError(
                f"{self._neighbour} could not be reached", code="neighbour-unreachable",
                value=type(exc).__name__, retry_after_s=5,
            ) from exc  # fmt: skip
        raise OutcomeUnknownError(
            f"{self._neighbour} did not answer; it may have acted", code="neighbour-answer-lost",
            value=type(exc).__name__, remedy="ask by the serial before sending again",
        ) from exc  # fmt: skip

    def _judge(self, answer: requests.Response, body: bytes, path: str, *, acts: bool) -> Any:
        status = answer.status_code
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError:
            document = None
        if status in (200, 201) and isinstance(document, dict):
            return document
        code = document.get("code") if isinstance(document, dict) else None
        code = code if isinstance(code, str) and code.isascii() and len(code) <= 64 else None
        if status in (429, 503):
            raise UnavailableError(
                f"{self._neighbour} is busy; nothing happened", code="neighbour-busy", value=status,
                retry_after_s=_seconds(answer.headers.get("Retry-After")),
            )  # fmt: skip
        if status == 401:
            self._forget_token(None)
            raise UnavailableError(
                f"{self._neighbour} did not take our access token; nothing happened", code="neighbour-token-refused",
                retry_after_s=1,
            )  # fmt: skip
        if status in _KINDS and document is not None:
            raise _KINDS[status](
                f"{self._neighbour} refused", code=code, where=path.rsplit("/", maxsplit=1)[-1], value=status
            )
        if not acts:
            raise UnavailableError(
                f"{self._neighbour} answered something unreadable", code="neighbour-unreadable", value=status
            )
        raise OutcomeUnknownError(
            f"{self._neighbour} answered something unreadable; it may have acted", code="neighbour-unreadable", value=status,
            remedy="ask by the serial before sending again",
        )  # fmt: skip


def _never_sent(exc: requests.RequestException) -> bool:
    """True when no byte of the request can have reached the neighbour: no address, no connection, no TLS."""
    if isinstance(
        exc,
        (requests.exceptions.ConnectTimeout, requests.exceptions.SSLError, requests.exceptions.InvalidURL),
    ):
        return True
    cause: Any = exc.args[0] if exc.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    return isinstance(reason, (NewConnectionError, NameResolutionError))


def _seconds(text: str | None) -> int:
    return min(int(text), 3600) if text and text.isascii() and text.isdigit() else 5
