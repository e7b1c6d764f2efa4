"""A stage for the bank's side: a house over a scratch database, a simulated bank on loopback, families with points, a ruleset."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import requests
from uuid6 import uuid7

from adapters import bank_core
from adapters.bank_core.simulator import create_server, create_simulator_app
from gateway import benefits, policy, subjects
from gateway.config import Config
from gateway.db import Database
from gateway.flows.deliver_proposals import deliver_proposals
from gateway.flows.propose_benefits import propose_benefits
from gateway.flows.refresh_facilities import refresh_facilities
from gateway.flows.settle_unknowns import settle_unknowns
from gateway.house import House
from schemas.contributions import ConsentGiven, HouseholdRegistration, MemberRegistration
from schemas.crypto import KeyRing
from schemas.ports import BankPort
from schemas.values import Purpose, TownCode
from tests.conftest import TestDatabase

NOW = datetime(2026, 11, 23, 4, 0, 0, tzinfo=UTC)
ON = date(2026, 11, 23)
TOWN = TownCode("lijiayuan")
KEYS = KeyRing("international", "k1", {"k1": b"k" * 32}, b"d" * 32)

#: 10 bp for each 100 points, at most 100 bp; 1 000 CNY more limit for each 100 points.
RULESET = """
name: stage
title: {zh: 测试, en: Stage}
reference: "[P] a test"
product: stage_loan
valid_from_on: 2026-01-01
subject: household
basis: {kind: cumulative, reference: "[P]"}
factors:
  towns:
    lijiayuan: {num: 1, den: 1}
  rounding: down
  reference: "[P]"
gates:
  vetoes: {codes: all, reference: "[P]"}
discount:
  effect: absolute
  linear: {bp: 10, per_points: 100}
  rounding: down
  cap_bp: 100
  reference: "[P]"
limit:
  effect: absolute
  linear: {amount_cny: 1000, per_points: 100}
  rounding: down
  unit_cny: 1000
  cap_cny: 100000
  reference: "[P]"
