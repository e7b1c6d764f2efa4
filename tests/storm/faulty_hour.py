"""An hour in which everything goes wrong: towns and bank are real servers that fail on demand, the clock is turned by hand.

A town is a `Side`: what it sends, what it books, how it fails, and how it mends what reconciliation says. One joins by a line in
`SIDES`. The hour spans midnight in Beijing, so that two accounting dates meet every fault.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from adapters import simulating
from adapters.lijiayuan import create_client, create_reader
from gateway.config import Config
from gateway.db import Database, Row
from gateway.flows.add_code import add_code
from gateway.flows.approve_ruleset import approve_ruleset
from gateway.flows.list_differences import list_differences
from gateway.flows.list_quarantined import list_quarantined
from gateway.flows.propose_ruleset import propose_ruleset
from gateway.flows.pull_changes import pull_changes
from gateway.flows.read_again import read_again
from gateway.flows.receive_contributions import receive_contributions
from gateway.flows.reconcile_due import reconcile_due
from gateway.flows.register_households import register_households
from gateway.flows.seal_log import seal_log
from gateway.guarding import guarded
from gateway.house import House
from schemas.contributions import Push
from schemas.errors import InvalidError, UnavailableError
from schemas.ports import TownClient, TownReader
from schemas.values import BEIJING, TownCode, first_id_of
from tests.bank_stage import KEYS, RULESET, Stage, bank_client, resident_id, simulated_bank
from tests.conftest import TestDatabase
from tests.contract.simulated_town import SimulatedTown, running_town
from tests.storm.clerks import Clerks, Customers
from tests.storm.nanyang_side import nanyang_side
from tests.storm.pingan_side import pingan_side
from tests.storm.wuhe_side import HEADS, wuhe_side

BEGINS = datetime(2026, 11, 19, 15, 30, tzinfo=UTC)  # 23:30 in Beijing
BANK_FAULTS = ("slow", "drop", "drop_before", "garbage", "error", "busy", "unknown", "repeat")
STATEMENT_FAULTS = ("drop", "busy", "garbage", "repeat", "reorder", "cut", "another_day")
TOWN = TownCode("lijiayuan")
RULES = RULESET.replace(
    "lijiayuan: {num: 1, den: 1}", "lijiayuan: {num: 1, den: 1}\n    wuhe_zhonglian: {num: 1, den: 1}"
)
Item = dict[str, Any]


class Side(Protocol):
    """A town as it sends, books, fails and mends."""

    @property
    def town(self) -> TownCode: ...
    @property
    def reader(self) -> TownReader: ...
    @property
    def client(self) -> TownClient: ...
    def register(self, house: House, now: datetime) -> None: ...
    def send(self, house: House, now: datetime) -> None:
        """What it does in one step: pushes, some of them lost, repeated, late or wrong."""

    def fail(self) -> None:
        """Arm a fault on its platform's statement or feed."""

    def customers(self) -> Customers:
        """Who buys goods for its points."""

    def heal(self) -> None: ...
    def mend(self, house: House, row: Row, now: datetime) -> None:
        """Do what a difference says is to be done."""


