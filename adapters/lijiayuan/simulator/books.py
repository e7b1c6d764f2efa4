"""The town's own books: what each family can spend, what stands frozen under whose serial, and what was sent to the gateway.

Points are in hundredths.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from adapters.simulating import now

TOWN_TIME = timezone(timedelta(hours=8))
NEXT: Mapping[tuple[str, str], str] = {
    ("frozen", "confirm"): "confirmed",
    ("frozen", "release"): "released",
    ("confirmed", "reverse"): "reversed",
    ("frozen", "expire"): "expired",  # by itself, not by anybody's call
}


class BooksError(Exception):
    """The town says no. `status` and `code` are what it answers."""

    def __init__(self, status: int, code: str, title: str) -> None:
        super().__init__(title)
        self.status, self.code, self.title = status, code, title


@dataclass(slots=True)
class Freeze:
    """One freeze under one serial."""

    serial: str
    family: str
    points_centi: int
    reason: str
    state: str
    town_reference: str
    day: str  # the town's accounting date of the last movement


@dataclass(slots=True)
class Books:
    """Accounts and freezes, safe for threads. With `path`, they survive a restart."""

    path: Path | None = None
    balances: dict[str, int] = field(default_factory=dict)
    freezes: dict[str, Freeze] = field(default_factory=dict)
    sent: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)  # day → task id → line
    acted: int = 0  # how often points really moved: a repeated request moves nothing
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def load(self) -> None:
        """Read the books from their file, when there is one."""
        if self.path is not None and self.path.exists():
            kept = json.loads(self.path.read_text())
            self.balances, self.acted = kept["balances"], kept["acted"]
            self.freezes = {serial: Freeze(**freeze) for serial, freeze in kept["freezes"].items()}
        if self.path is not None and self._sent_path.exists():
            for text in self._sent_path.read_text().splitlines():
                day, line = json.loads(text)
                self.sent.setdefault(day, {})[line["taskId"]] = line

    @property
    def _sent_path(self) -> Path:
        assert self.path is not None
        return self.path.with_suffix(".sent.jsonl")

    def note_sent(self, items: Iterable[Mapping[str, Any]]) -> int:
        """Tasks the gateway acknowledged, as they were sent; how many are new. Their day is that of `finishedAt`, here."""
        written: list[str] = []
        with self._lock:
            for item in items:
                day = datetime.fromisoformat(item["finishedAt"]).astimezone(TOWN_TIME).date().isoformat()
                line = {
                    "taskId": item["taskId"],
                    "kind": item.get("kind", "award"),
                    "familyCode": item["familyCode"],
                    "points": str(item["points"]),
                }
                if self.sent.setdefault(day, {}).get(item["taskId"]) != line:
                    self.sent[day][item["taskId"]] = line
                    written.append(json.dumps([day, line], ensure_ascii=False) + "\n")
            if self.path is not None and written:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                with self._sent_path.open("a") as file:
                    file.writelines(written)
        return len(written)

    def forget_sent(self) -> int:
        """Nothing was sent yet; how many days there were."""
        with self._lock:
            count = len(self.sent)
            self.sent.clear()
            if self.path is not None:
                self._sent_path.unlink(missing_ok=True)
            return count

    def tasks(self, day: str) -> list[dict[str, str]]:
        """What was sent of a day, by task id."""
        with self._lock:
            return [line for _, line in sorted(self.sent.get(day, {}).items())]

    def save(self) -> None:
        """Write them, whole or not at all."""
        if self.path is None:
            return
        with self._lock:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            beside = self.path.with_suffix(".writing")
            beside.write_text(json.dumps(self.snapshot()))
            beside.replace(self.path)

    def snapshot(self) -> dict[str, Any]:
        """Everything, for `GET /_state`."""
        with self._lock:
            freezes = {serial: asdict(freeze) for serial, freeze in self.freezes.items()}
            return {"balances": dict(self.balances), "freezes": freezes, "acted": self.acted}

    def set_balances(self, balances: Mapping[str, int]) -> None:
        """Open or set accounts (hundredths of points)."""
        with self._lock:
            self.balances.update(balances)
            self.save()

    def balance(self, family: str) -> int:
        with self._lock:
            if family not in self.balances:
                raise BooksError(404, "accountUnknown", "no family has this code")
            return self.balances[family]

    def freeze(self, serial: str, family: str, points_centi: int, reason: str) -> tuple[Freeze, bool]:
        """Set points aside; the freeze, and whether it was made just now."""
        with self._lock:
            known = self.freezes.get(serial)
            if known is not None:
                if (known.family, known.points_centi, known.reason) != (family, points_centi, reason):
                    raise BooksError(409, "serialReused", "this serial froze something else")
                return known, False
            if self.balance(family) < points_centi:
                raise BooksError(422, "notEnoughPoints", "the family has not so many points")
            self.balances[family] -= points_centi
            self.acted += 1
            made = Freeze(
                serial, family, points_centi, reason, "frozen", f"LJY-F-{len(self.freezes) + 1:08d}", _today()
            )
            self.freezes[serial] = made
            return made, True

    def end(self, serial: str, how: str) -> Freeze:
        """Confirm, release or reverse; the same again is answered like the first time."""
        with self._lock:
            freeze = self.find(serial)
            wanted = {
                "confirm": "confirmed",
                "release": "released",
                "reverse": "reversed",
                "expire": "expired",
            }[how]
            if freeze.state == wanted:
                return freeze
            following = NEXT.get((freeze.state, how))
            if following is None:
                raise BooksError(409, "freezeEnded", f"the freeze is {freeze.state}")
            if following != "confirmed":
                self.balances[freeze.family] += freeze.points_centi
            freeze.state, freeze.day = following, _today()
            self.acted += 1
            return freeze

    def find(self, serial: str) -> Freeze:
        with self._lock:
            if serial not in self.freezes:
                raise BooksError(404, "serialUnknown", "no freeze has this serial")
            return self.freezes[serial]

    def day(self, day: str) -> list[Freeze]:
        """All freezes that moved last on that day, by serial."""
        with self._lock:
            return sorted((f for f in self.freezes.values() if f.day == day), key=lambda f: f.serial)


def _today() -> str:
    return now().astimezone(TOWN_TIME).date().isoformat()
