"""The town's sending side: envelopes with lxml and signxml, calls with requests; the gateway's answers are proven.

What was not answered is made and signed again and sent again until it is: the same number with the same content is one list.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from lxml import etree  # type: ignore[import-untyped]

from adapters.wuhe_zhonglian.simulator.books import written
from adapters.wuhe_zhonglian.simulator.envelopes import (
    SOAP,
    EnvelopeError,
    Signing,
    content_of,
    envelope_of,
    tree_of,
)
from adapters.wuhe_zhonglian.simulator.posting import Correction, Posted, PostedList, StatementLine, score_of

NAMESPACE = "urn:wuhe-zhonglian:gateway:1"
HOUSEHOLDS, WITHDRAWALS = 250, 250
ATTEMPTS = 40
LONGEST_WAIT_S = 10.0

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DoorAccess:
    """How the town reaches the gateway."""

    address: str  # https://localhost:8443
    signing: Signing  # the town's key and certificate, and the gateway's certificates
    ca_file: Path
    town: str = "wuhe_zhonglian"


@dataclass(slots=True)
class Pushed:
    """What the gateway acknowledged."""

    counts: Counter[str] = field(default_factory=Counter)  # entries by status
    codes: Counter[str] = field(default_factory=Counter)  # reasons of what was not accepted
    receipts: dict[str, str] = field(default_factory=dict)  # number of the list or correction → receipt
    fallen: list[str] = field(default_factory=list)
    lines: list[StatementLine] = field(default_factory=list)  # for the town's own day statements
    tried_again: int = 0
    replayed: int = 0


class DoorRefusedError(Exception):
    """The door said no to a whole message; sending it again cannot help. `code` is the gateway's."""

    def __init__(self, code: str, told: str) -> None:
        super().__init__(f"{code}: {told}")
        self.code = code


class Pusher:
    """One town's sender."""

    def __init__(self, access: DoorAccess) -> None:
        self.access = access
        self.pushed = Pushed()
        self.posted = Posted()
        self._calls = requests.Session()
        self._calls.trust_env = False
        self._calls.verify = str(access.ca_file)

    def push_all(
        self,
        lists: Sequence[PostedList],
        corrections: Sequence[Correction],
        *,
        done: Callable[[int], None] = lambda _: None,
        repeat: bool = False,
    ) -> Pushed:
        """Every list, then every correction, in order. `repeat` sends each a second time."""
        times = 2 if repeat else 1
        for board in lists:
            for _ in range(times):
                self.post(board)
            done(1)
        for correction in corrections:
            for _ in range(times):
                self.correct(correction)
            done(1)
        return self.pushed

    def post(self, board: PostedList) -> Any:
        """Send a list until it is answered; the answer's element."""
        answer = self.call(scoreboard_element(board))
        if self._note(board.list_no, answer):
            self.pushed.lines += self.posted.post(board)
            self.pushed.fallen += [code.text for code in answer.iter(f"{{{NAMESPACE}}}HouseholdCode")
                                   if code.getparent().tag == f"{{{NAMESPACE}}}Fallen"]  # fmt: skip
        return answer

    def correct(self, correction: Correction) -> Any:
        """Send a correction until it is answered; the answer's element."""
        answer = self.call(correction_element(correction))
        if self._note(correction.correction_no, answer):
            self.pushed.lines += self.posted.correct(correction)
        return answer

    def receipt(self, *, list_no: str = "", correction_no: str = "") -> Any:
        """GetReceipt."""
        root = etree.Element(f"{{{NAMESPACE}}}GetReceipt", nsmap={None: NAMESPACE})
        _write(root, {"ListNo": list_no} if list_no else {"CorrectionNo": correction_no})
        return self.call(root)

    def register(
        self, families: Sequence[Item], *, done: Callable[[int], None] = lambda _: None
    ) -> Counter[str]:
        """Register households with members and consents."""
        return self._send_parts(
            "RegisterHouseholds", [registration_words(f) for f in families], HOUSEHOLDS, done
        )

    def withdraw(
        self, withdrawals: Sequence[Item], *, done: Callable[[int], None] = lambda _: None
    ) -> Counter[str]:
        """Pass withdrawn consents on."""
        return self._send_parts(
            "WithdrawConsent", [{"Withdrawal": w} for w in withdrawals], WITHDRAWALS, done
        )

    def call(self, content: Any) -> Any:
        """One operation, made, signed and sent until it is answered; the answer's element. Raises DoorRefusedError."""
        operation = etree.QName(content).localname
        plain = etree.tostring(content)
        for wait_s in _waits():
            answer = self.send(envelope_of(etree.fromstring(plain), self.access.signing), operation)
            if answer is not None and answer.status_code == 200:
                return content_of(answer.content, self.access.signing)
            if answer is not None:
                self._judge(answer)
            self.pushed.tried_again += 1
            time.sleep(wait_s)
        raise DoorRefusedError("no-answer", f"not answered in {ATTEMPTS} attempts")

    def close(self) -> None:
        """Give the connections back."""
        self._calls.close()

    def send(self, message: bytes, operation: str) -> requests.Response | None:
        """One POST of a whole message; None when there was no answer."""
        headers = {
            "Content-Type": "text/xml; charset=utf-8",
            "SOAPAction": f'"{NAMESPACE}/{operation}"',
        }
        url = f"{self.access.address}/towns/{self.access.town}/soap"
        try:
            return self._calls.post(
                url, data=message, headers=headers, timeout=(5, 120), allow_redirects=False
            )
        except requests.RequestException:
            return None

    def _judge(self, answer: requests.Response) -> None:
        """Return when the same may be sent again; raise when that cannot help."""
        code, told = refusal_of(answer)
        if answer.status_code in (429, 503) or code in ("seal-lag", "rate-limited", "message-replayed"):
            return
        if answer.status_code == 500 and code in ("", "internal", "commit-unknown", "database-unavailable"):
            return
        raise DoorRefusedError(code, told)

    def _note(self, number: str, answer: Any) -> bool:
        """Keep the receipt; whether this is the first time it was answered."""
        self.pushed.receipts[number] = answer.findtext(f"{{{NAMESPACE}}}Receipt")
        if answer.findtext(f"{{{NAMESPACE}}}Replayed") == "true":
            self.pushed.replayed += 1
            return False
        self._count(answer)
        return True

    def _count(self, answer: Any) -> Counter[str]:
        statuses = Counter(e.text for e in answer.iter(f"{{{NAMESPACE}}}Status"))
        self.pushed.counts += statuses
        self.pushed.codes.update(e.text for e in answer.iter(f"{{{NAMESPACE}}}Code"))
        return statuses

    def _send_parts(
        self, operation: str, entries: Sequence[Item], size: int, done: Callable[[int], None]
    ) -> Counter[str]:
        counts: Counter[str] = Counter()
        for start in range(0, len(entries), size):
            part = entries[start : start + size]
            root = etree.Element(f"{{{NAMESPACE}}}{operation}", nsmap={None: NAMESPACE})
            for entry in part:
                _write(root, entry)
            answer = self.call(root)
            counts.update(e.text for e in answer.iter(f"{{{NAMESPACE}}}Status"))
            done(len(part))
        return counts


