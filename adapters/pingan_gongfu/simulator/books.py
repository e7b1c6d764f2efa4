"""The town's own books: what each person can spend, what stands frozen under whose serial, and what was entered on which day.

Points are in hundredths. Days are the town's accounting days, yyyyMMdd.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

from adapters.simulating import now

TOWN_TIME = timezone(timedelta(hours=8))
FROZEN, CONFIRMED, RELEASED, EXPIRED, REVERSED = "01", "02", "03", "04", "05"


class BooksError(Exception):
    """The town says no. `code` is its FHM."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code, self.words = code, words


@dataclass(slots=True)
class Freeze:
    """One freeze under one serial."""

    serial: str
    id_no: str
    points_centi: int
    reason: str
    state: str
    town_serial: str
    day: str  # of the last movement


@dataclass(slots=True)
class Books:
    """Accounts, freezes and items, safe for threads. With `path`, they survive a restart."""

    path: Path | None = None
    balances: dict[str, int] = field(default_factory=dict)
    freezes: dict[str, Freeze] = field(default_factory=dict)
    entered: dict[str, list[dict[str, str]]] = field(default_factory=dict)  # day → items as on the wire
    caps: dict[str, int] = field(default_factory=dict)  # activity → hundredths a person and day
    acted: int = 0  # how often points really moved: a repeated request moves nothing
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def load(self) -> None:
        """Read the books from their file, when there is one."""
        if self.path is not None and self.path.exists():
            kept = json.loads(self.path.read_text())
            self.balances, self.acted = kept["balances"], kept["acted"]
            self.entered, self.caps = kept["entered"], kept["caps"]
            self.freezes = {serial: Freeze(**freeze) for serial, freeze in kept["freezes"].items()}

    def save(self) -> None:
        """Write them, whole or not at all."""
        if self.path is None:
            return
        with self._lock:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            beside = self.path.with_suffix(".writing")
            beside.write_text(json.dumps({**self.snapshot(), "entered": self.entered}))
            beside.replace(self.path)

    def snapshot(self) -> dict[str, Any]:
        """What `GET /_state` shows."""
        with self._lock:
            freezes = {serial: asdict(freeze) for serial, freeze in self.freezes.items()}
            days = {day: len(items) for day, items in self.entered.items()}
            return {"balances": dict(self.balances), "freezes": freezes, "days": days, "caps": dict(self.caps),
                    "acted": self.acted}  # fmt: skip

    def set_balances(self, balances: Mapping[str, int]) -> None:
        """Open or set accounts (hundredths of points)."""
        with self._lock:
            self.balances.update(balances)
            self.save()

    def enter(self, day: str, items: Sequence[Mapping[str, str]]) -> None:
        """Items entered on a day: its file has them. The same serial again replaces the first. Written down at the end: a year
        of days would be a year of writing everything."""
        with self._lock:
            kept = {item["LSH"]: item for item in self.entered.get(day, [])}
            kept.update({item["LSH"]: dict(item) for item in items})
            self.entered[day] = list(kept.values())

    def forget(self, day: str) -> int:
        """Leave out what was entered on a day; how many items that was."""
        with self._lock:
            return len(self.entered.pop(day, []))

    def balance(self, id_no: str) -> int:
        with self._lock:
            if id_no not in self.balances:
                raise BooksError("2001", "账户不存在")
            return self.balances[id_no]

    def freeze(self, serial: str, id_no: str, points_centi: int, reason: str) -> tuple[Freeze, bool]:
        """Set points aside; the freeze, and whether it was made just now."""
        with self._lock:
            known = self.freezes.get(serial)
            if known is not None:
                if (known.id_no, known.points_centi, known.reason) != (id_no, points_centi, reason):
                    raise BooksError("1002", "流水号重复且内容不同")
                return known, False
            if self.balance(id_no) < points_centi:
                raise BooksError("2002", "积分不足")
            self.balances[id_no] -= points_centi
            self.acted += 1
            number = f"PT{len(self.freezes) + 1:010d}"
            made = Freeze(serial, id_no, points_centi, reason, FROZEN, number, today())
            self.freezes[serial] = made
            return made, True

    def end(self, serial: str, wanted: str, points_centi: int | None = None) -> tuple[Freeze, bool]:
        """Confirm, release or reverse; the freeze, and whether that was done just now."""
        with self._lock:
            freeze = self.find(serial)
            if points_centi is not None and points_centi != freeze.points_centi:
                raise BooksError("2003", "冻结金额不符")
            if freeze.state == wanted:
                return freeze, False
            if freeze.state != (CONFIRMED if wanted == REVERSED else FROZEN):
                raise BooksError("3002", "冻结已结束")
            if wanted != CONFIRMED:
                self.balances[freeze.id_no] += freeze.points_centi
            freeze.state, freeze.day = wanted, today()
            self.acted += 1
            return freeze, True

    def find(self, serial: str) -> Freeze:
        with self._lock:
            if serial not in self.freezes:
                raise BooksError("3001", "原交易不存在")
            return self.freezes[serial]

    def items_of(self, day: str) -> list[dict[str, str]]:
        """What was entered on that day."""
        with self._lock:
            return list(self.entered.get(day, []))

    def happened_on(self, day: str) -> list[dict[str, str]]:
        """What happened on that day, whenever it was entered."""
        with self._lock:
            return [item for items in self.entered.values() for item in items if item["FSSJ"][:8] == day]

    def freezes_of(self, day: str) -> list[Freeze]:
        """All freezes that moved last on that day, by serial."""
        with self._lock:
            return sorted((f for f in self.freezes.values() if f.day == day), key=lambda f: f.serial)


def today() -> str:
    """The town's accounting day now."""
    return now().astimezone(TOWN_TIME).strftime("%Y%m%d")


def centi_of(text: str) -> int | None:
    """'12.5' → 1250; None when that is no number of points."""
    whole, _, part = text.partition(".")
    if not (
        whole.isascii() and whole.isdigit() and len(whole) <= 8 and len(part) <= 2 and (part + "0").isdigit()
    ):
        return None
    return int(whole) * 100 + int((part + "00")[:2])


def points_of(centi: int) -> str:
    """1250 → '12.50'."""
    sign, size = ("-" if centi < 0 else ""), abs(centi)
    return f"{sign}{size // 100}.{size % 100:02d}"
