"""A stage for redemptions: simulated towns on loopback, residents with points in each, a stocked branch, staff."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from adapters import lijiayuan
from gateway.config import Config
from gateway.flows.end_overdue_holds import end_overdue_holds
from gateway.flows.offer_goods import offer_goods
from gateway.flows.receive_contributions import receive_contributions
from gateway.flows.register_households import register_households
from gateway.flows.seal_log import seal_log
from gateway.flows.settle_redemptions import settle_redemptions
from gateway.flows.stock_goods import stock_goods
from gateway.flows.verify_log import verify_log
from gateway.house import House
from schemas.goods import Movement, NewGood, NewPrice, Wanted
from schemas.redemptions import Basket
from schemas.staff import Role, StaffCaller
from schemas.values import TownCode
from tests.conftest import TestDatabase
from tests.contract.simulated_town import SimulatedTown, running_town
from tests.plain_town import NOW, PlainReader, invented_id_no, plain_house, push

FIRST, SECOND = TownCode("lijiayuan"), TownCode("second_town")
BRANCH, OTHER_BRANCH = "330109001", "330109002"
POINTS = 100_000  # centi-points of each family in each town, in both books
PANS, RICE = 50, 40


class OtherReader(PlainReader):
    """The plain town under another name."""

    town = SECOND


@dataclass
class Towns:
    """The simulated towns of a session of tests."""

    by_code: dict[TownCode, SimulatedTown]

    def arm(self, town: TownCode, fault: str, on: str, **more: Any) -> None:
        self.by_code[town].arm(fault, on, **more)

    def heal(self) -> None:
        for town in self.by_code.values():
            town.calls.delete(f"{town.address}/_faults", timeout=5).raise_for_status()

    def fill(self, codes: list[str], centi: int = POINTS) -> None:
        for town in self.by_code.values():
            town.calls.post(
                f"{town.address}/_accounts", json=dict.fromkeys(codes, centi), timeout=5
            ).raise_for_status()

    def state(self, town: TownCode) -> dict[str, Any]:
        return self.by_code[town].state()


@contextmanager
def running_towns(folder: Path) -> Iterator[Towns]:
    with ExitStack() as stack:
        yield Towns({town: stack.enter_context(running_town(folder / town)) for town in (FIRST, SECOND)})


class Killed(BaseException):
    """The process ends here: nothing of ours catches it."""


@dataclass
class Killing:
    """A town's client; the process dies before or after the nth call of one kind."""

    inner: Any
    on: str = ""
    when: str = ""  # 'before' | 'after'

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def _call(self, name: str, *arguments: Any) -> Any:
        if self.on == name and self.when == "before":
            raise Killed
        try:
            return getattr(self.inner, name)(*arguments)
        finally:
            if self.on == name and self.when == "after":
                raise Killed

    def freeze(self, *arguments: Any) -> Any:
        return self._call("freeze", *arguments)

    def confirm(self, *arguments: Any) -> Any:
        return self._call("confirm", *arguments)

    def release(self, *arguments: Any) -> Any:
        return self._call("release", *arguments)

    def reverse(self, *arguments: Any) -> Any:
        return self._call("reverse", *arguments)

    def find(self, *arguments: Any) -> Any:
        return self._call("find", *arguments)


