"""A posted list of scores, in our words: one village, one quarter, every household; and a correction of one of its lines.

Points are 1/100 point. A list is the truth of its quarter: what stands is moved to it by difference (decision record
`scoreboards-by-difference`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple, Protocol, runtime_checkable
from uuid import UUID

from schemas.contributions import FaultyItem, ItemAnswer
from schemas.values import Category, ItemStatus, TownCode


class ScoreLine(NamedTuple):
    """Points a household has under one item of the rule book in the quarter. `category` is None for an unknown item."""

    item_code: str  # 'G01', 'B07', 'D12'
    category: Category | None
    deducts: bool  # the item takes points off; `points_centi` is not negative
    points_centi: int


class ListedHousehold(NamedTuple):
    """One household's entry. `item_no` counts from 0 in the order of the list; the score is the sum of its lines."""

    item_no: int
    household_code: str
    score_centi: int  # may be negative
    lines: tuple[ScoreLine, ...]  # none with 0 points; each item at most once


class Scoreboard(NamedTuple):
    """A list as read. Entries that could not be read are faults; together they are every entry of the list."""

    list_no: str  # the town's own number of the list, used once
    village: str
    period: str  # '2026Q3'
    rule_book: str
    rule_book_known: bool
    posted_at: datetime
    households: list[ListedHousehold]
    faults: list[FaultyItem]


class ScoreCorrection(NamedTuple):
    """A posted line is corrected after an objection. `line` has the points that are right now, 0 for none."""

    correction_no: str  # the town's own number, used once
    objection_no: str
    list_no: str  # a list of that village and quarter on which the line was posted
    village: str
    period: str
    household_code: str
    line: ScoreLine
    posted_points_centi: int  # what the posted line said; 0: there was none
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Document:
    """The bytes of a list or a correction as they were signed, and who sent them."""

    town: TownCode
    client_id: str
    body: bytes
    received_at: datetime
    batch_id: UUID


class Stand(NamedTuple):
    """What a list or a correction did to the quarter: lines that are new, lines taken back, and households that were on the
    list before it and are not on it now, whose scores fell to zero."""

    lines_added: int
    lines_reversed: int
    fallen: list[str]  # household codes


@dataclass(frozen=True, slots=True)
class ScoreAnswer:
    """What the town is told about a list or a correction. The same again gets the same answer.

    One item an entry: accepted (its score or a line changed), duplicate (it stood so already), quarantined, rejected.
    """

    batch_id: UUID
    town: TownCode
    document_no: str
    received_at: datetime
    items: list[ItemAnswer]
    stand: Stand
    receipt: str
    replayed: bool = False

    def counts(self) -> dict[str, int]:
        """Number of entries by status, every status named."""
        found = dict.fromkeys((str(s) for s in ItemStatus), 0)
        for item in self.items:
            found[item.status] += 1
        return found


def period_ends_on(period: str) -> date:
    """The last day of a quarter written 2026Q3. Raises ValueError for anything else."""
    year, mark, quarter = period[:4], period[4:5], period[5:]
    if not (
        year.isascii()
        and year.isdigit()
        and len(year) == 4
        and mark == "Q"
        and quarter in "1234"
        and len(quarter) == 1
    ):
        raise ValueError(f"{period!r} is not a quarter such as 2026Q3")
    following = int(year) * 4 + int(quarter)
    return date(following // 4, following % 4 * 3 + 1, 1) - timedelta(days=1)


@runtime_checkable
class ScoreboardReader(Protocol):
    """Of a town that posts lists (`Capabilities.posts_scores`): their words to ours. Pure, like `schemas.ports.TownReader`."""

    def read_scoreboard(self, body: bytes, codes: Mapping[str, Category]) -> Scoreboard:
        """A list. `codes` are items, and `RuleBook/<version>` rule books, that an operator added. Raises InvalidError."""

    def read_correction(self, body: bytes, codes: Mapping[str, Category]) -> ScoreCorrection:
        """A correction. Raises InvalidError."""
