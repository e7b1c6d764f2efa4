"""The town's sending side: SOAP 1.2 in GB18030 with a UsernameToken over mutual TLS, made by hand with requests and lxml only.

A message that was not answered is sent again under its serial, with a new token, until it is; what was acknowledged is kept with
its receipt.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from adapters.pingan_gongfu.simulator.speech import (
    SOAP,
    body_of,
    element,
    envelope,
    read,
    username_token,
    words_of,
)

NAMESPACE = "urn:pingan-gongfu:gateway:1"
BATCH = 500
PERSONS = 250
ATTEMPTS = 40
LONGEST_WAIT_S = 10.0
SEND_AGAIN = ("9001", "9999")

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DoorAccess:
    """How the town reaches the gateway."""

    url: str  # https://localhost:8443/…: the whole address of the SOAP door
    username: str
    password: str = field(repr=False)
    client_cert: Path
    client_key: Path = field(repr=False)
    ca_file: Path


@dataclass(slots=True)
class Pushed:
    """What the gateway acknowledged."""

    counts: Counter[str] = field(default_factory=Counter)  # by FHM of the items
    codes: Counter[str] = field(default_factory=Counter)  # YYM of what was not accepted
    receipts: dict[str, str] = field(default_factory=dict)  # LSH of the push → receipt
    tried_again: int = 0


class DoorRefusedError(Exception):
    """The door said no to a whole message; sending it again cannot help."""


class Pusher:
    """One town's sender."""

    def __init__(self, access: DoorAccess, *, seed: int = 0) -> None:
        self.access = access
        self._seed = seed
        self._calls = requests.Session()
        self._calls.trust_env = False
        self._calls.verify = str(access.ca_file)
        self._calls.cert = (str(access.client_cert), str(access.client_key))
        self.pushed = Pushed()

    def push_all(
        self, items: Sequence[Item], *, done: Callable[[int], None] = lambda _: None, label: str = "year"
    ) -> Pushed:
        """Send everything in order, 500 a message, each under a serial made of the seed."""
        for number, start in enumerate(range(0, len(items), BATCH)):
            batch = items[start : start + BATCH]
            self.push(batch, serial=f"TS{self._seed}-{label}-{number:06d}")
            done(len(batch))
        return self.pushed

    def push(self, batch: Sequence[Item], *, serial: str) -> Item:
        """Send one message until it is answered; the answer's words (`JGLB`: [{"JG": [...]}])."""
        answer = self._send("JFTS", {"LSH": serial, "HDLB": {"HD": list(batch)}})
        self.pushed.receipts[serial] = answer["HZ"]
        for item in results_of(answer):
            self.pushed.counts[item["FHM"]] += 1
            if item["YYM"]:
                self.pushed.codes[item["YYM"]] += 1
        return answer

    def ask(self, serial: str) -> Item:
        """JFCX: what became of a push."""
        return self._send("JFCX", {"LSH": serial})

    def register(
        self, persons: Sequence[Item], *, done: Callable[[int], None] = lambda _: None
    ) -> Counter[str]:
        """RYDJ: register persons with their consents."""
        listed = [{**person, "TYLB": {"TY": person["TYLB"]} if person["TYLB"] else ""} for person in persons]
        return self._send_parts("RYDJ", "RYLB", "RY", listed, done)

    def withdraw(
        self, withdrawals: Sequence[Item], *, done: Callable[[int], None] = lambda _: None
    ) -> Counter[str]:
        """TYCH: pass withdrawn consents on."""
        return self._send_parts("TYCH", "CHLB", "CH", withdrawals, done)

    def _send_parts(
        self, name: str, listed: str, entry: str, entries: Sequence[Item], done: Callable[[int], None]
    ) -> Counter[str]:
        counts: Counter[str] = Counter()
        for start in range(0, len(entries), PERSONS):
            part = list(entries[start : start + PERSONS])
            answer = self._send(name, {"LSH": f"{name}{self._seed}-{start:06d}", listed: {entry: part}})
            counts.update(item["FHM"] for item in results_of(answer))
            done(len(part))
        return counts

    def _send(self, name: str, words: Item) -> Item:
        for wait_s in _waits():
            status, found = self.exchange(name, element(name, NAMESPACE, words))
            if found is not None and found["FHM"] not in SEND_AGAIN:
                if found["FHM"] not in ("0000", "1001"):
                    raise DoorRefusedError(f"{name}: {found['FHM']} {found['FHXX']}")
                return found
            if found is None and 400 <= status < 500 and status not in (409, 429):
                raise DoorRefusedError(f"{name}: HTTP {status}")
            self.pushed.tried_again += 1
            time.sleep(wait_s)
        raise DoorRefusedError(f"{name} was not answered in {ATTEMPTS} attempts")

    def close(self) -> None:
        """Give the connections back."""
        self._calls.close()

    def exchange(self, name: str, body: str, **token: Any) -> tuple[int, Item | None]:
        """One message: the HTTP status, and the answer's words (None: a Fault, or no answer)."""
        message = envelope(body, username_token(self.access.username, self.access.password, **token))
        content_type = f'application/soap+xml; charset=GB18030; action="{NAMESPACE}/{name}"'
        try:
            answer = self._calls.post(
                self.access.url,
                data=message,
                headers={"Content-Type": content_type},
                timeout=(5, 60),
                allow_redirects=False,
            )
        except requests.RequestException:
            return 0, None
        if "xml" not in answer.headers.get("Content-Type", ""):
            return answer.status_code, None
        found = body_of(read(answer.content))
        if found.tag == f"{{{SOAP}}}Fault":
            return answer.status_code, None
        return answer.status_code, words_of(found)


def results_of(answer: Item) -> list[Item]:
    """The results of an answer, in order."""
    return [item for listed in answer["JGLB"] or [] for item in listed["JG"]]


def _waits() -> Iterator[float]:
    wait_s = 0.2
    for _ in range(ATTEMPTS):
        yield wait_s
        wait_s = min(wait_s * 1.6, LONGEST_WAIT_S)