@dataclass
class Lijiayuan:
    """沥家园: families with one member each."""

    simulated: SimulatedTown
    dice: random.Random
    families: int = 12
    town: TownCode = TOWN
    reader: TownReader = field(default_factory=create_reader)
    sent: dict[str, Item] = field(default_factory=dict)
    held: list[Item] = field(default_factory=list)  # kept back, sent later: out of order
    told: Counter[str] = field(default_factory=Counter)
    number: int = 0

    @property
    def client(self) -> TownClient:
        return create_client(self.simulated.config)

    def register(self, house: House, now: datetime) -> None:
        given = (now - timedelta(days=60)).isoformat()
        consents = [
            {"purpose": p, "givenAt": given, "textVersion": "1"} for p in ("loanMapping", "redemption")
        ]
        families = [
            {
                "familyCode": f"GL{n:06d}",
                "village": "示例村",
                "memberSince": "2026-01-01",
                "members": [
                    {
                        "memberIdNo": resident_id(n),
                        "memberName": "测试甲",
                        "isHead": True,
                        "consents": consents,
                    }
                ],
            }
            for n in range(1, self.families + 1)
        ]
        body = orjson.dumps({"households": families})
        answers = register_households(house, self.town, "lijiayuan-platform", body, now=now)
        assert {str(a.status) for a in answers} == {"accepted"}, answers

    def _item(self, now: datetime, **changes: Any) -> Item:
        self.number += 1
        who = self.dice.randint(1, self.families)
        late = self.dice.choice((0, 0, 0, 5, 50, 600, 3000))
        item = {
            "taskId": f"LJY-{self.number:06d}",
            "taskType": self.dice.choice(("garbageSorting", "safetyPatrol", "volunteerService")),
            "kind": "award",
            "familyCode": f"GL{who:06d}",
            "memberIdNo": resident_id(who),
            "points": self.dice.randint(5, 40),
            "finishedAt": (now - timedelta(seconds=late)).astimezone(BEIJING).isoformat(),
            **changes,
        }
        self.sent[item["taskId"]] = item
        return item

    def send(self, house: House, now: datetime) -> None:
        items = [self._item(now) for _ in range(self.dice.randint(1, 8))]
        luck = self.dice.random()
        if luck < 0.15:  # takes back, and the reversal may overtake what it reverses
            original = self._item(now)
            back = self._item(now)
            back |= {"kind": "reversal", "reverses": original["taskId"], "points": original["points"]}
            back |= {"familyCode": original["familyCode"], "memberIdNo": original["memberIdNo"]}
            items += [back]
            self.held.append(original)
        elif luck < 0.3:
            items.append(self._item(now, taskType=self.dice.choice(("droneFlightReport", "riverWatch"))))
        elif luck < 0.4:
            items.append(self._item(now, memberIdNo=resident_id(7777)))
        if luck > 0.5 and self.held:
            items.append(self.held.pop(0))
        if self.dice.random() < 0.1:  # booked and never sent
            self._book([items.pop()])
        if items:
            self._push(house, items, now)

    def _push(self, house: House, items: Sequence[Item], now: datetime) -> None:
        key = f"{now.timestamp()}-{self.number}"
        body = orjson.dumps({"items": list(items)})
        if self.dice.random() < 0.1:  # broken on the way
            try:
                self._receive(house, body[: len(body) // 2], key + "-broken", now)
            except InvalidError:
                self.told["broken"] += 1
            else:
                raise AssertionError("half a document was taken")
        answer = self._receive(house, body, key, now)
        if self.dice.random() < 0.25:  # the answer was lost: the same again
            assert self._receive(house, body, key, now) == answer
        if self.dice.random() < 0.15:  # the platform restarted: the same items under another key
            again = self._receive(house, body, key + "-again", now)
            assert {status for _, status in again} <= {"duplicate", "quarantined", "rejected"}, again
        for _, status in answer:
            self.told[status] += 1
        booked = {
            reference for reference, status in answer if status in ("accepted", "duplicate", "quarantined")
        }
        forgotten = {r for r in booked if self.dice.random() < 0.03}
        self._book([i for i in items if i["taskId"] in booked - forgotten])

    def _receive(self, house: House, body: bytes, key: str, now: datetime) -> list[tuple[str, str]]:
        push = Push(self.town, "lijiayuan-platform", key, body, now, house.new_id())
        return [(i.reference or "", str(i.status)) for i in receive_contributions(house, push, now=now).items]

    def _book(self, items: Sequence[Item]) -> None:
        """Into its own books; sometimes with a wrong number."""
        kinds = [{**i, "points": i["points"] + 1} if self.dice.random() < 0.02 else i for i in items]
        assert self.simulated.calls.post(f"{self.simulated.address}/_sent", json=kinds, timeout=10).ok

    def fail(self) -> None:
        self.simulated.arm(self.dice.choice(STATEMENT_FAULTS), "statement")

    def customers(self) -> Customers:
        accounts = {resident_id(n): f"GL{n:06d}" for n in range(1, self.families + 1)}
        return Customers(self.town, accounts, self.simulated.address, self.simulated.calls)

    def heal(self) -> None:
        assert self.simulated.calls.delete(f"{self.simulated.address}/_faults", timeout=10).ok

    def mend(self, house: House, row: Row, now: datetime) -> None:
        item = self.sent[row.reference]
        if row.action == "send-again":
            self._receive(house, orjson.dumps(item), f"mend-{row.reference}-{now.timestamp()}", now)
        elif row.action in ("list-or-reverse", "reverse-and-send"):  # the town's own book was wrong
            assert self.simulated.calls.post(f"{self.simulated.address}/_sent", json=[item], timeout=10).ok


@contextmanager
def _lijiayuan(folder: Path, dice: random.Random) -> Iterator[Side]:
    with running_town(folder) as simulated:
        yield Lijiayuan(simulated, dice)


#: Every town of the hour.
SIDES: tuple[Callable[[Path, random.Random], Any], ...] = (
    _lijiayuan,
    pingan_side,
    nanyang_side,
    wuhe_side,
)


@dataclass
class Hour:
    """The stage, the towns on it, and the dice of everything that happens."""

    stage: Stage
    sides: list[Side]
    clerks: Clerks
    dice: random.Random
    noted: Counter[str] = field(default_factory=Counter)

    def pass_by(self, minutes: int, step_s: int) -> None:
        """The faulty time."""
        for number in range(minutes * 60 // step_s):
            now = self._later(seconds=step_s)
            for side in self.sides:
                side.send(self.stage.house, now)
                if self.dice.random() < 0.2:
                    side.fail()
            if self.dice.random() < 0.5:
                self.clerks.fail()
            self.clerks.serve(self.stage.house, now)
            if self.dice.random() < 0.6:
                fault = self.dice.choice(BANK_FAULTS)
                self.stage.bank.fail(fault, seconds=0.7 if fault == "slow" else 0.1)
                self.noted[fault] += 1
            self._work()
            if number % 5 == 4:
                self._operate()

    def _later(self, **delta: float) -> datetime:
        """Time goes by, here and on the towns' platforms."""
        now = self.stage.later(**delta)
        simulating.turn_clock(now)
        return now

    def _work(self) -> None:
        """The jobs, as often as the step."""
        house, now = self.stage.house, self.stage.now
        seal_log(house, now=now)
        self.clerks.work(house, now)
        for job in (self.stage.propose, self.stage.refresh, self.stage.deliver, self.stage.settle):
            self.noted.update(job())
        self.noted.update(self._pull())
        self.noted.update(read_again(house, now=now))

    def _pull(self) -> dict[str, int]:
        """Read the feeds; a town that does not answer, or a number that stays away, is raised and read on in the next step."""
        try:
            return {f"feed {k}": n for k, n in pull_changes(self.stage.house, now=self.stage.now).items()}
        except UnavailableError as exc:
            return {f"feed {exc.code}": 1}

    def _operate(self) -> None:
        """An operator adds the codes that are asked for, and compares what is due, whatever fails."""
        for row in list_quarantined(self.stage.house):
            if row.code == "unknown-activity":
                activity = row.detail.split("'")[1]
                add_code(self.stage.house, row.town, activity, "patrol", by="operator", now=self.stage.now)
        self.noted.update(reconcile_due(self.stage.house, now=self.stage.now))

    def come_to_rest(self) -> list[Row]:
        """The faults end, days go by, everybody does what the differences say; what still stands open."""
        self.stage.bank.heal()
        for side in self.sides:
            side.heal()
            for item in getattr(side, "held", []):
                side._push(self.stage.house, [item], self._later(seconds=1))  # type: ignore[attr-defined]
        self.stage.quiet()
        self._later(hours=1)  # every breaker is tried again by now
        self.clerks.serve_each_town(self.stage.house, self.stage.now)
        rows: list[Row] = []
        for _ in range(6):
            self._later(hours=9)
            self._work()
            self.clerks.close_branch(self.stage.house, self.stage.now)
            self._operate()
            self.stage.quiet()
            rows = [row for row in list_differences(self.stage.house) if row.state == "open"]
            if not rows and self.stage.now > BEGINS + timedelta(days=2):
                break
            for row in rows:
                if row.line_kind == "redemption":
                    continue  # ours to settle, not the town's: the jobs do it
                next(side for side in self.sides if side.town == row.town).mend(
                    self.stage.house, row, self.stage.now
                )
        self._work()
        self.stage.quiet()
        return rows

    def bought_by_statements(self) -> int:
        """How many purchases the towns' own day statements tell of, over all days."""
        days = [BEGINS.astimezone(BEIJING).date() + timedelta(days=n) for n in range(5)]
        lines = [line for side in self.sides for on in days for line in side.client.day_statement(on)]
        return sum(line.kind == "redemption" and line.state == "confirmed" for line in lines)


@contextmanager
def faulty_hour(database: TestDatabase, folder: Path, seed: int) -> Iterator[Hour]:
    """A house with guards around every neighbour, its towns and its bank."""
    dice = random.Random(seed)
    log_key = folder / "log.key"
    log_key.write_bytes(
        Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    log_key.chmod(0o600)
    with ExitStack() as stack:
        stack.callback(simulating.turn_clock, None)
        simulating.turn_clock(BEGINS)
        bank = stack.enter_context(simulated_bank())
        sides: list[Side] = [
            stack.enter_context(make(folder / f"town{n}", dice)) for n, make in enumerate(SIDES)
        ]
        pool = Database(database.app_dsn, size=20)
        stack.callback(pool.close)
        config = replace(Config(state_dir=folder), log_key=log_key, log_verifiers=folder / "log.vkeys")

        def new_id() -> UUID:
            return UUID(int=first_id_of(stage.now).int | random.getrandbits(62))

        house = House(
            config=config,
            db=pool,
            audit_db=database.auditor,
            keys=KEYS,
            readers={side.town: side.reader for side in sides},
            clients={side.town: side.client for side in sides},
            feeds={side.town: side.feed for side in sides if hasattr(side, "feed")},
            bank=bank_client(bank.address),
            sign_receipt=lambda claims: f"receipt of {claims['batch_id']}",
            clock=lambda: stage.now,
            new_id=new_id,
        )
        stage = Stage(house, database, bank, now=BEGINS)
        stage.house = guarded(house)
        ruleset, _ = propose_ruleset(stage.house, RULES, by="author", now=stage.now)
        approve_ruleset(stage.house, ruleset.ruleset_id, by="approver", now=stage.now)
        for side in sides:
            side.register(stage.house, stage.now)
        for id_no in (*map(resident_id, range(1, 13)), *HEADS.values()):
            bank.say_of(id_no, base_rate_bp=500, base_limit_fen=10_000_000, vetoes=[], honours=[])
        clerks = Clerks([side.customers() for side in sides], database, dice)
        clerks.open_branch(stage.house, stage.now)
        yield Hour(stage, sides, clerks, dice)


def settled_or_explained(rows: Sequence[Row]) -> list[str]:
    """Differences nobody can account for: open ones, and explained ones without a reason."""
    return [
        f"{r.reference} {r.outcome} {r.state}"
        for r in rows
        if r.state == "open" or (r.state == "explained" and not r.why)
    ]