@dataclass
class Stage:
    """Everything, and the time."""

    house: House
    towns: Towns
    database: TestDatabase
    clerk: StaffCaller
    supervisor: StaffCaller
    persons: list[int]
    codes: list[str]
    goods: Mapping[str, UUID]
    now: datetime = NOW
    opened: list[UUID] = field(default_factory=list)
    received: Counter[tuple[str, str]] = field(
        default_factory=Counter
    )  # (branch, good) beyond what it began with

    def later(self, seconds: float = 120) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now

    def dying(self, on: str, when: str, town: TownCode = FIRST) -> House:
        """The same house; its process dies at that call."""
        clients = dict(self.house.clients)
        clients[town] = Killing(clients[town], on, when)
        return replace(self.house, clients=clients)

    def basket(
        self, *lines: tuple[str, TownCode, int], person: int = 0, key: str | None = None, **shown: int
    ) -> Basket:
        lines = lines or (("PAN", FIRST, 1),)
        prices = {"PAN": 5_000, "RICE": 2_000, "TV": 10_000}
        total: dict[str, int] = {}
        for code, town, count in lines:
            total[str(town)] = total.get(str(town), 0) + prices[code] * count
        wanted = tuple(Wanted(self.goods[code], town, count) for code, town, count in lines)
        return Basket(key or uuid4().hex, self.persons[person], None, wanted, {**total, **shown})

    def settle(self, rounds: int = 12) -> None:
        """Time passes, the jobs run."""
        for _ in range(rounds):
            settle_redemptions(self.house, now=self.later(), limit=500)
            end_overdue_holds(self.house, now=self.now)
            if not self.pending():
                break

    def receive(self, code: str, count: int) -> None:
        """A delivery at the first branch."""
        good = self.goods[code]
        moved = [Movement("receive", BRANCH, good, count, 0)]
        stock_goods(self.house, moved, by="test", cause_id=uuid4(), now=self.now)
        self.received[BRANCH, str(good)] += count

    def pending(self) -> list[str]:
        rows = self.database.sql(
            "select state from redemption where state in ('opened', 'freezing', 'frozen', 'confirming', 'releasing', 'unknown')"
        )
        return [str(state) for (state,) in rows]

    def states(self) -> list[str]:
        return [
            str(s)
            for (s,) in self.database.sql("select state from redemption order by opened_at, redemption_id")
        ]


def caller(
    house: House, teller_no: str, *roles: Role, branch_no: str = BRANCH, staff_id: UUID | None = None
) -> StaffCaller:
    """Somebody signed in; how is not this test's matter."""
    made = staff_id or uuid4()
    return StaffCaller(made, uuid4(), "测试", branch_no, teller_no, frozenset(roles), "directory", NOW, NOW)


def build_stage(database: TestDatabase, towns: Towns, *, families: int = 2, **changes: Any) -> Stage:
    """Families in both towns, their points pushed, goods priced and on the shelf."""
    readers = {FIRST: PlainReader(), SECOND: OtherReader()}
    clients = {town: lijiayuan.create_client(running.config) for town, running in towns.by_code.items()}
    key = next(iter(towns.by_code.values())).config.key_file.with_name("redemptions-log.key")
    if not key.exists():
        made = Ed25519PrivateKey.generate()
        key.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        key.chmod(0o600)
    config = replace(Config(), log_key=key, log_verifiers=key.with_suffix(".vkeys"))
    house = plain_house(database, **{"config": config, "readers": readers, "clients": clients, **changes})
    codes = [f"S{uuid4().hex[:8]}" for _ in range(families)]
    ids = [invented_id_no(n + 1) for n in range(families)]
    for town in readers:
        body = [{"code": c, "members": [{"id_no": i, "head": True}]} for c, i in zip(codes, ids, strict=True)]
        register_households(house, town, "town-a", orjson.dumps(body), now=NOW)
        items = [
            {"reference": f"R{town}-{c}", "code": c, "id_no": i, "points_centi": POINTS}
            for c, i in zip(codes, ids, strict=True)
        ]
        receive_contributions(house, replace(push(items, f"k-{town}"), town=town), now=NOW)
    towns.fill(codes)
    on = date(2026, 1, 1)
    offer_goods(
        house,
        [
            NewGood("PAN", "炒锅", "Pan", "pan", limit_count=3),
            NewGood("RICE", "大米", "Rice", "rice"),
            NewGood("TV", "电视", "Television"),
        ],
        [
            NewPrice(code, town, on, centi, fen, "协议 2026-01")
            for town in readers
            for code, centi, fen in (("PAN", 5_000, 5_000), ("RICE", 2_000, 2_000), ("TV", 10_000, 90_000))
        ],
        by="test",
        now=NOW,
    )
    goods = {
        str(code): UUID(str(good)) for code, good in database.sql("select code, good_id::text from good")
    }
    counts = (("PAN", PANS), ("RICE", RICE), ("TV", 5))
    stock_goods(
        house,
        [
            Movement("receive", b, goods[code], count, 0)
            for code, count in counts
            for b in (BRANCH, OTHER_BRANCH)
        ],
        by="test",
        cause_id=uuid4(),
        now=NOW,
    )
    persons = [
        int(str(p))
        for (p,) in database.sql(
            "select m.person_id from membership m join household_code c using (household_id)"
            " where c.town = %s order by array_position(%s, c.code)",
            [FIRST, codes],
        )
    ]
    return Stage(
        house,
        towns,
        database,
        caller(house, "T001", Role.CLERK),
        caller(house, "T002", Role.SUPERVISOR),
        persons,
        codes,
        goods,
    )


