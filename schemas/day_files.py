"""A town's day file: the items of one day as one file, fetched at night, so that what was pushed in real time can be checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol


@dataclass(frozen=True, slots=True)
class DayFile:
    """One whole file, its counts and digest found right. A day without items has no lines, and is a file all the same."""

    on: date  # the day the town entered the items on (Asia/Shanghai)
    sha256: bytes
    lines: tuple[bytes, ...] = field(repr=False)  # one item each, as `TownReader.read_lines` reads them
    points_centi: int  # sum over all lines, as the town states it
    caps_centi: Mapping[str, int]  # activity → the most a person could reach with it on that day


class TownDayFiles(Protocol):
    """A town whose days can be fetched again as files. Nothing is changed there by asking.

    Errors: UnavailableError: not made yet, cut short, of another day, wrong digest: ask again later."""

    def fetch_day_file(self, on: date) -> DayFile: ...
