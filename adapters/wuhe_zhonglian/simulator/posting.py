"""What the town has posted, quarter by quarter: its lists and corrections, and what its day statement tells of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone

from adapters.wuhe_zhonglian.simulator.books import written

TOWN_TIME = timezone(timedelta(hours=8))
Lines = Mapping[str, int]  # item code → hundredths
StatementLine = dict[str, str]


@dataclass(frozen=True, slots=True)
class PostedList:
    """One village, one quarter: every household with its lines."""

    list_no: str
    village: str
    quarter: str
    rule_book: str
    posted_at: datetime
    households: Mapping[str, Lines]


@dataclass(frozen=True, slots=True)
class Correction:
    """One posted line, as it stood and as it is right."""

    correction_no: str
    objection_no: str
    list_no: str
    village: str
    quarter: str
    household: str
    item: str
    posted_centi: int
    right_centi: int
    decided_at: datetime


@dataclass(slots=True)
class Posted:
    """What stands, as this town sees it. `post` and `correct` say what the day statements of it hold."""

    #: (quarter, household) → item → (hundredths, its reference)
    standing: dict[tuple[str, str], dict[str, tuple[int, str]]] = field(default_factory=dict)
    scores: dict[tuple[str, str], int] = field(default_factory=dict)
    villages: dict[tuple[str, str], set[str]] = field(
        default_factory=dict
    )  # (village, quarter) → households listed so far

    def post(self, board: PostedList) -> list[StatementLine]:
        """A list that the gateway took: the lines that move, those of households that are missing from it included."""
        listed = self.villages.setdefault((board.village, board.quarter), set())
        fallen: dict[str, Lines] = {household: {} for household in sorted(listed - set(board.households))}
        listed |= set(board.households)
        found: list[StatementLine] = []
        for household, lines in {**board.households, **fallen}.items():
            found += self._move(board.quarter, household, lines, f"list:{board.list_no}", board.posted_at)
        return found

    def correct(self, correction: Correction) -> list[StatementLine]:
        """A correction that the gateway took."""
        now = self.standing.get((correction.quarter, correction.household), {})
        lines = {item: centi for item, (centi, _) in now.items()} | {correction.item: correction.right_centi}
        cause = f"correction:{correction.correction_no}"
        return self._move(correction.quarter, correction.household, lines, cause, correction.decided_at)

    def score(self, quarter: str, household: str) -> int:
        """Hundredths."""
        return self.scores.get((quarter, household), 0)

    def _move(
        self, quarter: str, household: str, lines: Lines, cause: str, at: datetime
    ) -> list[StatementLine]:
        now = self.standing.setdefault((quarter, household), {})
        wanted = {item: centi for item, centi in lines.items() if centi}
        begins, today = f"{quarter}/{household}", at.astimezone(TOWN_TIME).date().isoformat()
        found: list[StatementLine] = []
        for item, (centi, _) in sorted(now.items()):
            if wanted.get(item) != centi:
                reversal = f"{begins}/{item}/{cause}/back"
                found.append(_line(today, reversal, "Reversal", household, centi))
                del now[item]
        for item, centi in sorted(wanted.items()):
            if item not in now:
                reference = f"{begins}/{item}/{cause}"
                now[item] = (centi, reference)
                kind = "Deduction" if item[0] == "D" else "Award"
                found.append(_line(last_day(quarter).isoformat(), reference, kind, household, centi))
        score = score_of(wanted)
        if self.scores.get((quarter, household)) != score:
            self.scores[quarter, household] = score
            found.append(_line(today, f"{begins}/score/{cause}", "PostedScore", household, score))
        return found


def score_of(lines: Lines) -> int:
    """G and B add, D takes off; hundredths."""
    return sum(-centi if item[0] == "D" else centi for item, centi in lines.items())


def last_day(quarter: str) -> date:
    """The last day of '2026Q3'."""
    year, number = int(quarter[:4]), int(quarter[5])
    following = date(year + 1, 1, 1) if number == 4 else date(year, number * 3 + 1, 1)
    return following - timedelta(days=1)


def _line(day: str, reference: str, kind: str, household: str, centi: int) -> StatementLine:
    return {
        "Day": day,
        "Reference": reference,
        "Kind": kind,
        "HouseholdCode": household,
        "Points": written(centi),
        "State": "Posted",
    }
