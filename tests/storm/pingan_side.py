"""平安共富积分 in the faulty hour: persons, SOAP bodies, a statement over mutual TLS."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from adapters.pingan_gongfu import create_client, create_reader
from gateway.db import Row
from gateway.flows.receive_contributions import receive_contributions
from gateway.flows.register_households import register_households
from gateway.house import House
from schemas.contributions import Push
from schemas.errors import InvalidError
from schemas.ports import TownClient, TownReader
from schemas.resident_id import check_character
from schemas.values import BEIJING, TownCode
from tests.bank_stage import resident_id
from tests.contract.simulated import SimulatedNeighbour, simulated
from tests.storm.clerks import FAULTS, Customers

TOWN = TownCode("pingan_gongfu")
NS = "urn:pingan-gongfu:gateway:1"
#: the first three are of families of 沥家园: their baskets are paid with points of both towns
NAMES = {resident_id(n): "测试甲" for n in (1, 2, 3)} | {
    (first := f"33019919800517{n:03d}") + check_character(first): "测试𠮷" for n in range(1, 9)
}
WHO = list(NAMES)
STRANGER = "33019919800517099" + check_character("33019919800517099")
STATEMENT_FAULTS = ("drop", "busy", "garbage", "repeat", "reorder")
Item = dict[str, str]


def xml_of(words: dict[str, Any]) -> str:
    """Elements in the order given; a list is the same element several times."""
    return "".join(
        f"<{name}>{xml_of(one) if isinstance(one, dict) else one}</{name}>"
        for name, value in words.items()
        for one in (value if isinstance(value, list) else [value])
    )


@dataclass
class Pingan:
    """A `faulty_hour.Side`."""

    it: SimulatedNeighbour
    dice: random.Random
    town: TownCode = TOWN
    reader: TownReader = field(default_factory=create_reader)
    sent: dict[str, Item] = field(default_factory=dict)
    held: list[Item] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)
    number: int = 0

    @property
    def client(self) -> TownClient:
        return create_client(self.it.settings(answer_timeout_s=1.0))

    def register(self, house: House, now: datetime) -> None:
        given = (now - timedelta(days=60)).astimezone(BEIJING)
        at = f"{given:%Y%m%d%H%M%S}"
        consents = [{"YT": use, "TYSJ": at, "WBBB": "2025-07", "PZH": "", "JHR": ""} for use in ("01", "02")]
        persons = [
            {"SFZH": who, "XM": name, "SJH": "", "TYLB": {"TY": consents}} for who, name in NAMES.items()
        ]
        body = f'<RYDJ xmlns="{NS}">{xml_of({"LSH": "DJ1", "RYLB": {"RY": persons}})}</RYDJ>'
        answers = register_households(house, TOWN, "pingan", body.encode(), now=now)
        assert {str(a.status) for a in answers} == {"accepted"}, answers

    def _item(self, now: datetime, **changes: str) -> Item:
        self.number += 1
        at = (now - timedelta(seconds=self.dice.choice((0, 0, 5, 600, 3000)))).astimezone(BEIJING)
        who = self.dice.choice(WHO)
        item = {
            "LSH": f"PA{self.number:06d}", "SFZH": who, "XM": NAMES[who], "HDLX": "PAXF", "LX": "01",
            "JF": str(self.dice.randint(1, 30)), "FSSJ": f"{at:%Y%m%d%H%M%S}", "YLSH": "", **changes,
        }  # fmt: skip
        self.sent[item["LSH"]] = item
        return item

    def send(self, house: House, now: datetime) -> None:
        items = [self._item(now) for _ in range(self.dice.randint(1, 5))]
        luck = self.dice.random()
        if luck < 0.15:
            items.append(self._item(now, HDLX=self.dice.choice(("WRJ", "XHY"))))
        elif luck < 0.25:
            items.append(self._item(now, SFZH=STRANGER))
        if self.dice.random() < 0.1:  # booked and never sent
            self._book([items.pop()])
        if self.dice.random() < 0.2 and items:  # late
            self.held.append(items.pop())
        elif self.held and self.dice.random() < 0.5:
            items.append(self.held.pop(0))
        if items:
            self._push(house, items, now)

    def _push(self, house: House, items: Sequence[Item], now: datetime) -> None:
        key = f"TS{self.number}-{int(now.timestamp())}"
        body = self._document(key, items)
        if self.dice.random() < 0.1:
            try:
                self._receive(house, body[: len(body) // 2], key + "x", now)
            except InvalidError:
                self.told["broken"] += 1
            else:
                raise AssertionError("half a message was taken")
        answer = self._receive(house, body, key, now)
        if self.dice.random() < 0.25:
            assert self._receive(house, body, key, now) == answer
        for _, status in answer:
            self.told[status] += 1
        booked = {
            reference for reference, status in answer if status in ("accepted", "duplicate", "quarantined")
        }
        self._book([i for i in items if i["LSH"] in booked and self.dice.random() > 0.03])

    def _document(self, serial: str, items: Sequence[Item]) -> bytes:
        return f'<JFTS xmlns="{NS}">{xml_of({"LSH": serial, "HDLB": {"HD": list(items)}})}</JFTS>'.encode()

    def _receive(self, house: House, body: bytes, key: str, now: datetime) -> list[tuple[str, str]]:
        push = Push(TOWN, "pingan", key, body, now, house.new_id())
        return [(i.reference or "", str(i.status)) for i in receive_contributions(house, push, now=now).items]

    def _book(self, items: Sequence[Item]) -> None:
        for item in items:
            address = f"{self.it.place.address}/_items/{item['FSSJ'][:8]}"
            self.it.calls.post(address, json=[item], timeout=10).raise_for_status()

    def fail(self) -> None:
        self.it.arm(self.dice.choice(STATEMENT_FAULTS), "statement")

    def customers(self) -> Customers:
        faults = (*FAULTS, "unknown")
        return Customers(TOWN, {who: who for who in WHO}, self.it.place.address, self.it.calls, faults)

    def heal(self) -> None:
        self.it.calm()

    def mend(self, house: House, row: Row, now: datetime) -> None:
        item = self.sent[row.reference]
        if row.action == "send-again":
            key = f"MEND{row.reference}-{int(now.timestamp())}"
            self._receive(house, self._document(key, [item]), key, now)
        elif row.action == "list-or-reverse":
            self._book([item])


@contextmanager
def pingan_side(folder: Path, dice: random.Random) -> Iterator[Pingan]:
    """The simulated town on loopback."""
    folder.mkdir(parents=True, exist_ok=True)
    with simulated("pingan_gongfu", folder) as it:
        yield Pingan(it, dice)
