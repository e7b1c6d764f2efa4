"""Goods that can be had for points: words, prices, baskets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

from schemas.values import TownCode

GOOD_CODE: Final = re.compile(r"[A-Z0-9-]{1,24}")
PERIODS: Final = ("month", "year", "ever")
PICTURES: Final = ("pan", "rice", "oil", "thermos", "towel", "umbrella", "soap", "box")


class NewGood(NamedTuple):
    """A good as the catalogue says it. `limit_count` is for one resident in one period; 0: no limit."""

    code: str
    name_zh: str
    name_en: str
    picture: str = "box"
    low_stock_count: int = 0
    limit_count: int = 0
    limit_period: str = "year"


class NewPrice(NamedTuple):
    """What a good costs in a town's points, and what the town pays for it, by which agreement, from which day."""

    code: str
    town: TownCode
    valid_from_on: date
    price_centi: int
    settle_fen: int
    agreement: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A good as it can be had today at a branch with a town's points."""

    good_id: UUID
    code: str
    name_zh: str
    name_en: str
    picture: str
    town: TownCode
    price_centi: int
    settle_fen: int
    on_hand_count: int
    held_count: int
    limit_count: int
    limit_period: str
    picture_id: UUID | None = None

    @property
    def free_count(self) -> int:
        """How many can still be promised."""
        return self.on_hand_count - self.held_count


class Wanted(NamedTuple):
    """One line of a basket: so many of a good, paid with one town's points."""

    good_id: UUID
    town: TownCode
    quantity_count: int


class Movement(NamedTuple):
    """One line of the register. See migration `goods` for which kind changes what."""

    kind: str
    branch_no: str
    good_id: UUID
    on_hand_change_count: int
    held_change_count: int
    reason: str = ""


class CountedGood(NamedTuple):
    """One good of a count: what the book said, what was there, and why they differ ('' where they agree)."""

    good_id: UUID
    book_count: int
    counted_count: int
    reason: str = ""


def period_start(period: str, on: date) -> date:
    """The first day of the period a limit counts in."""
    if period == "month":
        return on.replace(day=1)
    return on.replace(month=1, day=1) if period == "year" else date(2000, 1, 1)
