"""The seeded year: an invented town registers its families and sends what they did, all through the door.

A marker in the state directory says that it is done; killed half-way, the next start sends the same again under the same keys,
and what was stored is not stored twice.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import requests

from adapters.lijiayuan.simulator import DoorAccess, Pusher, Town, invent_town
from certs.authority import Development
from certs.files import write_public
from gateway.sandbox.places import CLIENT_ID, Places

SEED = 20261123
FAMILIES = 3000


class Progress(Protocol):
    """What a progress bar must do; `rich.progress.Progress` does it."""

    def add_task(self, description: str, *, total: float | None) -> Any: ...
    def advance(self, task_id: Any, advance: float = 1) -> None: ...


@dataclass(frozen=True, slots=True)
class Seeded:
    """What was sent and how it was answered."""

    families: int
    items: int
    withdrawals: int
    registered: Counter[str]
    answered: Counter[str]
    codes: Counter[str]
    withdrawn: Counter[str]


def door_access(places: Places, made: Development) -> DoorAccess:
    """The simulated town's credentials at our door."""
    cert, key = made.client("lijiayuan")
    return DoorAccess(places.web, CLIENT_ID, made.assertion("lijiayuan")[0], cert, key, made.ca_cert)


def marker(places: Places) -> Path:
    """Stands when the seeding is complete."""
    return places.config.state_dir / "seeded.json"


def is_seeded(places: Places) -> bool:
    return marker(places).exists()


def begun_on(places: Places, today: date) -> date:
    """The day the seeding was begun: a second attempt tomorrow invents the same year as the first did."""
    path = places.config.state_dir / "seeding.json"
    if path.exists():
        return date.fromisoformat(json.loads(path.read_text())["today"])
    write_public(path, json.dumps({"today": today.isoformat()}).encode())
    return today


def seed_year(places: Places, made: Development, *, today: date, families: int, progress: Progress) -> Seeded:
    """Invent the town, send everything, open its accounts at the simulated platform, leave the marker."""
    town = invent_town(SEED, families, begun_on(places, today))
    found = send_town(
        town, Pusher(door_access(places, made), seed=SEED, told=books_of(places, made)), progress
    )
    open_accounts(places, made, town)
    write_public(
        marker(places),
        json.dumps({"families": found.families, "items": found.items, "answered": found.answered}).encode(),
    )
    return found


def send_town(town: Town, pusher: Pusher, progress: Progress) -> Seeded:
    """Families first, then what they did in the order it happened, then the withdrawn consents."""

    def step(description: str, total: int) -> Callable[[int], None]:
        task = progress.add_task(description, total=total)
        return lambda count: progress.advance(task, count)

    registrations = town.registrations()
    registered = pusher.register(registrations, done=step("家庭 families", len(registrations)))
    pushed = pusher.push_all(town.items, done=step("积分 contributions", len(town.items)))
    withdrawn = pusher.withdraw(town.withdrawals, done=step("撤回 withdrawals", len(town.withdrawals)))
    return Seeded(
        len(registrations),
        len(town.items),
        len(town.withdrawals),
        registered,
        pushed.counts,
        pushed.codes,
        withdrawn,
    )


def books_of(places: Places, made: Development) -> Callable[[list[Any]], None]:
    """Tells the town's own platform what the gateway acknowledged, so that its day statements list it."""

    def note(items: list[Any]) -> None:
        answer = requests.post(places.town + "/_sent", json=items, verify=str(made.ca_cert), timeout=30)
        answer.raise_for_status()

    return note


def open_accounts(places: Places, made: Development, town: Town) -> None:
    """The town's own platform learns what each family can spend."""
    answer = requests.post(
        places.town + "/_accounts", json=town.balances(), verify=str(made.ca_cert), timeout=30
    )
    answer.raise_for_status()