def scoreboard_element(board: PostedList) -> Any:
    """SubmitScoreboard."""
    root = etree.Element(f"{{{NAMESPACE}}}SubmitScoreboard", nsmap={None: NAMESPACE})
    _write(
        root,
        {
            "ListNo": board.list_no,
            "Village": board.village,
            "Quarter": board.quarter,
            "RuleBookVersion": board.rule_book,
            "PostedAt": board.posted_at.isoformat(),
        },
    )
    households = etree.SubElement(root, f"{{{NAMESPACE}}}Households")
    for code, lines in board.households.items():
        entry = etree.SubElement(households, f"{{{NAMESPACE}}}Household")
        _write(entry, {"HouseholdCode": code, "PostedScore": written(score_of(lines))})
        for item, centi in lines.items():
            _write(entry, {"Line": {"ItemCode": item, "Points": written(centi)}})
    return root


def correction_element(correction: Correction) -> Any:
    """SubmitCorrection."""
    root = etree.Element(f"{{{NAMESPACE}}}SubmitCorrection", nsmap={None: NAMESPACE})
    _write(
        root,
        {
            "CorrectionNo": correction.correction_no,
            "ObjectionNo": correction.objection_no,
            "Village": correction.village,
            "Quarter": correction.quarter,
            "PostedLine": {
                "ListNo": correction.list_no,
                "HouseholdCode": correction.household,
                "ItemCode": correction.item,
                "Points": written(correction.posted_centi),
            },
            "CorrectedPoints": written(correction.right_centi),
            "DecidedAt": correction.decided_at.isoformat(),
        },
    )
    return root


def registration_words(family: Item) -> Item:
    """A family in the contract's order, its lists unfolded."""
    members = [
        {
            **{name: member[name] for name in ("IdNo", "Name", "Phone")},
            "Head": "true" if member["Head"] else "false",
            "Consent": [{**c, "Guardian": "true" if c["Guardian"] else "false"} for c in member["Consents"]],
        }
        for member in family["Members"]
    ]
    head = {name: family[name] for name in ("HouseholdCode", "Village", "MemberSince")}
    return {"Household": {**head, "Member": members}}


def refusal_of(answer: requests.Response) -> tuple[str, str]:
    """Code and words of a Fault; empty when the answer is none."""
    try:
        root = tree_of(answer.content)
    except EnvelopeError:
        return "", answer.text[:200]
    found = {etree.QName(e).localname: e.text or "" for e in root.iter("{urn:gateway:refusal:1}*")}
    told = "; ".join(found[name] for name in ("What", "Where", "Remedy") if found.get(name))
    return found.get("Code", ""), told or (root.findtext(f"{{{SOAP}}}Body/{{{SOAP}}}Fault/faultstring") or "")


def _write(parent: Any, words: Mapping[str, Any]) -> None:
    for name, value in words.items():
        for one in value if isinstance(value, list) else [value]:
            child = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
            if isinstance(one, Mapping):
                _write(child, one)
            else:
                child.text = str(one)


def _waits() -> Iterator[float]:
    wait_s = 0.2
    for _ in range(ATTEMPTS):
        yield wait_s
        wait_s = min(wait_s * 1.6, LONGEST_WAIT_S)
