"""What verification found: faults in words, and how much was looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

MAX_FAULTS = 100  # kept; all are counted

Progress = Callable[[str, int, int], None]  # stage in words, done, total


class LogFault(NamedTuple):
    """One thing wrong: what, where, which value, what to do. Never personal data."""

    code: str  # kebab-case, stable
    what: str
    where: str
    value: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what} — at {self.where}; {self.value}. What to do: {self.remedy}"


class Findings:
    """Faults in the order found (the first is the first thing wrong) and counts of everything checked."""

    def __init__(self, progress: Progress | None = None) -> None:
        self.faults: list[LogFault] = []
        self.fault_count = 0
        self.checked: Counter[str] = Counter()
        self._progress = progress

    def add(self, code: str, what: str, *, where: str, value: str, remedy: str) -> None:
        """Note one thing that is wrong."""
        self.fault_count += 1
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(LogFault(code, what, where, value, remedy))

    def count(self, what: str, number: int = 1) -> None:
        """Note that `number` of something were checked."""
        self.checked[what] += number

    def show(self, stage: str, done: int, total: int) -> None:
        """Tell whoever watches how far it is."""
        if self._progress is not None:
            self._progress(stage, done, total)