def log_faults(stage: Stage) -> list[str]:
    """What verification finds after everything waiting was sealed: rows, records, leaves, tree, signatures, sums."""
    seal_log(stage.house, now=stage.now)
    report = verify_log(stage.house, now=stage.now)
    assert "redemption_event" in report.kinds
    return [str(fault) for fault in report.faults]


def broken_invariants(stage: Stage) -> list[str]:
    """What does not agree afterwards; empty when everything does. Every redemption must have come to an end."""
    faults = [f"a redemption is still {state}" for state in stage.pending()]
    taken: dict[tuple[str, str], int] = {}
    held = {(b, g): 0 for b in (BRANCH, OTHER_BRANCH) for g in map(str, stage.goods.values())}
    gone = dict(held)
    towns = {town: stage.towns.state(town)["freezes"] for town in (FIRST, SECOND)}
    rows = stage.database.sql(
        "select r.state, l.town, l.serial, l.total_centi, r.branch_no"
        " from redemption r join redemption_leg l using (redemption_id)"
    )
    for state, town, serial, total, _ in rows:
        freeze = towns[TownCode(str(town))].get(serial)
        wanted = state in ("confirmed", "handed_over")
        found = freeze is not None and freeze["state"] == "confirmed"
        if wanted != found:
            faults.append(f"{serial} is {state} here and {freeze and freeze['state']} in {town}")
        if freeze is not None and freeze["state"] == "frozen":
            faults.append(f"{serial} is {state} here and still frozen in {town}")
        if wanted:
            key = (str(town), str(freeze["family"]) if freeze else "?")
            taken[key] = taken.get(key, 0) + int(str(total))
    for town in (FIRST, SECOND):
        balances = stage.towns.state(town)["balances"]
        for code in stage.codes:
            if balances[code] != POINTS - taken.get((town, code), 0):
                faults.append(f"{code} has {balances[code]} in {town}, took {taken.get((town, code), 0)}")
    lines = stage.database.sql(
        "select r.state, r.branch_no, l.good_id::text, l.quantity_count"
        " from redemption r join redemption_line l using (redemption_id)"
    )
    for state, branch, good, count in lines:
        if state == "handed_over":
            gone[str(branch), str(good)] += int(str(count))
        if state == "confirmed":
            held[str(branch), str(good)] += int(str(count))
    begun = {str(stage.goods["PAN"]): PANS, str(stage.goods["RICE"]): RICE, str(stage.goods["TV"]): 5}
    stock = stage.database.sql("select branch_no, good_id::text, on_hand_count, held_count from stock")
    for branch, good, on_hand, held_count in stock:
        key = (str(branch), str(good))
        if (on_hand, held_count) != (begun[str(good)] + stage.received[key] - gone[key], held[key]):
            faults.append(f"stock of {key} is {on_hand}/{held_count}, gone {gone[key]}, held {held[key]}")
    accounts = stage.database.sql(
        "select a.town, c.code, sum(balance_centi) filter (where kind in ('available', 'owed')),"
        " coalesce(sum(balance_centi) filter (where kind = 'held'), 0),"
        " coalesce(sum(balance_centi) filter (where kind = 'redeemed'), 0)"
        " from account a join household_code c on c.household_id = a.holder_id and c.town = a.town group by 1, 2"
    )
    for in_town, family, available, held_centi, redeemed in accounts:
        town, code = TownCode(str(in_town)), str(family)
        took = taken.get((town, code), 0)
        if (available, held_centi, redeemed) != (POINTS - took, 0, took):
            faults.append(
                f"our books of {code} in {town}: {available}, held {held_centi}, redeemed {redeemed}; took {took}"
            )
    return faults
