"""The simulated bank's books: what it holds, what it answered, and the failures it was asked for."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

MOST_DISCOUNT_BP = 200


@dataclass(slots=True)
class Answered:
    """A message the bank acted upon (or refused): the first answer is the answer."""

    serial: str
    service: str
    content: str  # SHA-256 of the business part
    status: str
    code: str
    reference: str | None = None


@dataclass(slots=True)
class Benefit:
    """A benefit the bank holds."""

    serial: str
    customer: str  # SHA-256 of the id number
    product: str
    discount_bp: int
    limit_increase_fen: int
    valid_from: str
    valid_until: str
    state: str = "in_force"  # in_force | superseded | revoked
    reference: str = ""


@dataclass(slots=True)
class Fault:
    """A failure asked for: of one service or any, a number of times."""

    fault: str
    service: str | None = None
    times: int = 1
    seconds: float = 1.0


@dataclass(slots=True)
class Books:
    """What the bank knows. One lock: a bank acts on one message at a time here."""

    journal: Path | None = None
    answered: dict[str, Answered] = field(default_factory=dict)
    benefits: dict[str, Benefit] = field(default_factory=dict)
    facilities: dict[str, dict[str, Any]] = field(default_factory=dict)
    received: Counter[str] = field(
        default_factory=Counter
    )  # serial → how often it came, whatever became of it
    acted: Counter[str] = field(default_factory=Counter)  # serial → how often the books were changed for it
    faults: list[Fault] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        if self.journal is None or not self.journal.exists():
            return
        for line in self.journal.read_text("utf-8").splitlines():
            entry = json.loads(line)
            if "answered" in entry:
                self.answered[entry["answered"]["serial"]] = Answered(**entry["answered"])
            for benefit in entry.get("benefits", ()):
                self.benefits[benefit["serial"]] = Benefit(**benefit)

    def take_fault(self, service: str) -> Fault | None:
        """The next failure that was asked for this service."""
        with self.lock:
            for fault in self.faults:
                if fault.service in (None, service):
                    fault.times -= 1
                    if fault.times <= 0:
                        self.faults.remove(fault)
                    return fault
        return None

    def facility(self, id_no: str, product: str) -> dict[str, Any] | None:
        """What the credit system says of a customer: as set, else the same for the same person always."""
        with self.lock:
            known = self.facilities.get(id_no)
        if known is not None and known.get("unknown"):
            return None
        chance = hashlib.sha256(f"{id_no}/{product}".encode()).digest()
        made: dict[str, Any] = {
            "base_limit_fen": (10 + chance[0] % 11) * 1_000_000,
            "base_rate_bp": 400 + chance[1] % 6 * 20,
            "vetoes": ["related_person"] if int.from_bytes(chance[2:4], "big") % 200 == 0 else [],
            "honours": ["star_household"] if chance[4] % 10 == 0 else [],
            "age_min": 18,
            "age_max": 70,
        }
        return {**made, **(known or {})}

    def act(
        self, service: str, serial: str, content: str, words: Mapping[str, Any], refuse: bool
    ) -> Answered:
        """Propose or revoke, once a serial: the same content gets the first answer, other content 1002."""
        with self.lock:
            first = self.answered.get(serial)
            if first is not None:
                if first.content != content:
                    return Answered(serial, service, content, "F", "1002")
                code = "1001" if first.code == "0000" else first.code
                return Answered(serial, service, content, first.status, code, first.reference)
            touched: list[Benefit] = []
            if refuse:
                status, code = "F", "2002"
            elif service == "ProposeBenefit":
                status, code = self._propose(serial, words, touched)
            else:
                status, code = self._revoke(words, touched)
            reference = f"B{len(self.answered) + 1:08d}" if status == "S" else None
            answer = Answered(serial, service, content, status, code, reference)
            if code != "3001":  # an original that is not there leaves nothing behind
                self.answered[serial] = answer
                self.acted[serial] += 1
                self._write(answer, touched)
            return answer

    def _propose(self, serial: str, words: Mapping[str, Any], touched: list[Benefit]) -> tuple[str, str]:
        facility = self.facility(words["CUSTOMER_ID_NO"], words["PRODUCT"])
        if facility is None:
            return "F", "2001"
        if facility["vetoes"]:
            return "F", "2002"
        if int(words["DISCOUNT_BP"]) > MOST_DISCOUNT_BP:
            return "F", "2004"
        customer = hashlib.sha256(words["CUSTOMER_ID_NO"].encode()).hexdigest()
        if "SUPERSEDES" in words:
            older = self.benefits.get(words["SUPERSEDES"])
            if older is None or older.customer != customer:
                return "F", "3001"
            older.state = "superseded"
            touched.append(older)
        made = Benefit(
            serial, customer, words["PRODUCT"], int(words["DISCOUNT_BP"]), int(words["LIMIT_INCREASE_FEN"]),
            words["VALID_FROM"], words["VALID_UNTIL"],
        )  # fmt: skip
        self.benefits[serial] = made
        touched.append(made)
        return "S", "0000"

    def _revoke(self, words: Mapping[str, Any], touched: list[Benefit]) -> tuple[str, str]:
        held = self.benefits.get(words["ORIG_CONSUMER_SEQ_NO"])
        if held is None:
            return "F", "3001"
        if held.state == "revoked":
            return "S", "3002"
        held.state = "revoked"
        touched.append(held)
        return "S", "0000"

    def _write(self, answer: Answered, touched: list[Benefit]) -> None:
        if self.journal is not None:
            entry = {"answered": asdict(answer), "benefits": [asdict(b) for b in touched]}
            with self.journal.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry, ensure_ascii=False) + "\n")
