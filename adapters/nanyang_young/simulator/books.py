"""The town's own books: residents, the numbered list of changes, what each can spend, and what stands frozen under whose serial.

A change gets its number when it begins and is seen when it commits; `hide` lets a lower number commit late, as databases do.
Points are in hundredths.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta, timezone
from itertools import islice
from typing import Any

from adapters.simulating import now

TOWN_TIME = timezone(timedelta(hours=8))
NEXT: Mapping[tuple[str, str], str] = {
    ("frozen", "confirm"): "confirmed",
    ("frozen", "release"): "released",
    ("confirmed", "reverse"): "reversed",
}
GIVES = {"award": 1, "deduction": -1, "spend": -1}

Change = dict[str, Any]


class BooksError(Exception):
    """The town says no. `status` and `code` are what it answers."""

    def __init__(self, status: int, code: str, title: str) -> None:
        super().__init__(title)
        self.status, self.code, self.title = status, code, title


@dataclass(slots=True)
class Member:
    """A resident as the platform knows them. `granted`: agreed that the gateway may read."""

    openid: str
    id_no: str
    name: str
    balance_centi: int = 0
    granted: bool = False


@dataclass(slots=True)
class Freeze:
    """One freeze under one serial."""

    serial: str
    openid: str
    points_centi: int
    reason: str
    state: str
    town_reference: str
    day: str  # the town's accounting date of the last movement


@dataclass(slots=True)
class Books:
    """Everything the town keeps, safe for threads."""

    members: dict[str, Member] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)  # by number; index = seq - 1
    hidden: set[int] = field(default_factory=set)  # numbers given, not committed yet
    void: set[int] = field(default_factory=set)  # numbers given and never used
    freezes: dict[str, Freeze] = field(default_factory=dict)
    acted: int = 0  # how often points really moved: a repeated request moves nothing
    oldest_seq: int = 1
    _of_member: dict[str, list[int]] = field(default_factory=dict, repr=False)
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def add_members(self, members: Iterable[Mapping[str, Any]]) -> None:
        """Residents, by openid; `balance_centi` is what one has before any change."""
        with self.lock:
            for given in members:
                self.members.setdefault(
                    given["openid"],
                    Member(
                        given["openid"], given["id_no"], given["name"], int(given.get("balance_centi", 0))
                    ),
                )

    def add_changes(self, changes: Iterable[Mapping[str, Any]], *, hide: Sequence[int] = ()) -> list[int]:
        """Number the changes in their order; `hide` are places in this list that commit late. The numbers given."""
        with self.lock:
            given = []
            for place, change in enumerate(changes):
                seq = len(self.changes) + 1
                self.changes.append({"seq": seq, **change})
                self._of_member.setdefault(change["openid"], []).append(seq)
                given.append(seq)
                if place in hide:
                    self.hidden.add(seq)
                else:
                    self._move(change)
            return given

    def skip(self, count: int) -> list[int]:
        """Numbers given to changes that were rolled back: void."""
        with self.lock:
            first = len(self.changes) + 1
            for seq in range(first, first + count):
                self.changes.append({"seq": seq, "openid": "", "occurred_at": 0})
                self.void.add(seq)
            return list(range(first, first + count))

    def reveal(self, seqs: Iterable[int]) -> None:
        """Late changes commit."""
        with self.lock:
            for seq in seqs:
                if seq in self.hidden:
                    self.hidden.discard(seq)
                    self._move(self.changes[seq - 1])

    def _move(self, change: Mapping[str, Any]) -> None:
        member = self.members.get(change["openid"])
        if member is not None:
            whole, _, part = str(change["points"]).partition(".")
            sign = GIVES.get(change.get("kind", "award"), 0)
            member.balance_centi += sign * (int(whole) * 100 + int(part.ljust(2, "0") or 0))

    def visible(self, seqs: Iterable[int]) -> list[Change]:
        """Those of the numbers that committed."""
        return [self.changes[s - 1] for s in seqs if s not in self.hidden and s not in self.void]

    def after(self, seq: int, count: int) -> tuple[list[Change], int]:
        """Up to `count` committed changes with a higher number, and the last number looked at."""
        with self.lock:
            found: list[Change] = []
            for change in islice(self.changes, seq, None):
                number = change["seq"]
                if number not in self.hidden and number not in self.void:
                    found.append(change)
                    if len(found) == count:
                        break
            return found, found[-1]["seq"] if found else seq

    def between(self, low: int, high: int) -> tuple[list[Change], list[int]]:
        """Committed changes with these numbers, and the void numbers among them."""
        with self.lock:
            numbers = range(max(low, 1), min(high, len(self.changes)) + 1)
            return self.visible(numbers), [seq for seq in numbers if seq in self.void]

    def of_member(self, openid: str, after: int, count: int) -> list[Change]:
        """One resident's committed changes with a higher number."""
        with self.lock:
            numbers = self._of_member.get(openid, [])
            return self.visible(numbers[bisect_right(numbers, after) :])[:count]

    def on_day(self, day: str) -> list[Change]:
        """Committed changes of the accounting date, by number: of residents whose grant stands."""
        with self.lock:
            every = self.visible(range(1, len(self.changes) + 1))
            granted = {member.openid for member in self.members.values() if member.granted}
            return [c for c in every if c["openid"] in granted and _day(c["occurred_at"]) == day]

    def member(self, openid: str) -> Member:
        with self.lock:
            if openid not in self.members:
                raise BooksError(404, "account_unknown", "nobody has this openid")
            return self.members[openid]

    def freeze(self, serial: str, openid: str, points_centi: int, reason: str) -> tuple[Freeze, bool]:
        """Set points aside; the freeze, and whether it was made just now."""
        with self.lock:
            known = self.freezes.get(serial)
            if known is not None:
                if (known.openid, known.points_centi, known.reason) != (openid, points_centi, reason):
                    raise BooksError(409, "serial_reused", "this serial froze something else")
                return known, False
            member = self.member(openid)
            if member.balance_centi < points_centi:
                raise BooksError(422, "not_enough_points", "the resident has not so many points")
            member.balance_centi -= points_centi
            self.acted += 1
            reference = f"NY-F-{len(self.freezes) + 1:08d}"
            made = Freeze(serial, openid, points_centi, reason, "frozen", reference, _today())
            self.freezes[serial] = made
            return made, True

    def end(self, serial: str, how: str) -> Freeze:
        """Confirm, release or reverse; the same again is answered like the first time."""
        with self.lock:
            freeze = self.find(serial)
            if freeze.state == {"confirm": "confirmed", "release": "released", "reverse": "reversed"}[how]:
                return freeze
            following = NEXT.get((freeze.state, how))
            if following is None:
                raise BooksError(409, "freeze_ended", f"the freeze is {freeze.state}")
            if following in ("released", "reversed"):
                self.members[freeze.openid].balance_centi += freeze.points_centi
            freeze.state, freeze.day = following, _today()
            self.acted += 1
            return freeze

    def find(self, serial: str) -> Freeze:
        with self.lock:
            if serial not in self.freezes:
                raise BooksError(404, "serial_unknown", "no freeze has this serial")
            return self.freezes[serial]

    def freezes_on(self, day: str) -> list[Freeze]:
        """All freezes that moved last on that day, by serial."""
        with self.lock:
            return sorted((f for f in self.freezes.values() if f.day == day), key=lambda f: f.serial)

    def kept(self) -> dict[str, Any]:
        """Everything, for the file that survives a restart."""
        with self.lock:
            return {
                "members": [asdict(member) for member in self.members.values()],
                "changes": list(self.changes),
                "hidden": sorted(self.hidden),
                "void": sorted(self.void),
                "freezes": [asdict(freeze) for freeze in self.freezes.values()],
                "acted": self.acted,
            }

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take up what was kept."""
        self.members = {given["openid"]: Member(**given) for given in kept["members"]}
        self.changes = list(kept["changes"])
        for change in self.changes:
            self._of_member.setdefault(change["openid"], []).append(change["seq"])
        self.hidden, self.void = set(kept["hidden"]), set(kept["void"])
        self.freezes = {given["serial"]: Freeze(**given) for given in kept["freezes"]}
        self.acted = kept["acted"]

    def snapshot(self) -> dict[str, Any]:
        """Numbers for `GET /_state`; nobody's changes."""
        with self.lock:
            return {
                "balances": {m.openid: m.balance_centi for m in self.members.values()},
                "granted": sorted(m.openid for m in self.members.values() if m.granted),
                "freezes": {serial: asdict(freeze) for serial, freeze in self.freezes.items()},
                "acted": self.acted,
                "changes": len(self.changes),
                "hidden": sorted(self.hidden),
            }


def _today() -> str:
    return now().astimezone(TOWN_TIME).date().isoformat()


def _day(epoch_ms: int) -> str:
    return datetime.fromtimestamp(epoch_ms / 1000, TOWN_TIME).date().isoformat()
