"""南阳young in the faulty hour: its feed is read, with late and void numbers, and residents who never linked."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from adapters import nanyang_young
from gateway import ledger, links, subjects, translog
from gateway.db import Row
from gateway.house import House
from gateway.links import Held
from gateway.links.restate import LINKED as LINKED_STATE
from gateway.links.restate import link_record
from gateway.subjects.restate import GIVEN, consent_records
from schemas.feeds import TownFeed
from schemas.ports import TownClient, TownReader
from schemas.values import TownCode
from tests.nanyang_stage import TOWN, SimulatedNanyang, member, openid, registration, running_nanyang
from tests.storm.clerks import PLENTY_CENTI, Customers

LINKED, EVERYBODY = 8, 10  # residents by number from 1; the last two never agreed to anything
FEED_FAULTS = ("drop", "busy", "garbage", "repeat", "reorder", "slow")
ON = ("changes", "changes", "missing", "statement")
TASKS = ("waste_sorting", "night_patrol", "volunteer_shift", "littering")


@dataclass
class Nanyang:
    """A `faulty_hour.Side`. Its statement and its feed are of the same books, as the town's are."""

    it: SimulatedNanyang
    dice: random.Random
    town: TownCode = TOWN
    reader: TownReader = field(default_factory=nanyang_young.create_reader)
    told: Counter[str] = field(default_factory=Counter)
    late: list[int] = field(default_factory=list)  # numbers given, not committed yet
    awards: list[dict[str, Any]] = field(default_factory=list)  # not taken back yet
    number: int = 0

    @property
    def _config(self) -> nanyang_young.Config:
        return replace(self.it.config, answer_timeout_s=0.6)

    @property
    def client(self) -> TownClient:
        return nanyang_young.create_client(self._config)

    @property
    def feed(self) -> TownFeed:
        return nanyang_young.create_feed(self._config)

    def register(self, house: House, now: datetime) -> None:
        """Residents as linking leaves them: an account and a link with us, and a grant that stands with the town."""
        people = [{**member(n), "balance_centi": PLENTY_CENTI} for n in range(4, EVERYBODY + 1)]
        self.it.books.add_members(people)
        for n in (1, 2, 3):  # the platform began with them
            self.it.books.members[openid(n)].balance_centi = PLENTY_CENTI
        with house.db.transaction() as tx:
            for n in range(1, LINKED + 1):
                person, given = subjects.register_account(
                    tx, house.keys, TOWN, registration(n), openid(n), now=now, new_id=house.new_id
                )
                ledger.open_accounts(tx, TOWN, [int(person)])
                held = Held(house.new_id(), TOWN, person, openid(n), "refresh")
                link_id, _ = links.insert_link(tx, house.keys, held, now=now)
                records = [link_record(tx, LINKED_STATE, link_id)]
                records += consent_records(tx, GIVEN, [change.consent_id for change in given])
                translog.append_records(tx, records, now=now, new_id=house.new_id)
                self.it.books.members[openid(n)].granted = True

    def _change(self, now: datetime, **changes: Any) -> dict[str, Any]:
        self.number += 1
        at = now - timedelta(seconds=self.dice.choice((0, 0, 0, 5, 600, 3000)))
        return {
            "change_id": f"ny_{self.number:010d}",
            "openid": openid(self.dice.randint(1, EVERYBODY)),
            "task": self.dice.choice(TASKS),
            "kind": self.dice.choice(("award", "award", "award", "deduction", "spend")),
            "points": f"{self.dice.randint(1, 30)}.5",
            "occurred_at": int(at.timestamp() * 1000),
            **changes,
        }

    def send(self, house: House, now: datetime) -> None:
        """Changes enter the town's books; the gateway's job reads them."""
        items = [self._change(now) for _ in range(self.dice.randint(1, 6))]
        luck = self.dice.random()
        if luck < 0.15:
            items.append(self._change(now, task="drone_survey"))
        elif luck < 0.35 and self.awards:
            original = self.awards.pop(self.dice.randrange(len(self.awards)))
            same = {name: original[name] for name in ("openid", "task", "points")}
            items.append(self._change(now, kind="reversal", reverses=original["change_id"], **same))
        elif luck < 0.45:
            self.it.post("/_skip", {"count": self.dice.randint(1, 3)})
            self.told["void"] += 1
        self.awards += [i for i in items if i["kind"] == "award" and i["task"] in TASKS]
        hide = [place for place in range(len(items)) if self.dice.random() < 0.1]
        given = self.it.post("/_changes", {"changes": items, "hide": hide})["seqs"]
        self.told["given"] += len(given)
        self.late += [given[place] for place in hide]
        if self.late and self.dice.random() < 0.4:
            self._reveal(1)

    def _reveal(self, count: int) -> None:
        self.it.post("/_reveal", {"seqs": self.late[:count]})
        self.told["late"] += len(self.late[:count])
        del self.late[:count]

    def fail(self) -> None:
        fault, on = self.dice.choice(FEED_FAULTS), self.dice.choice(ON)
        times = self.dice.choice((1, 1, 4))  # four outlast the retries
        self.it.arm(fault, on, seconds=0.8 if fault == "slow" else 20, times=1 if fault == "slow" else times)

    def customers(self) -> Customers:
        """Whoever linked. Their balances move with what they do, too."""
        accounts = {member(n)["id_no"]: openid(n) for n in range(1, LINKED + 1)}
        return Customers(TOWN, accounts, self.it.address, self.it.calls, only_bought=False)

    def heal(self) -> None:
        self.it.calm()
        self._reveal(len(self.late))

    def mend(self, house: House, row: Row, now: datetime) -> None:
        """Nothing: what the feed gives is what the statement says, as soon as it was read."""


@contextmanager
def nanyang_side(folder: Path, dice: random.Random) -> Iterator[Nanyang]:
    """The simulated town on loopback."""
    folder.mkdir(parents=True, exist_ok=True)
    with running_nanyang(folder) as it:
        yield Nanyang(it, dice)
