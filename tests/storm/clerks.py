"""Clerks in the faulty hour: goods for points of every town, while its calls fail; and what must be true of it afterwards."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from gateway import subjects
from gateway.flows.confirm_redemption import confirm_redemption
from gateway.flows.end_overdue_holds import end_overdue_holds
from gateway.flows.hand_over_goods import hand_over_goods
from gateway.flows.offer_goods import offer_goods
from gateway.flows.redeem_points import redeem_points
from gateway.flows.release_redemption import release_redemption
from gateway.flows.reverse_redemption import reverse_redemption
from gateway.flows.settle_redemptions import settle_redemptions
from gateway.flows.stock_goods import stock_goods
from gateway.house import House
from gateway.redemptions.states import ENDED
from schemas.errors import GatewayError
from schemas.goods import Movement, NewGood, NewPrice, Wanted
from schemas.redemptions import Basket, Redemption
from schemas.staff import Role, StaffCaller
from schemas.values import TownCode
from tests.bank_stage import KEYS
from tests.conftest import TestDatabase
from tests.redemption_stage import caller

CALLS = ("freeze", "confirm", "release", "reverse", "find")
FAULTS = ("slow", "drop", "refuse", "busy", "garbage")
PRICE_CENTI, SETTLE_FEN, STOCK_COUNT = 500, 500, 5_000
PLENTY_CENTI = 200_000  # what each customer has at the town
SAID = {
    "01": "frozen",
    "02": "confirmed",
    "03": "released",
    "04": "expired",
    "05": "reversed",
}  # 平安共富's words


@dataclass(frozen=True)
class Customers:
    """A town's people before a clerk, and its platform's controls."""

    town: TownCode
    accounts: Mapping[str, str]  # resident id → the town's account
    address: str
    calls: Any  # a session that the simulated town lets in
    faults: Sequence[str] = FAULTS
    only_bought: bool = True  # nothing but redemptions moves the platform's balances

    def open_accounts(self) -> None:
        """Everybody has plenty. A town whose balances follow its items opened them itself."""
        if self.only_bought:
            self._post("/_accounts", dict.fromkeys(self.accounts.values(), PLENTY_CENTI))

    def arm(self, fault: str, on: str, times: int) -> None:
        self._post("/_faults", {"fault": fault, "on": on, "times": times, "seconds": 1.3})

    def _post(self, path: str, content: Any) -> None:
        self.calls.post(self.address + path, json=content, timeout=10).raise_for_status()

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = self.calls.get(f"{self.address}/_state", timeout=10).json()
        return found


@dataclass
class Clerks:
    """One branch with one good, a clerk and a supervisor. What is under way is gone on with in later steps."""

    towns: Sequence[Customers]
    database: TestDatabase
    dice: random.Random
    told: Counter[str] = field(default_factory=Counter)
    good: UUID = field(default_factory=uuid4)
    people: dict[str, int] = field(default_factory=dict)  # resident id → person
    clerk: StaffCaller = field(init=False)
    supervisor: StaffCaller = field(init=False)

    def open_branch(self, house: House, now: datetime) -> None:
        """Staff, a good with a price in every town, and stock."""
        self.clerk = caller(house, "T001", Role.CLERK)
        self.supervisor = caller(house, "T002", Role.SUPERVISOR)
        prices = [
            NewPrice("RICE", c.town, date(2026, 1, 1), PRICE_CENTI, SETTLE_FEN, "协议 2026-01")
            for c in self.towns
        ]
        self.good = offer_goods(house, [NewGood("RICE", "大米", "Rice", "rice")], prices, by="test", now=now)[
            "RICE"
        ]
        came = Movement("receive", self.clerk.branch_no, self.good, STOCK_COUNT, 0)
        stock_goods(house, [came], by="test", cause_id=uuid4(), now=now)
        with house.db.transaction() as tx:
            for customers in self.towns:
                for id_no in customers.accounts:
                    person = subjects.find_person(tx, KEYS, id_no)
                    assert person is not None
                    self.people[id_no] = int(person)
        for customers in self.towns:
            customers.open_accounts()

    def fail(self) -> None:
        """Arm a fault on a call of one town; some outlast what is tried again."""
        customers = self.dice.choice(self.towns)
        fault = self.dice.choice(customers.faults)
        customers.arm(fault, self.dice.choice(CALLS), 1 if fault == "slow" else self.dice.choice((1, 1, 4)))
        self.told[f"fault {fault}"] += 1

    def serve(self, house: House, now: datetime) -> None:
        """Go on with what is under way, and serve one or two more."""
        for redemption_id, state in self._under_way():
            self._go_on(house, redemption_id, state, now)
        for _ in range(self.dice.randint(1, 2)):
            basket = self._basket()
            done = self._try(lambda basket=basket: redeem_points(house, self.clerk, basket, now=now))  # type: ignore[misc]
            if done is not None and self.dice.random() < 0.2:  # the page was sent twice
                again = redeem_points(house, self.clerk, basket, now=now)
                assert again.redemption_id == done.redemption_id

    def _basket(self) -> Basket:
        first = self.dice.choice(self.towns)
        id_no = self.dice.choice(sorted(first.accounts))
        others = [c for c in self.towns if c is not first and id_no in c.accounts]
        towns = [first, *others] if others and self.dice.random() < 0.6 else [first]
        self.told["of two towns"] += len(towns) > 1
        count = {c.town: self.dice.randint(1, 3) for c in towns}
        wanted = tuple(Wanted(self.good, town, n) for town, n in count.items())
        shown = {str(town): n * PRICE_CENTI for town, n in count.items()}
        return Basket(uuid4().hex, self.people[id_no], None, wanted, shown)

    def _go_on(self, house: House, redemption_id: UUID, state: str, now: datetime) -> None:
        luck = self.dice.random()
        if state == "frozen" and luck < 0.75:
            done = self._try(lambda: confirm_redemption(house, self.clerk, redemption_id, now=now))
            if done is not None and done.state == "confirmed" and self.dice.random() < 0.7:
                self._try(lambda: hand_over_goods(house, self.clerk, redemption_id, now=now))
        elif state == "frozen" and luck < 0.9:
            self._try(lambda: release_redemption(house, self.clerk, redemption_id, now=now))
        elif state == "confirmed" and luck < 0.7:
            self._try(lambda: hand_over_goods(house, self.clerk, redemption_id, now=now))
        elif state == "confirmed" and luck < 0.9:
            self._try(lambda: release_redemption(house, self.clerk, redemption_id, now=now))
        elif state == "handed_over" and luck < 0.03:
            self._try(lambda: reverse_redemption(house, self.supervisor, redemption_id, now=now))

    def _try(self, act: Callable[[], Redemption]) -> Redemption | None:
        """What came of it, or why it could not be, is counted."""
        try:
            done = act()
        except GatewayError as exc:
            self.told[exc.code] += 1
            return None
        self.told[str(done.state)] += 1
        return done

    def work(self, house: House, now: datetime) -> None:
        """The jobs."""
        for job in (settle_redemptions, end_overdue_holds):
            for state, count in job(house, now=now).items():
                self.told[f"job {state}"] += count

    def serve_each_town(self, house: House, now: datetime) -> None:
        """The faults are over: every town's points buy goods again, and not all of them stay bought."""
        for customers in self.towns:
            for keep in (True, False):
                basket = Basket(
                    uuid4().hex, self.people[min(customers.accounts)], None,
                    (Wanted(self.good, customers.town, 1),), {str(customers.town): PRICE_CENTI},
                )  # fmt: skip
                bought = redeem_points(house, self.clerk, basket, now=now).redemption_id
                assert confirm_redemption(house, self.clerk, bought, now=now).state == "confirmed"
                hand_over_goods(house, self.clerk, bought, now=now)
                if not keep:
                    done = reverse_redemption(house, self.supervisor, bought, now=now)
                    assert done.state == "reversed", done

    def close_branch(self, house: House, now: datetime) -> None:
        """Before the day ends nothing may be under way: what is confirmed is handed over."""
        for redemption_id, state in self._under_way():
            if state == "confirmed":
                hand_over_goods(house, self.clerk, redemption_id, now=now)

    def _under_way(self) -> list[tuple[UUID, str]]:
        rows = self.database.sql(
            "select redemption_id::text, state from redemption"
            " where state in ('frozen', 'confirmed', 'handed_over') order by opened_at, redemption_id"
        )
        return [(UUID(str(i)), str(state)) for i, state in rows]

    def faults(self) -> list[str]:
        """What does not agree: every redemption is at an end, and a town took its points iff the goods are gone."""
        legs: list[Any] = self.database.sql(
            "select r.state, l.town, l.serial, l.total_centi from redemption r join redemption_leg l using (redemption_id)"
        )
        found = [f"a redemption is still {state}" for state, *_ in legs if state not in set(map(str, ENDED))]
        for customers in self.towns:
            state_of = customers.state()
            freezes = state_of["freezes"]
            mine = {serial: (state, total) for state, town, serial, total in legs if town == customers.town}
            found += [
                f"{customers.town} has {s}, which nobody asked for" for s in freezes.keys() - mine.keys()
            ]
            for serial, (state, _) in mine.items():
                said = str(freezes.get(serial, {"state": "nothing"})["state"]).lower()
                said = SAID.get(said, said)
                if (state == "handed_over") != (said == "confirmed") or said == "frozen":
                    found.append(f"{serial} is {state} here and {said} in {customers.town}")
            taken = sum(total for state, total in mine.values() if state == "handed_over")
            left = sum(state_of["balances"][account] for account in customers.accounts.values())
            if customers.only_bought and left != PLENTY_CENTI * len(customers.accounts) - taken:
                found.append(f"{customers.town} has {left} left and gave {taken}")
        return [*found, *self._stock_faults()]

    def _stock_faults(self) -> list[str]:
        [(gone,)] = self.database.sql(
            "select coalesce(sum(quantity_count), 0)::int from redemption_line join redemption using (redemption_id)"
            " where state = 'handed_over'"
        )
        [(on_hand, held)] = self.database.sql("select on_hand_count, held_count from stock")
        right = (STOCK_COUNT - int(str(gone)), 0)
        return [] if (on_hand, held) == right else [f"stock is {on_hand}, {held} held; {gone} are gone"]