floor: {fixed_bp: 300, reference: "[P]"}
term: {months: 12, reference: "[P]"}
on_decrease: at_once
assumed_loan: {amount_cny: 100000, reference: "[P]"}
"""
QUOTA = 'quota: {{amount_cny: {amount_cny}, counts: limit_increase, reference: "[P]"}}\n'
CHECK_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def resident_id(number: int) -> str:
    """A valid, invented resident id (GB 11643)."""
    born = date(1970, 1, 1) + timedelta(days=number % 9000)
    body = f"330199{born:%Y%m%d}{number // 9000:03d}"  # 330199 was never given to a county
    total = sum(int(digit) * weight for digit, weight in zip(body, CHECK_WEIGHTS, strict=True))
    return body + "10X98765432"[total % 11]


@dataclass
class Bank:
    """The simulated bank, seen from outside."""

    address: str

    def fail(self, fault: str, *, service: str | None = None, times: int = 1, seconds: float = 1.0) -> None:
        body = {"fault": fault, "service": service, "times": times, "seconds": seconds}
        requests.post(self.address + "/_faults", json=body, timeout=5).raise_for_status()

    def heal(self) -> None:
        requests.delete(self.address + "/_faults", timeout=5).raise_for_status()

    def say_of(self, id_no: str, **facility: Any) -> None:
        body = {"customer_id_no": id_no, **facility}
        requests.post(self.address + "/_facilities", json=body, timeout=5).raise_for_status()

    def books(self) -> dict[str, Any]:
        found: dict[str, Any] = requests.get(self.address + "/_state", timeout=5).json()
        return found

    def benefits(self) -> dict[str, dict[str, Any]]:
        return {b["serial"]: b for b in self.books()["benefits"]}


@contextmanager
def simulated_bank() -> Iterator[Bank]:
    """Plain HTTP on loopback, for tests that are not about TLS."""
    server = create_server(create_simulator_app())
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield Bank(f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def bank_client(address: str, **settings: Any) -> BankPort:
    """A client with short time-outs."""
    asked: dict[str, Any] = {
        "connect_timeout_s": 1.0,
        "answer_timeout_s": 0.5,
        "total_timeout_s": 2.0,
        **settings,
    }
    return bank_core.create_client(bank_core.Config(address, sandbox=True, **asked))


@dataclass
class Stage:
    """The house and what stands on it."""

    house: House
    database: TestDatabase
    bank: Bank
    now: datetime = NOW
    id_nos: dict[int, str] = field(default_factory=dict)  # household → its head's resident id
    heads: dict[int, int] = field(default_factory=dict)  # household → its head's person id

    def ruleset(self, text: str = RULESET) -> policy.Ruleset:
        with self.house.db.transaction() as tx:
            made, _ = policy.insert_ruleset(tx, text, by="author", now=self.now)
            policy.insert_approval(tx, made.ruleset_id, by="approver", now=self.now)
        return made

    def families(self, count: int, first: int = 1) -> list[int]:
        """Households of one consenting head each, with a base rate of 500 bp at the bank; their ids."""
        consent = ConsentGiven(Purpose.LOAN_MAPPING, self.now - timedelta(days=30), "1")
        numbers = range(first, first + count)
        registered = [
            HouseholdRegistration(
                f"F{n:05d}",
                "测试村",
                date(2026, 1, 1),
                (MemberRegistration(resident_id(n), "测试甲", None, True, (consent,)),),
            )
            for n in numbers
        ]
        with self.house.db.transaction() as tx:
            done = subjects.register(tx, KEYS, TOWN, registered, now=self.now, new_id=uuid7)
            for n in numbers:
                person = subjects.find_person(tx, KEYS, resident_id(n))
                assert person is not None
                household = int(done.households[f"F{n:05d}"])
                self.heads[household], self.id_nos[household] = int(person), resident_id(n)
        for n in numbers:
            self.bank.say_of(
                resident_id(n), base_rate_bp=500, base_limit_fen=10_000_000, vetoes=[], honours=[]
            )
        return [int(done.households[f"F{n:05d}"]) for n in numbers]

    def give_points(self, households: list[int], points: int, kind: str = "award") -> None:
        """One push: the same points to each, queued as contributions queue it."""
        batch = uuid4()
        for holder in households:
            self.database.sql(
                "insert into contribution values"
                " ('lijiayuan', %s, %s, 0, %s, 'x', 'sorting', %s, 0, %s, %s, %s, null, null, ''::bytea)",
                (str(uuid4()), str(batch), kind, holder, points * 100, self.now, ON),
            )
            self.database.sql(
                "insert into month_sum values (%s, 'lijiayuan', 0, 202611, 'sorting', %s, %s, 1) on conflict"
                " (holder_id, town, person_id, month, category, kind) do update set points_centi ="
                " month_sum.points_centi + excluded.points_centi",
                (holder, kind, points * 100),
            )
        self.database.sql("insert into changed_batch values (%s, %s)", (str(batch), self.now))

    def later(self, **delta: float) -> datetime:
        self.now += timedelta(**delta)
        return self.now

    def propose(self, limit: int = 2000) -> dict[str, int]:
        return propose_benefits(self.house, now=self.now, limit=limit)

    def refresh(self) -> dict[str, int]:
        return refresh_facilities(self.house, now=self.now, chance=lambda: 0.5)

    def deliver(self) -> dict[str, int]:
        return deliver_proposals(self.house, now=self.now, chance=lambda: 0.5)

    def settle(self) -> dict[str, int]:
        return settle_unknowns(self.house, now=self.now, chance=lambda: 0.5)

    def evaluate(self) -> dict[str, int]:
        """Propose, ask the bank for facilities where wanted, propose again."""
        self.propose()
        self.refresh()
        return self.propose()

    def quiet(self, rounds: int = 30) -> None:
        """Time goes by and the jobs run, until nothing waits."""
        for _ in range(rounds):
            self.later(minutes=5)
            self.refresh()
            self.propose()
            self.settle()
            self.deliver()
            open_ = self.database.sql(
                "select count(*) from outbox_message where state not in ('done', 'cancelled')"
            )
            if open_ == [(0,)] and self.waiting() == 0:
                return
        raise AssertionError("the jobs did not come to rest")

    def waiting(self) -> int:
        with self.house.db.transaction() as tx:
            return benefits.count_changes(tx)

    def proposals(self) -> dict[str, str]:
        """Serial → state."""
        return dict(self.database.sql("select serial, state from proposal order by proposed_at, serial"))

    def agree(self) -> None:
        """Our books and the bank's say the same, and nothing was done twice."""
        ours = {serial for serial, state in self.proposals().items() if state in ("accepted", "in_force")}
        books = self.bank.books()
        theirs = {b["serial"] for b in books["benefits"] if b["state"] == "in_force"}
        assert ours == theirs
        assert all(times == 1 for times in books["acted"].values()), "the bank acted twice on one serial"
        holders = [(b["customer"], b["product"]) for b in books["benefits"] if b["state"] == "in_force"]
        assert len(holders) == len(set(holders)), "somebody has two benefits in force"

    def with_bank(self, bank: BankPort | None) -> House:
        return replace(self.house, bank=bank)


@contextmanager
def bank_stage(database: TestDatabase, folder: Path, **settings: Any) -> Iterator[Stage]:
    """A stage with a bank that answers."""
    with simulated_bank() as bank:
        pool = Database(database.app_dsn, size=20)
        house = House(
            config=Config(state_dir=folder),
            db=pool,
            audit_db=database.auditor,
            keys=KEYS,
            readers={},
            clients={},
            bank=bank_client(bank.address, **settings),
            sign_receipt=lambda claims: "",
            clock=lambda: datetime.now(UTC),
            new_id=uuid7,
        )
        yield Stage(house, database, bank)
        pool.close()
