"""How the towns and the bank stand: for the page of operations and the metrics. Numbers only, no personal data."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from cryptography import x509

from gateway import clients, contributions, feeds, neighbours, outbox, settlements
from gateway.house import House
from gateway.neighbours import Standing

BANK = "bank_core"
WARN_DAYS = 30


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate named in the neighbour's settings. `expires_at` None: the file cannot be read."""

    name: str  # the file's
    expires_at: datetime | None
    days_left: int | None


@dataclass(slots=True)
class Neighbour:
    """One of them. Counts are of now; lists are empty where there is nothing to say."""

    name: str  # 'lijiayuan', 'bank_core'
    profile: Any  # schemas.ports.Profile of a town; None: the bank
    connected: bool  # has a table in the neighbours file
    standing: Standing | None  # None: never called, never paused
    last_push_at: datetime | None = None
    last_push_items: int = 0
    feed_at: datetime | None = None
    feed_gaps: int = 0
    quarantine: list[tuple[str, int, datetime]] = field(default_factory=list)  # reason, items, oldest
    waiting: int = 0  # messages to it: queued, sending, unknown
    waiting_since_at: datetime | None = None
    parked: int = 0
    differences: list[tuple[str, str, int, datetime]] = field(
        default_factory=list
    )  # owner, state, how many, oldest
    reconciled_on: date | None = None
    certificates: list[Certificate] = field(default_factory=list)

    @property
    def state(self) -> str:
        """In one word: 'away' (not connected), 'paused', 'open' or 'half_open' (its breaker), 'quiet' (never called), 'well'."""
        if self.standing is not None and self.standing.paused:
            return "paused"
        if self.standing is not None and self.standing.state != "closed":
            return self.standing.state
        if not self.connected:
            return "away"
        return "quiet" if self.standing is None else "well"

    @property
    def open_differences(self) -> int:
        return sum(count for _, state, count, _ in self.differences if state == "open")

    @property
    def explained_differences(self) -> int:
        return sum(count for _, state, count, _ in self.differences if state == "explained")

    @property
    def oldest_difference_at(self) -> datetime | None:
        return min((at for _, state, _, at in self.differences if state == "open"), default=None)

    @property
    def needs_somebody(self) -> bool:
        """Whether a person should look."""
        ending = any(c.days_left is None or c.days_left < WARN_DAYS for c in self.certificates)
        return self.state in ("open", "half_open") or bool(self.parked or self.open_differences or ending)


def inspect_neighbours(house: House, *, now: datetime) -> list[Neighbour]:
    """Every town, then the bank. Raises UnavailableError when the database is away."""
    with house.db.transaction(read_only=True) as tx:
        standings = neighbours.list_standings(tx)
        pushes = {row.town: row for row in clients.list_last_pushes(tx)}
        waiting = contributions.count_quarantined(tx)
        differences = settlements.count_differences(tx)
        days = settlements.list_last_days(tx)
        messages = outbox.count_messages(tx)
        gaps = feeds.count_gaps(tx)
        read = {town: feeds.find_feed(tx, town) for town in house.feeds}
    found = []
    for town, reader in house.readers.items():
        one = Neighbour(town, reader.profile, town in house.clients, standings.get(town))
        if push := pushes.get(town):
            one.last_push_at, one.last_push_items = push.received_at, push.item_count
        if town in read:
            one.feed_at, one.feed_gaps = read[town].fetched_at, gaps.get(town, (0, now))[0]
        one.quarantine = [(row.code, int(row.items), row.oldest_at) for row in waiting if row.town == town]
        mine = [row for row in differences if row.town == town]
        one.differences = [(row.owner, row.state, int(row.differences), row.oldest_at) for row in mine]
        one.reconciled_on = days[town][0] if town in days else None
        found.append(one)
    bank = Neighbour(BANK, None, house.bank is not None, standings.get(BANK))
    undone = [messages[state] for state in ("queued", "sending", "unknown") if state in messages]
    bank.waiting, bank.waiting_since_at = (
        sum(n for n, _ in undone),
        min((at for _, at in undone), default=None),
    )
    bank.parked = messages["parked"][0] if "parked" in messages else 0
    found.append(bank)
    for one in found:
        one.certificates = [_certificate(path, now) for path in house.certificate_files.get(one.name, ())]
    return found


def _certificate(path: Path, now: datetime) -> Certificate:
    """Of a file with several, the one that ends first."""
    try:
        ends = min(c.not_valid_after_utc for c in x509.load_pem_x509_certificates(path.read_bytes()))
    except (OSError, ValueError):
        return Certificate(path.name, None, None)
    return Certificate(path.name, ends, (ends - now).days)
