"""The seeded year: every simulated town registers its people and sends what they did, all through the doors.

A marker in the state directory says that it is done; killed half-way, the next start sends the same again under the same keys,
and what was stored is not stored twice.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from adapters import registry
from adapters.simulating import Family, Resident, SeedGround, Sent
from certs.files import write_public
from gateway.flows.issue_entry import issue_entry
from gateway.house import House
from gateway.sandbox.places import Places
from schemas.feeds import EntryIdentity
from schemas.values import TownCode

SEED = 20261123
FAMILIES = 3000
Entry = Callable[[str, Resident], str]  # (town, resident) → the bank's link to the linking page


class Progress(Protocol):
    """What a progress bar must do; `rich.progress.Progress` does it."""

    def add_task(self, description: str, *, total: float | None) -> Any: ...
    def advance(self, task_id: Any, advance: float = 1) -> None: ...


@dataclass(frozen=True, slots=True)
class Seeded:
    """What each town sent, in the order of the registry."""

    towns: Mapping[str, Sent]
    families: Sequence[Family] = field(default_factory=tuple)

    @property
    def items(self) -> int:
        """Everything that was answered, of every kind."""
        return sum(answers.total() for sent in self.towns.values() for _, _, answers in sent.rows)


def is_seeded(places: Places) -> bool:
    return (places.config.state_dir / "seeded.json").exists()


def begun_on(places: Places, today: date) -> date:
    """The day the seeding was begun: a second attempt tomorrow invents the same year as the first did."""
    path = places.config.state_dir / "seeding.json"
    if path.exists():
        return date.fromisoformat(json.loads(path.read_text())["today"])
    write_public(path, json.dumps({"today": today.isoformat()}).encode())
    return today


def seed_year(places: Places, *, today: date, families: int, progress: Progress, entry: Entry) -> Seeded:
    """Every town's year, at this size; leaves the marker."""
    found = send_towns(
        places, begun_on(places, today), families=families, seed=SEED, progress=progress, entry=entry
    )
    answers: Counter[str] = Counter()
    for sent in found.towns.values():
        for _, _, counts in sent.rows:
            answers.update(counts)
    told = {"families": families, "items": found.items, "answered": answers}
    write_public(places.config.state_dir / "seeded.json", json.dumps(told).encode())
    return found


def send_towns(
    places: Places,
    today: date,
    *,
    families: int,
    seed: int,
    progress: Progress,
    entry: Entry,
    zeal: float = 1.0,
    strangers: bool = True,
) -> Seeded:
    """The first town, then the others, whose people are partly the first one's. Without `strangers`, nobody else lives there."""
    sent: dict[str, Sent] = {}
    known: Sequence[Family] = ()
    for town in places.town_ports:
        seeding = registry.find_seeding(town)
        if seeding is None:
            continue
        ground = seed_ground(
            places, town, today, size=families, seed=seed, progress=progress, entry=entry,
            zeal=zeal, families=known, strangers=strangers,
        )  # fmt: skip
        sent[town] = seeding.seed_year(ground)
        known = known or sent[town].families
    return Seeded(sent, known)


def seed_ground(
    places: Places, town: str, today: date, *, size: int, seed: int, progress: Progress, entry: Entry, zeal: float = 1.0,
    families: Sequence[Family] = (), strangers: bool = True,
) -> SeedGround:  # fmt: skip
    """What one town's seeding stands on. Of the first town's families every second lives here too, or all without strangers."""

    def step(description: str, total: int) -> Callable[[int], None]:
        task = progress.add_task(description, total=total)
        return lambda count: progress.advance(task, count)

    here = families[::2] if strangers else families
    return SeedGround(
        places.simulator(town),
        places.web,
        here,
        seed,
        size if strangers or not families else len(here),
        zeal,
        today,
        step,
        lambda resident: entry(town, resident),
    )


def entry_maker(house: House) -> Entry:
    """The bank's app, played: it knows its customer and gives them a link."""

    def make(town: str, resident: Resident) -> str:
        who = EntryIdentity(resident.id_no, resident.name, resident.phone)
        return issue_entry(house, TownCode(town), who, now=house.clock())

    return make
