"""The sending side of a town that comes in by the REST door: requests and joserfc only, nothing of the gateway or an adapter."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import requests
from joserfc import jwt
from joserfc.jwk import ECKey

from adapters.kit.subject import DoorAnswer, DoorPlace

SCOPE = "contributions.write contributions.read households.write consents.write"
PATHS = {"push": "/contributions", "register": "/households", "withdraw": "/consents/withdrawals"}


class OAuthSender:
    """`DoorSender` over OAuth 2.0 with private_key_jwt and certificate-bound tokens."""

    forgeries = ("no-token", "altered-token", "no-certificate", "other-certificate", "other-town")

    def __init__(self, place: DoorPlace) -> None:
        self._place = place
        self._token = ""
        self._calls = self._session(place.client_cert)

    def register(self, document: bytes) -> DoorAnswer:
        """Register residents with their consents."""
        return self._post("register", document, str(uuid4()))

    def withdraw(self, document: bytes) -> DoorAnswer:
        """Take consents back."""
        return self._post("withdraw", document, str(uuid4()))

    def push(self, document: bytes, key: str) -> DoorAnswer:
        """Push under an idempotency key."""
        return self._post("push", document, key)

    def push_forged(self, document: bytes, key: str, how: str) -> DoorAnswer:
        """Push with something wrong about who is sending."""
        token = self._usable_token()
        if how == "no-token":
            return self._send(self._calls, self._place.town, "push", document, key, {})
        if how == "altered-token":
            head, _, rest = token.partition(".")
            body, _, signature = rest.partition(".")
            token = f"{head}.{body}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"
        calls, town = self._calls, self._place.town
        if how == "no-certificate":
            calls = self._session(None)
        elif how == "other-certificate":
            calls = self._session(self._place.other_cert)
        elif how == "other-town":
            town = self._place.other_town
        return self._send(calls, town, "push", document, key, {"Authorization": f"Bearer {token}"})

    def close(self) -> None:
        """Give the connections back."""
        self._calls.close()

    def _post(self, what: str, document: bytes, key: str) -> DoorAnswer:
        headers = {"Authorization": f"Bearer {self._usable_token()}"}
        return self._send(self._calls, self._place.town, what, document, key, headers)

    def _send(
        self,
        calls: requests.Session,
        town: str,
        what: str,
        document: bytes,
        key: str,
        headers: Mapping[str, str],
    ) -> DoorAnswer:
        answer = calls.post(
            f"{self._place.address}/towns/{town}/v1{PATHS[what]}",
            data=document,
            headers={"Content-Type": "application/json", "Idempotency-Key": key, **headers},
            timeout=(5, 60),
            allow_redirects=False,
        )
        read: Mapping[str, Any] = answer.json()
        items = read.get("items", []) if answer.status_code == 200 else []
        return DoorAnswer(
            answer.status_code,
            "" if answer.status_code == 200 else str(read.get("code", "")),
            tuple(item["status"] for item in items),
            tuple(item["code"] for item in items if item.get("code")),
            str(read.get("receipt", "")),
            answer.content,
        )

    def _session(self, certificate: tuple[str, str] | None) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.verify = self._place.ca_file
        session.cert = certificate
        return session

    def _usable_token(self) -> str:
        if self._token:
            return self._token
        place, now = self._place, int(time.time())
        url = f"{place.address}/oauth/token"
        with open(place.assertion_key, encoding="ascii") as file:
            key = ECKey.import_key(file.read())
        claims = {
            "iss": place.client_id,
            "sub": place.client_id,
            "aud": url,
            "jti": str(uuid4()),
            "iat": now,
            "exp": now + 60,
        }
        form = {
            "grant_type": "client_credentials",
            "scope": SCOPE,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": jwt.encode({"alg": "ES256", "kid": key.thumbprint()}, claims, key),
        }
        answer = self._calls.post(url, data=form, timeout=(5, 15), allow_redirects=False)
        answer.raise_for_status()
        self._token = str(answer.json()["access_token"])
        return self._token
