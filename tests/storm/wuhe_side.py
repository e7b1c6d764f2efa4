"""五和众联 in the faulty hour: lists that replace each other by difference, corrections after objection, a signed statement."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

from lxml import etree  # type: ignore[import-untyped]

from adapters.wuhe_zhonglian import create_client, create_reader
from adapters.wuhe_zhonglian.simulator.posting import Correction, Posted, PostedList
from adapters.wuhe_zhonglian.simulator.pusher import (
    NAMESPACE,
    correction_element,
    registration_words,
    scoreboard_element,
)
from gateway.db import Row
from gateway.flows.receive_correction import receive_correction
from gateway.flows.receive_scoreboard import receive_scoreboard
from gateway.flows.register_households import register_households
from gateway.house import House
from schemas.errors import ConflictError, InvalidError
from schemas.ports import TownClient, TownReader
from schemas.scoreboards import Document, ScoreAnswer
from schemas.values import BEIJING, ItemStatus, TownCode
from tests.bank_stage import resident_id
from tests.conftest import TestDatabase
from tests.contract.simulated import SimulatedNeighbour, simulated
from tests.storm.clerks import FAULTS, Customers
from tests.storm.pingan_side import xml_of

TOWN = TownCode("wuhe_zhonglian")
VILLAGE, QUARTER, STRANGER = "示例村", "2026Q3", "HS999999"
HEADS = {f"HS{n:06d}": resident_id(100 + n) for n in range(1, 9)}
STATEMENT_FAULTS = ("slow", "drop", "busy", "failed", "garbage", "forged", "repeat", "reorder")
STOOD = (ItemStatus.ACCEPTED, ItemStatus.DUPLICATE)
Line = dict[str, str]


@dataclass
class Wuhe:
    """A `faulty_hour.Side`. Its books move by what the gateway answered first, and by nothing else."""

    it: SimulatedNeighbour
    dice: random.Random
    town: TownCode = TOWN
    reader: TownReader = field(default_factory=create_reader)
    told: Counter[str] = field(default_factory=Counter)
    posted: Posted = field(default_factory=Posted)
    lists: list[PostedList] = field(default_factory=list)
    lines: dict[str, Line] = field(default_factory=dict)  # by reference, as they are right
    number: int = 0

    @property
    def client(self) -> TownClient:
        return create_client(self.it.settings(answer_timeout_s=1.0))

    def register(self, house: House, now: datetime) -> None:
        given = (now - timedelta(days=60)).astimezone(BEIJING).isoformat()
        consents = [
            {"Purpose": p, "GivenAt": given, "TextVersion": "2025-07", "Evidence": "HS-1", "Guardian": False}
            for p in ("LoanMapping", "Redemption")
        ]
        families = [
            {
                "HouseholdCode": code, "Village": VILLAGE, "MemberSince": "2026-01-01",
                "Members": [{"IdNo": head, "Name": "测试丙", "Phone": "00000000100", "Head": True, "Consents": consents}],
            }
            for code, head in HEADS.items()
        ]  # fmt: skip
        words = "".join(xml_of(registration_words(family)) for family in families)
        body = f'<RegisterHouseholds xmlns="{NAMESPACE}">{words}</RegisterHouseholds>'
        answers = register_households(house, TOWN, "wuhe-platform", body.encode(), now=now)
        assert {str(a.status) for a in answers} == {"accepted"}, answers

    def send(self, house: House, now: datetime) -> None:
        """A first list, then lists that replace it and corrections of what stands."""
        luck = self.dice.random()
        if not self.lists or luck < 0.3:
            self._post(house, self._next_list(now), now)
        elif luck < 0.65:
            self._correct(house, now)
        elif luck < 0.75:
            self._post_outdated(house, now)

    def _next_list(self, now: datetime) -> PostedList:
        """Everybody's lines as they stand, some of them changed; somebody may be missing, and somebody nobody knows be on it."""
        self.number += 1
        households: dict[str, dict[str, int]] = {}
        for code in HEADS:
            standing = self.posted.standing.get((QUARTER, code), {})
            lines = {item: centi for item, (centi, _) in standing.items()}
            if not lines:
                lines = {"G01": self.dice.randint(300, 900) * 100}
            for item in ("G02", "B01", "D01"):
                if self.dice.random() < 0.3:
                    lines[item] = self.dice.randint(1, 40) * 100
                elif self.dice.random() < 0.1:
                    lines.pop(item, None)
            households[code] = lines
        if self.lists and self.dice.random() < 0.3:
            del households[self.dice.choice(sorted(households))]
        if self.dice.random() < 0.3:
            households[STRANGER] = {"G01": 500}
        return PostedList(f"{QUARTER}-01-{self.number}", VILLAGE, QUARTER, "2026", now, households)

    def _post(self, house: House, board: PostedList, now: datetime) -> None:
        body = etree.tostring(scoreboard_element(board), encoding="UTF-8")
        self._cut_short(house, body, now)
        answer = receive_scoreboard(house, self._document(house, body, now), now=now)
        if self.dice.random() < 0.3:  # the answer was lost: the same again
            again = receive_scoreboard(house, self._document(house, body, now), now=now)
            assert again.replayed
            assert (again.items, again.stand) == (answer.items, answer.stand)
            self.told["again"] += 1
        stood = self._note(answer)
        assert set(board.households) - stood <= {STRANGER}, answer.items
        known = {code: lines for code, lines in board.households.items() if code in stood}
        replaces = bool(self.lists)
        self.lists.append(board)
        moved = self.posted.post(
            PostedList(board.list_no, VILLAGE, QUARTER, board.rule_book, board.posted_at, known)
        )
        self.told["replaced by difference"] += replaces and bool(moved)
        self._book(moved)

    def _post_outdated(self, house: House, now: datetime) -> None:
        """A list that was made before what stands arrives late: it is refused and changes nothing."""
        late = self._next_list(self.lists[-1].posted_at - timedelta(minutes=1))
        body = etree.tostring(scoreboard_element(late), encoding="UTF-8")
        try:
            receive_scoreboard(house, self._document(house, body, now), now=now)
        except ConflictError as exc:
            self.told[exc.code] += 1
        else:
            raise AssertionError("a list older than what stands was taken")

    def _correct(self, house: House, now: datetime) -> None:
        """One household objected: a line is halved, or goes."""
        listed = [code for code in HEADS if "G01" in self.posted.standing.get((QUARTER, code), {})]
        if not listed:
            return
        code = self.dice.choice(listed)
        item, (centi, _) = self.dice.choice(sorted(self.posted.standing[QUARTER, code].items()))
        right = centi // 200 * 100 if item == "G01" or self.dice.random() < 0.5 else 0
        self.number += 1
        no = f"{QUARTER}-{self.number:04d}"
        correction = Correction(
            f"GZ-{no}", f"YY-{no}", self.lists[-1].list_no, VILLAGE, QUARTER, code, item, centi, right, now
        )
        if code not in self.lists[-1].households:  # it fell off the last list: an earlier one has the line
            return
        body = etree.tostring(correction_element(correction), encoding="UTF-8")
        answer = receive_correction(house, self._document(house, body, now), now=now)
        if self.dice.random() < 0.3:
            again = receive_correction(house, self._document(house, body, now), now=now)
            assert again.replayed
            assert again.items == answer.items
        self._note(answer)
        self.told["corrections"] += 1
        self._book(self.posted.correct(correction))

    def _note(self, answer: ScoreAnswer) -> set[str]:
        """Count the answers; the households whose lines stand as they were sent."""
        for item in answer.items:
            self.told[str(item.status)] += 1
        return {item.reference or "" for item in answer.items if item.status in STOOD}

    def _cut_short(self, house: House, body: bytes, now: datetime) -> None:
        if self.dice.random() > 0.15:
            return
        try:
            receive_scoreboard(house, self._document(house, body[: len(body) // 2], now), now=now)
        except InvalidError:
            self.told["broken"] += 1
        else:
            raise AssertionError("half a list was taken")

    def _document(self, house: House, body: bytes, now: datetime) -> Document:
        return Document(TOWN, "wuhe-platform", body, now, house.new_id())

    def _book(self, lines: list[Line]) -> None:
        """Into its own books; some lines are forgotten, some have a wrong number."""
        self.lines |= {line["Reference"]: line for line in lines}
        kept: list[Line] = []
        for line in lines:
            luck = self.dice.random()
            if luck < 0.03:
                continue
            wrong = luck < 0.06 and line["Kind"] in ("Award", "Deduction")
            kept.append({**line, "Points": "7"} if wrong else line)
        self._note_lines(kept)

    def _note_lines(self, lines: list[Line]) -> None:
        self.it.calls.post(f"{self.it.place.address}/_sent", json=lines, timeout=10).raise_for_status()

    def fail(self) -> None:
        fault = self.dice.choice(STATEMENT_FAULTS)
        self.it.arm(fault, "statement", times=self.dice.choice((1, 1, 3)) if fault != "slow" else 1)

    def customers(self) -> Customers:
        """Heads of families; the platform may also answer with a strange key, or that it does not know."""
        accounts = {head: code for code, head in HEADS.items()}
        faults = (*FAULTS, "failed", "forged")
        return Customers(TOWN, accounts, self.it.place.address, self.it.calls, faults)

    def heal(self) -> None:
        self.it.calm()

    def mend(self, house: House, row: Row, now: datetime) -> None:
        """The town's own book was wrong: it writes the line as it is."""
        if row.action in ("list-or-reverse", "reverse-and-send"):
            self._note_lines([self.lines[row.reference]])


@contextmanager
def wuhe_side(folder: Path, dice: random.Random) -> Iterator[Wuhe]:
    """The simulated town on loopback."""
    folder.mkdir(parents=True, exist_ok=True)
    with simulated("wuhe_zhonglian", folder) as it:
        yield Wuhe(it, dice)


def scores_that_differ(side: Wuhe, database: TestDatabase) -> list[str]:
    """Households whose posted score with us is not what the town's own reckoning says."""
    ours = dict(
        cast(Any, database.sql)(
            "select h.code, sum(c.points_centi)::int from contribution c"
            " join household_code h on h.household_id = c.holder_id and h.town = c.town"
            " where c.town = 'wuhe_zhonglian' and c.kind = 'posted_score'"
            " and not exists (select from contribution r where r.reverses = c.reference and r.town = c.town) group by 1"
        )
    )
    theirs = {code: side.posted.score(QUARTER, code) for code in HEADS}
    return [
        f"{code}: {ours.get(code, 0)} here, {theirs[code]} there"
        for code in HEADS
        if ours.get(code, 0) != theirs[code]
    ]
