"""A town's platform in a storm: threads of an independent OAuth client that push, retry and keep book.

What a thread was told, and only that, counts as acknowledged. A push whose answer never came is sent again under the same
Idempotency-Key until it is answered, or given up: then it may be stored once or not at all, and never twice.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import requests

from tests.plain_town import WEIGHTS
from tests.served import TownClient

TASKS = ("garbageSorting", "doorFrontHygiene", "volunteerService", "safetyPatrol")
PATH = "/contributions"
#: Answers after which the same request is sent again: nothing happened, or it is not known yet.
SEND_AGAIN = (401, 409, 429, 502, 503, 504)


def invented_id_no(number: int) -> str:
    """An invented resident id with a valid checksum (GB 11643), of a county that does not exist."""
    body = f"339999198005{number // 1000 + 1:02d}{number % 1000:03d}"
    return body + "10X98765432"[sum(int(c) * w for c, w in zip(body, WEIGHTS, strict=True)) % 11]


def register_families(town: TownClient, count: int) -> list[tuple[str, str]]:
    """Register families through the door; (family code, resident id) of each head."""
    since = datetime.now(UTC) - timedelta(days=200)
    consents = [
        {"purpose": purpose, "givenAt": since.isoformat(timespec="seconds"), "textVersion": "v1"}
        for purpose in ("loanMapping", "redemption")
    ]
    made = [(f"F{n:04d}", invented_id_no(n)) for n in range(count)]
    households = [
        {"familyCode": code, "village": "测试村", "memberSince": since.date().isoformat(), "members": [
            {"memberIdNo": id_no, "memberName": "测试甲", "isHead": True, "consents": consents}]}
        for code, id_no in made
    ]  # fmt: skip
    answer = town.post("/households", orjson.dumps({"households": households}), town.token())
    assert answer.status_code == 200, answer.text
    assert {item["status"] for item in answer.json()["items"]} == {"accepted"}, answer.text[:500]
    return made


@dataclass
class Book:
    """What all threads sent and were told."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    acknowledged: dict[str, str] = field(default_factory=dict)  # reference → status of the first answer
    sent: dict[str, int] = field(default_factory=dict)  # reference → points in hundredths
    answers: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)  # idempotency key → (body, answer)
    surprises: list[str] = field(default_factory=list)
    retries: int = 0
    given_up: int = 0
    waiting_since: dict[str, float] = field(default_factory=dict)

    def note_surprise(self, text: str) -> None:
        with self.lock:
            self.surprises.append(text)


class Pusher(threading.Thread):
    """One thread of pushes until told to stop."""

    def __init__(
        self, town: Callable[[], TownClient], book: Book, families: Sequence[tuple[str, str]], seed: int
    ) -> None:
        super().__init__(name=f"pusher-{seed}", daemon=True)
        self.make_town, self.book, self.families, self.seed = town, book, families, seed
        self.dice = random.Random(seed)
        self.stopping = threading.Event()
        self.town = town()
        self.token: str | None = None

    def run(self) -> None:
        number = 0
        while not self.stopping.is_set():
            number += 1
            body = self._document(number)
            key = f"storm-{self.seed}-{number}"
            self._push(body, key)
            if self.dice.random() < 0.1:  # the same items under another key: every one a duplicate
                self._push(body, key + "-again")
        self.town.close()

    def _document(self, number: int) -> bytes:
        items = []
        finished_at = datetime.now(UTC) - timedelta(days=self.dice.randrange(1, 90))
        for no in range(self.dice.choice((1, 1, 5, 40))):
            family, member = self.dice.choice(self.families)
            points = self.dice.randrange(1, 20)
            reference = f"S{self.seed}-{number}-{no}"
            items.append({"taskId": reference, "taskType": self.dice.choice(TASKS), "kind": "award",
                          "familyCode": family, "memberIdNo": member, "points": points,
                          "finishedAt": finished_at.isoformat(timespec="seconds")})  # fmt: skip
            with self.book.lock:
                self.book.sent[reference] = points * 100
        return orjson.dumps({"items": items})

    def _push(self, body: bytes, key: str) -> None:
        patience = 3 if self.dice.random() < 0.03 else 400  # a few give up
        for attempt in range(patience):
            answer = self._attempt(body, key)
            if answer is not None and answer.status_code == 200:
                self._note(key, body, answer)
                return
            if answer is not None and answer.status_code not in SEND_AGAIN:
                self.book.note_surprise(f"{key}: {answer.status_code} {answer.text[:300]}")
                return
            with self.book.lock:
                self.book.retries += 1
            time.sleep(min(0.05 * 2 ** min(attempt, 4), 0.5) * (0.5 + self.dice.random()))
        with self.book.lock:
            self.book.given_up += 1

    def _attempt(self, body: bytes, key: str) -> requests.Response | None:
        """One request; None when no answer came."""
        try:
            if self.token is None:
                asked = self.town.ask_token()
                if asked.status_code != 200:
                    return asked if asked.status_code >= 500 else self._refused(asked)
                self.token = str(asked.json()["access_token"])
            answer = self.town.post(PATH, body, self.token, key=key)
        except requests.RequestException:
            self.town.close()
            self.town = self.make_town()
            return None
        if answer.status_code == 401:
            self.token = None
        return answer

    def _refused(self, answer: requests.Response) -> requests.Response:
        self.book.note_surprise(f"token: {answer.status_code} {answer.text[:300]}")
        return answer

    def _note(self, key: str, body: bytes, answer: requests.Response) -> None:
        told: dict[str, Any] = answer.json()
        with self.book.lock:
            self.book.answers[key] = (body, answer.content)
            for item in told["items"]:
                self.book.acknowledged.setdefault(item["reference"], item["status"])
                if item["status"] not in ("accepted", "duplicate"):
                    self.book.surprises.append(f"{key}: {item}")
