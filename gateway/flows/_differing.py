"""From what stands of a quarter to what a list says: which lines are taken back, which are new. Pure: no database, no clock.

Nothing is edited. A changed line is two rows: a reversal that names the old one, and the new one. A posted score names the one
it replaces.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import NamedTuple

from gateway.contributions import Posted, Standing
from gateway.ledger import Movement
from schemas.contributions import Contribution
from schemas.scoreboards import ScoreLine
from schemas.values import BEIJING, Category, ContributionKind, month_of

SCORE = "score"  # what stands in place of an item code in a posted score's row


class Paper(NamedTuple):
    """The document that moves a quarter: what its rows are dated and named after."""

    cause: str  # 'list:2026Q3-01', 'correction:C-17': ends the references of its rows
    village: str
    period: str
    period_ends_on: date
    posted_at: datetime


class Entry(NamedTuple):
    """What a household has after the document: every line of the quarter, and their sum."""

    household_code: str
    holder_id: int
    score_centi: int
    lines: Sequence[ScoreLine]


class Moves(NamedTuple):
    """Rows to write, less their digests, and for each what it does to a month sum and to spendable points."""

    items: list[Contribution]
    shapes: list[Shape]
    changed: set[int]  # holders
    added: int
    reversed: int


class Shape(NamedTuple):
    """Where a row belongs: holder, category, day, and the month sum it moves (0: none). `effect_centi` is on spendable points."""

    holder_id: int
    category: str
    occurred_on: date
    sum_month: int
    sum_kind: str
    sum_points_centi: int
    effect_centi: int


def differ(paper: Paper, entries: Iterable[Entry], standing: Iterable[Standing]) -> Moves:
    """The rows that move what stands of the entries' holders to what the entries say. New lines come before what is taken back,
    so that what was spent is not owed for a moment. Holders in `standing` without an entry are left as they are."""
    by_holder: dict[int, dict[str, Standing]] = {}
    for stands in standing:
        by_holder.setdefault(stands.holder_id, {})[stands.item_code] = stands
    moves = Moves([], [], set(), 0, 0)
    back: list[tuple[Entry, Standing]] = []
    added = 0
    for entry in entries:
        now = by_holder.get(entry.holder_id, {})
        kept: set[str] = {SCORE}
        for line in entry.lines:
            kind = ContributionKind.DEDUCTION if line.deducts else ContributionKind.AWARD
            stands_now = now.get(line.item_code)
            if stands_now is not None and (stands_now.kind, stands_now.points_centi) == (
                kind,
                line.points_centi,
            ):
                kept.add(line.item_code)
                continue
            _add_line(moves, paper, entry, line, kind)
            added += 1
        gone = [stands for code, stands in now.items() if code not in kept]
        back += [(entry, stands) for stands in gone]
        _add_score(moves, paper, entry, now.get(SCORE))
    for entry, stands in back:
        _add_reversal(moves, paper, entry, stands)
    return moves._replace(added=added, reversed=len(back))


def _add_line(moves: Moves, paper: Paper, entry: Entry, line: ScoreLine, kind: ContributionKind) -> None:
    on = paper.period_ends_on
    category = Category(line.category or Category.OTHER)
    at = datetime.combine(on, time(23, 59, 59), BEIJING)
    item = _row(moves, paper, entry, line.item_code, kind, category, line.points_centi, at)
    effect = -line.points_centi if line.deducts else line.points_centi
    moves.items.append(item)
    moves.shapes.append(
        Shape(entry.holder_id, str(category), on, month_of(on), str(kind), line.points_centi, effect)
    )
    moves.changed.add(entry.holder_id)


def _add_reversal(moves: Moves, paper: Paper, entry: Entry, stands: Standing) -> None:
    item = _row(
        moves, paper, entry, stands.item_code, ContributionKind.REVERSAL, Category(stands.category), stands.points_centi,
        paper.posted_at, mark="/back", reverses=stands.reference,
    )  # fmt: skip
    effect = stands.points_centi if stands.kind == ContributionKind.DEDUCTION else -stands.points_centi
    moves.items.append(item)
    moves.shapes.append(
        Shape(entry.holder_id, stands.category, paper.posted_at.astimezone(BEIJING).date(), month_of(stands.occurred_on),
              stands.kind, -stands.points_centi, effect)
    )  # fmt: skip
    moves.changed.add(entry.holder_id)


def _add_score(moves: Moves, paper: Paper, entry: Entry, stands: Standing | None) -> None:
    if stands is not None and stands.points_centi == entry.score_centi:
        return
    item = _row(
        moves, paper, entry, SCORE, ContributionKind.POSTED_SCORE, Category.OTHER, entry.score_centi, paper.posted_at,
        reverses=stands.reference if stands else None,
    )  # fmt: skip
    moves.items.append(item)
    on = paper.posted_at.astimezone(BEIJING).date()
    moves.shapes.append(Shape(entry.holder_id, str(Category.OTHER), on, 0, "", 0, 0))
    moves.changed.add(entry.holder_id)


def _row(
    moves: Moves,
    paper: Paper,
    entry: Entry,
    item_code: str,
    kind: ContributionKind,
    category: Category,
    points_centi: int,
    at: datetime,
    *,
    mark: str = "",
    reverses: str | None = None,
) -> Contribution:
    reference = f"{paper.period}/{entry.household_code}/{item_code}/{paper.cause}{mark}"
    return Contribution(
        len(moves.items), reference, kind, item_code, category, points_centi, at, entry.household_code, None, None,
        paper.village, reverses, paper.period,
    )  # fmt: skip


def posted_rows(moves: Moves, digests: Sequence[bytes]) -> list[Posted]:
    """The rows as `gateway.contributions` writes them; `digests` are their content digests, in order."""
    return [
        Posted(
            item,
            s.holder_id,
            0,
            s.category,
            s.occurred_on,
            digest,
            s.sum_month,
            s.category,
            s.sum_kind,
            s.sum_points_centi,
        )
        for item, s, digest in zip(moves.items, moves.shapes, digests, strict=True)
    ]


def movements(moves: Moves, cause_id: str) -> list[Movement]:
    """What the rows do to the ledger."""
    return [
        Movement(cause_id, item.item_no, s.holder_id, s.effect_centi, "issue")
        for item, s in zip(moves.items, moves.shapes, strict=True)
        if s.effect_centi
    ]


def lines_of(standing: Mapping[str, Standing]) -> dict[str, ScoreLine]:
    """What stands of one household as lines, by item code, the posted score aside."""
    return {
        code: ScoreLine(code, Category(s.category), s.kind == ContributionKind.DEDUCTION, s.points_centi)
        for code, s in standing.items()
        if code != SCORE
    }
