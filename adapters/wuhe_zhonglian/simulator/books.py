"""The town's own books: what each household can spend, what stands frozen under whose serial, and what was posted on which day.

Points are in hundredths. Days are the town's accounting days, yyyy-mm-dd.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

from adapters.simulating import now

TOWN_TIME = timezone(timedelta(hours=8))
#: what is asked → the state it begins from, the state it leads to
ENDS: Mapping[str, tuple[str, str]] = {
    "confirm": ("Frozen", "Confirmed"),
    "release": ("Frozen", "Released"),
    "reverse": ("Confirmed", "Reversed"),
}


class BooksError(Exception):
    """The town says no. `code` is that of Result."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code, self.words = code, words


@dataclass(slots=True)
class Freeze:
    """One freeze under one serial."""

    serial: str
    household: str
    points_centi: int
    reason: str
    state: str
    town_reference: str
    day: str  # of the last movement


@dataclass(slots=True)
class Books:
    """Accounts, freezes and posted lines, safe for threads. With `path`, they survive a restart."""

    path: Path | None = None
    balances: dict[str, int] = field(default_factory=dict)
    freezes: dict[str, Freeze] = field(default_factory=dict)
    sent: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)  # day → reference → line
    scores: dict[str, str] = field(default_factory=dict)  # 'household quarter' → posted score
    acted: int = 0  # how often points really moved: a repeated request moves nothing
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def load(self) -> None:
        """Read the books from their file, when there is one."""
        if self.path is not None and self.path.exists():
            kept = json.loads(self.path.read_text("utf-8"))
            self.balances, self.acted, self.sent = kept["balances"], kept["acted"], kept["sent"]
            self.scores = kept["scores"]
            self.freezes = {serial: Freeze(**freeze) for serial, freeze in kept["freezes"].items()}

    def save(self) -> None:
        """Write them, whole or not at all."""
        if self.path is None:
            return
        with self._lock:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            beside = self.path.with_suffix(".writing")
            beside.write_text(
                json.dumps({**self.snapshot(), "sent": self.sent, "scores": self.scores}), "utf-8"
            )
            beside.replace(self.path)

    def snapshot(self) -> dict[str, Any]:
        """What `GET /_state` shows."""
        with self._lock:
            freezes = {serial: asdict(freeze) for serial, freeze in self.freezes.items()}
            days = {day: len(lines) for day, lines in self.sent.items()}
            return {"balances": dict(self.balances), "freezes": freezes, "days": days, "acted": self.acted}

    def set_balances(self, balances: Mapping[str, int]) -> None:
        """Open or set accounts (hundredths of points)."""
        with self._lock:
            self.balances.update(balances)
            self.save()

    def note_sent(self, lines: Iterable[Mapping[str, str]]) -> int:
        """Lines the gateway took from a list or a correction, each with its day; how many are new."""
        new = 0
        with self._lock:
            for line in lines:
                day = self.sent.setdefault(line["Day"], {})
                new += line["Reference"] not in day
                day[line["Reference"]] = {name: value for name, value in line.items() if name != "Day"}
                if line["Kind"] == "PostedScore":
                    quarter = line["Reference"].partition("/")[0]
                    self.scores[f"{line['HouseholdCode']} {quarter}"] = line["Points"]
            self.save()
        return new

    def forget_sent(self) -> int:
        """Nothing was posted yet; how many days there were."""
        with self._lock:
            count = len(self.sent)
            self.sent.clear()
            self.scores.clear()
            self.save()
        return count

    def balance(self, household: str) -> int:
        with self._lock:
            if household not in self.balances:
                raise BooksError("AccountUnknown", "没有这一户")
            return self.balances[household]

    def score(self, household: str, quarter: str) -> str | None:
        """The posted score of a quarter, as written; None where none was posted."""
        with self._lock:
            return self.scores.get(f"{household} {quarter}")

    def freeze(self, serial: str, household: str, points_centi: int, reason: str) -> Freeze:
        """Set points aside; the same again is answered like the first time."""
        with self._lock:
            known = self.freezes.get(serial)
            if known is not None:
                if (known.household, known.points_centi, known.reason) != (household, points_centi, reason):
                    raise BooksError("SerialReused", "流水号已用于其他冻结")
                return known
            if self.balance(household) < points_centi:
                raise BooksError("NotEnoughPoints", "积分不足")
            self.balances[household] -= points_centi
            self.acted += 1
            made = Freeze(
                serial,
                household,
                points_centi,
                reason,
                "Frozen",
                f"WHZL-{len(self.freezes) + 1:08d}",
                _today(),
            )
            self.freezes[serial] = made
            return made

    def end(self, serial: str, how: str) -> Freeze:
        """Confirm, release or reverse; the same again is answered like the first time."""
        with self._lock:
            freeze = self.find(serial)
            begins, ends = ENDS[how]
            if freeze.state == ends:
                return freeze
            if freeze.state != begins:
                raise BooksError("FreezeEnded", "冻结已结束")
            if how != "confirm":
                self.balances[freeze.household] += freeze.points_centi
            freeze.state, freeze.day = ends, _today()
            self.acted += 1
            return freeze

    def find(self, serial: str) -> Freeze:
        with self._lock:
            if serial not in self.freezes:
                raise BooksError("SerialUnknown", "没有这个流水号")
            return self.freezes[serial]

    def lines(self, day: str) -> list[dict[str, str]]:
        """The day statement: what was posted, then every freeze that moved last on that day."""
        with self._lock:
            posted = [line for _, line in sorted(self.sent.get(day, {}).items())]
            moved = sorted((f for f in self.freezes.values() if f.day == day), key=lambda f: f.serial)
            return posted + [
                {"Reference": f.serial, "Kind": "Redemption", "HouseholdCode": f.household, "Points": written(f.points_centi),
                 "State": f.state, "TownReference": f.town_reference}
                for f in moved
            ]  # fmt: skip


def written(centi: int) -> str:
    """Hundredths as the contract writes points: 12, 12.50, -3."""
    sign, size = "-" if centi < 0 else "", abs(centi)
    return f"{sign}{size // 100}.{size % 100:02d}" if size % 100 else f"{sign}{size // 100}"


def _today() -> str:
    return now().astimezone(TOWN_TIME).date().isoformat()
