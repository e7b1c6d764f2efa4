"""A town's platform in a storm: an independent OAuth client (requests and joserfc only) whose threads push, retry and keep book.

What a thread was told, and only that, counts as acknowledged. A push whose answer never came is sent again under the same
Idempotency-Key until it is answered, or given up: then it may be stored once or not at all, and never twice.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from joserfc import jwt
from joserfc.jwk import ECKey

TASKS = ("garbageSorting", "doorFrontHygiene", "volunteerService", "safetyPatrol")


@dataclass(frozen=True)
class Credentials:
    """What a town's vendor is given."""

    url: str
    client_id: str
    ca_cert: Path
    certificate: tuple[Path, Path]
    assertion_key: Path
    scope: str = "contributions.write contributions.read households.write consents.write"


class TownSession:
    """One connection of a town: mutual TLS, a token that is fetched again when it is refused."""

    def __init__(self, given: Credentials) -> None:
        self.given = given
        self.session = requests.Session()
        self.session.verify = str(given.ca_cert)
        self.session.cert = (str(given.certificate[0]), str(given.certificate[1]))
        self._token = ""

    def token(self, *, fresh: bool = False) -> str:
        """A token; asks for one when there is none. Raises requests.RequestException."""
        if self._token and not fresh:
            return self._token
        key = ECKey.import_key(self.given.assertion_key.read_text())
        now = int(time.time())
        claims = {"iss": self.given.client_id, "sub": self.given.client_id, "aud": f"{self.given.url}/oauth/token",
                  "jti": uuid.uuid4().hex, "iat": now, "exp": now + 60}  # fmt: skip
        assertion = jwt.encode({"alg": "ES256", "kid": key.thumbprint()}, claims, key)
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion,
            "scope": self.given.scope,
        }
        answer = self.session.post(f"{self.given.url}/oauth/token", data=form, timeout=10)
        answer.raise_for_status()
        self._token = str(answer.json()["access_token"])
        return self._token

    def post(self, path: str, document: Any, key: str) -> requests.Response:
        """POST with token and Idempotency-Key; one new token when the first was refused."""
        for fresh in (False, True):
            headers = {"Authorization": f"Bearer {self.token(fresh=fresh)}", "Idempotency-Key": key}
            answer = self.session.post(f"{self.given.url}{path}", json=document, headers=headers, timeout=15)
            if answer.status_code != 401:
                break
        return answer


@dataclass
class Book:
    """What all threads sent and were told."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    acknowledged: dict[str, str] = field(default_factory=dict)  # reference → status of the first answer
    sent: set[str] = field(default_factory=set)
    answers: dict[str, tuple[Any, bytes]] = field(default_factory=dict)  # idempotency key → (document, answer)
    surprises: list[str] = field(default_factory=list)
    retries: int = 0
    given_up: int = 0


class Pusher(threading.Thread):
    """One thread of pushes until told to stop."""

    def __init__(self, given: Credentials, path: str, book: Book, families: list[tuple[str, str]], seed: int) -> None:
        super().__init__(name=f"pusher-{seed}", daemon=True)
        self.given, self.path, self.book, self.families = given, path, book, families
        self.dice = random.Random(seed)
        self.stopping = threading.Event()
        self.seed = seed

    def run(self) -> None:
        town = TownSession(self.given)
        number = 0
        while not self.stopping.is_set():
            number += 1
            document = self._document(number)
            key = f"storm-{self.seed}-{number}"
            with self.book.lock:
                self.book.sent.update(item["taskId"] for item in document["items"])
            self._push(town, document, key)
            if self.dice.random() < 0.1:  # the same items under another key: every one a duplicate
                self._push(town, document, key + "-again")

    def _document(self, number: int) -> dict[str, Any]:
        items = []
        finished_at = datetime.now(UTC) - timedelta(days=self.dice.randrange(1, 90))
        for no in range(self.dice.choice((1, 1, 5, 40))):
            family, member = self.dice.choice(self.families)
            items.append({"taskId": f"S{self.seed}-{number}-{no}", "taskType": self.dice.choice(TASKS), "kind": "award",
                          "familyCode": family, "memberIdNo": member, "points": str(self.dice.randrange(1, 20)),
                          "finishedAt": finished_at.isoformat(timespec="seconds")})  # fmt: skip
        return {"items": items}

    def _push(self, town: TownSession, document: dict[str, Any], key: str) -> None:
        patience = 3 if self.dice.random() < 0.03 else 200  # a few give up
        for attempt in range(patience):
            try:
                answer = town.post(self.path, document, key)
            except requests.RequestException:
                answer = None
                town = TownSession(self.given)
            if answer is not None and answer.status_code == 200:
                self._note(document, key, answer)
                return
            if answer is not None and answer.status_code not in (401, 409, 429, 500, 502, 503, 504):
                self._surprise(f"{key}: {answer.status_code} {answer.text[:300]}")
                return
            if answer is not None and answer.status_code == 500:
                self._surprise(f"{key}: 500 {answer.text[:300]}")
            with self.book.lock:
                self.book.retries += 1
            time.sleep(min(0.05 * 2 ** min(attempt, 4), 0.5) * (0.5 + self.dice.random()))
        with self.book.lock:
            self.book.given_up += 1

    def _note(self, document: dict[str, Any], key: str, answer: requests.Response) -> None:
        told = answer.json()
        with self.book.lock:
            self.book.answers[key] = (document, answer.content)
            for item in told["items"]:
                reference = item["taskId"]
                self.book.acknowledged.setdefault(reference, item["status"])
                if item["status"] not in ("accepted", "duplicate"):
                    self.book.surprises.append(f"{key}: {reference} is {item['status']}: {item}")

    def _surprise(self, text: str) -> None:
        with self.book.lock:
            self.book.surprises.append(text)
