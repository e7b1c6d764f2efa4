"""The town's sending side: OAuth with requests and joserfc only, batches, one key for one batch, nothing forgotten.

A batch that was not answered is sent again under its key until it is; what was acknowledged is kept with its receipt.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

import requests
from joserfc import jwt
from joserfc.jwk import ECKey

BATCH = 1000
SMALL_TOWN = 50 * BATCH
HOUSEHOLDS = 250
WITHDRAWALS = 250
ATTEMPTS = 40
LONGEST_WAIT_S = 10.0
BOOKED = ("accepted", "duplicate", "quarantined")  # the gateway has it, or holds it until it can be posted
SCOPE = "contributions.write contributions.read households.write consents.write"

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DoorAccess:
    """How the town reaches the gateway."""

    address: str  # https://localhost:8443
    client_id: str
    assertion_key: Path = field(repr=False)
    client_cert: Path
    client_key: Path = field(repr=False)
    ca_file: Path
    town: str = "lijiayuan"


@dataclass(slots=True)
class Pushed:
    """What the gateway acknowledged."""

    counts: Counter[str] = field(default_factory=Counter)  # by status
    codes: Counter[str] = field(default_factory=Counter)  # reasons of what was not accepted
    receipts: dict[str, str] = field(default_factory=dict)  # Idempotency-Key → receipt
    tried_again: int = 0
    replayed: int = 0


class DoorRefusedError(Exception):
    """The door said no to a whole request; sending it again cannot help. Carries the problem document."""


class Pusher:
    """One town's sender. Threads may share it."""

    def __init__(
        self, access: DoorAccess, *, seed: int = 0, told: Callable[[list[Item]], None] = lambda _: None
    ) -> None:
        self.access = access
        self._told = told  # hears what the gateway holds: the town books it in its day statement
        self._seed = seed
        self._key = ECKey.import_key(access.assertion_key.read_text())
        self._calls = requests.Session()
        self._calls.trust_env = False
        self._calls.verify = str(access.ca_file)
        self._calls.cert = (str(access.client_cert), str(access.client_key))
        self._calls.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=8))
        self._lock = Lock()
        self._token, self._token_until = "", 0.0
        self.pushed = Pushed()

    def push_all(
        self, items: Sequence[Item], *, senders: int = 2, done: Callable[[int], None] = lambda _: None,
        repeat: bool = False, label: str = "year",
    ) -> Pushed:  # fmt: skip
        """Send everything in batches, `senders` at a time and in order. `repeat` sends each batch a second time."""
        if len(items) < SMALL_TOWN:
            senders = 1  # a batch then holds weeks: a reversal must not overtake what it reverses
        batches = [items[start : start + BATCH] for start in range(0, len(items), BATCH)]
        with ThreadPoolExecutor(senders) as pool:
            for size in pool.map(
                lambda one: self._push_numbered(label, one[0], one[1], repeat), enumerate(batches)
            ):
                done(size)
        return self.pushed

    def _push_numbered(self, label: str, number: int, batch: Sequence[Item], repeat: bool) -> int:
        key = str(uuid5(NAMESPACE_URL, f"lijiayuan/{self._seed}/{label}/{number}"))
        for _ in range(2 if repeat else 1):
            self.push(batch, key=key)
        return len(batch)

    def push(self, batch: Sequence[Item], *, key: str | None = None) -> Item:
        """Send one batch until it is answered; the answer."""
        key = key or str(uuid4())
        answer = self._send("/contributions", {"items": list(batch)}, key)
        with self._lock:
            self.pushed.receipts[key] = answer["receipt"]
            for item in answer["items"]:
                self.pushed.counts[item["status"]] += 1
                if item.get("code"):
                    self.pushed.codes[item["code"]] += 1
        self._told([batch[item["itemNo"]] for item in answer["items"] if item["status"] in BOOKED])
        return answer

    def register(
        self, families: Sequence[Item], *, done: Callable[[int], None] = lambda _: None
    ) -> Counter[str]:
        """Register families with members and consents."""
        return self._send_parts("/households", "households", families, HOUSEHOLDS, done)

    def withdraw(
        self, withdrawals: Sequence[Item], *, done: Callable[[int], None] = lambda _: None
    ) -> Counter[str]:
        """Pass withdrawn consents on."""
        return self._send_parts("/consents/withdrawals", "withdrawals", withdrawals, WITHDRAWALS, done)

    def _send_parts(
        self, path: str, listed: str, entries: Sequence[Item], size: int, done: Callable[[int], None]
    ) -> Counter[str]:
        counts: Counter[str] = Counter()
        for start in range(0, len(entries), size):
            part = entries[start : start + size]
            answer = self._send(path, {listed: list(part)}, str(uuid4()))
            counts.update(item["status"] for item in answer["items"])
            done(len(part))
        return counts

    def _send(self, path: str, document: Item, key: str) -> Item:
        url = f"{self.access.address}/towns/{self.access.town}/v1{path}"
        body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        for wait_s in _waits():
            try:
                answer = self._calls.post(
                    url,
                    data=body,
                    headers={
                        "Authorization": f"Bearer {self._usable_token()}",
                        "Content-Type": "application/json",
                        "Idempotency-Key": key,
                    },
                    timeout=(5, 60),
                    allow_redirects=False,
                )
            except requests.RequestException:
                answer = None
            if answer is not None and answer.status_code == 200:
                self.pushed.replayed += answer.headers.get("Idempotency-Replayed") == "true"
                found: Item = answer.json()
                return found
            self._judge(answer)
            self.pushed.tried_again += 1
            time.sleep(_asked_to_wait(answer) or wait_s)
        raise DoorRefusedError(f"{url} was not answered in {ATTEMPTS} attempts")

    def _judge(self, answer: requests.Response | None) -> None:
        """Return when the same may be sent again; raise when that cannot help."""
        if answer is None or answer.status_code >= 500 or answer.status_code in (409, 429):
            return
        if answer.status_code == 401 and self._token:
            with self._lock:
                self._token_until = 0.0
            return
        raise DoorRefusedError(f"{answer.status_code}: {answer.text[:500]}")

    def _usable_token(self) -> str:
        with self._lock:
            if time.monotonic() < self._token_until:
                return self._token
            url = f"{self.access.address}/oauth/token"
            now = int(time.time())
            claims = {
                "iss": self.access.client_id,
                "sub": self.access.client_id,
                "aud": url,
                "jti": str(uuid4()),
                "iat": now,
                "exp": now + 60,
            }
            header = {"alg": "ES256", "kid": self._key.thumbprint()}
            form = {
                "grant_type": "client_credentials",
                "scope": SCOPE,
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                "client_assertion": jwt.encode(header, claims, self._key, algorithms=["ES256"]),
            }
            answer = self._calls.post(url, data=form, timeout=(5, 15), allow_redirects=False)
            if answer.status_code in (400, 401, 403):
                raise DoorRefusedError(f"no token, {answer.status_code}: {answer.text[:500]}")
            answer.raise_for_status()
            given = answer.json()
            self._token, self._token_until = (
                given["access_token"],
                time.monotonic() + given["expires_in"] - 30,
            )
            return self._token


def _waits() -> Iterator[float]:
    wait_s = 0.2
    for _ in range(ATTEMPTS):
        yield wait_s
        wait_s = min(wait_s * 1.6, LONGEST_WAIT_S)


def _asked_to_wait(answer: requests.Response | None) -> float:
    text = answer.headers.get("Retry-After", "") if answer is not None else ""
    return min(float(text), LONGEST_WAIT_S) if text.isdigit() else 0.0
