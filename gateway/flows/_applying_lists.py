"""Applying a list: what of it can be posted, who fell, what the town is told. The inner piece of a list that comes and of one
that is read again. Set-based: five statements whatever the list's size, then the writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import datetime
from typing import NamedTuple

from gateway import benefits, contributions, subjects
from gateway.contributions import LIST, Quarter, Standing
from gateway.db import Transaction
from gateway.flows._differing import SCORE, Entry, Moves, Paper, differ
from gateway.flows._scoreboards import Telling, write_document
from gateway.house import House
from schemas.contributions import ItemAnswer
from schemas.scoreboards import Document, ListedHousehold, ScoreAnswer, Scoreboard, Stand, period_ends_on
from schemas.values import ItemStatus, TownCode


class _Judged(NamedTuple):
    entries: list[Entry]  # those whose quarter is moved
    items: dict[int, ItemAnswer]  # answers of the others, by item number
    named: set[int]  # holders on the list, whatever was answered


def apply_list(
    house: House,
    tx: Transaction,
    document: Document,
    board: Scoreboard,
    digest: bytes,
    *,
    reading: int = 1,
    before: Mapping[int, ItemAnswer] | None = None,
    whole: bool = True,
    now: datetime,
) -> ScoreAnswer | None:
    """Move the quarter to the list and write everything it leaves behind. The caller holds the quarter.

    A further reading (`reading` from 2 on) never undoes a correction that is newer than the list, puts nothing into quarantine
    anew, and is None when it would move no entry. `before` are answers of an earlier reading that stay: those entries are on the
    list and are not moved again. Unless the `whole` list is read, nobody falls.
    """
    town = document.town
    quarter = Quarter(town, board.village, board.period)
    listed = contributions.list_listed(tx, quarter)
    judged = _judge(tx, town, board, listed, before or {})
    standing: list[Standing] = []
    if board.rule_book_known:
        gone = listed - judged.named if whole else set()
        standing = contributions.list_standing(tx, quarter, gone | {e.holder_id for e in judged.entries})
    if reading > 1:
        judged = _without_corrected(board, judged, standing)
        if not judged.entries:
            return None
    fallen = _fallen(tx, town, board, judged, standing) if whole else []
    paper = Paper(
        f"list:{board.list_no}", board.village, board.period, period_ends_on(board.period), board.posted_at
    )
    moves = differ(paper, [*judged.entries, *fallen], standing)
    items = _answers(board, judged, moves)
    stand = Stand(moves.added, moves.reversed, sorted(f.household_code for f in fallen))
    telling = Telling(
        quarter, LIST, board.list_no, reading, board.rule_book, "", board.posted_at, board.rule_book_known, items, stand
    )  # fmt: skip
    answer = write_document(house, tx, document, digest, telling, moves, now=now, waits_elsewhere=reading > 1)
    again = sorted({s.holder_id for s in standing} & moves.changed)
    cause = f"{benefits.CORRECTED}{town}/{board.list_no} batch:{document.batch_id}"
    benefits.mark_changed(tx, again, cause=cause, now=now)
    return answer


def _without_corrected(board: Scoreboard, judged: _Judged, standing: list[Standing]) -> _Judged:
    """Entries whose household's score stands by something posted after the list have nothing left to say."""
    newer = {s.holder_id for s in standing if s.item_code == SCORE and s.occurred_at > board.posted_at}
    numbers = {h.household_code: h.item_no for h in board.households}
    items = dict(judged.items)
    for entry in judged.entries:
        if entry.holder_id in newer:
            no = numbers[entry.household_code]
            detail = "the score stands by a correction posted after this list"
            items[no] = ItemAnswer(
                no, entry.household_code, ItemStatus.CONFLICT, "newer-stands", None, detail
            )
    return _Judged([e for e in judged.entries if e.holder_id not in newer], items, judged.named)


def _judge(
    tx: Transaction, town: TownCode, board: Scoreboard, listed: Set[int], before: Mapping[int, ItemAnswer]
) -> _Judged:
    """Two statements for the whole list: who has these codes, and in which village. Who stands on a list of this village and
    quarter already (`listed`) belongs there, whatever moved since."""
    on = period_ends_on(board.period)
    codes = {h.household_code for h in board.households} | {f.reference for f in board.faults if f.reference}
    codes |= {answer.reference for answer in before.values() if answer.reference}
    resolution = subjects.resolve(tx, town, subjects.Asked(codes, ()))
    found = {code: int(h) for code in codes if (h := resolution.household(code, on)) is not None}
    villages = {
        **subjects.list_villages(tx, town, sorted(found.values()), on),
        **dict.fromkeys(listed, board.village),
    }
    judged = _Judged([], dict(before), set(found.values()))
    for fault in board.faults:
        judged.items[fault.item_no] = ItemAnswer(
            fault.item_no, fault.reference, ItemStatus.REJECTED, fault.code, fault.where, fault.detail
        )
    consented = subjects.list_consented_households(tx, town, sorted(found.values()))
    seen: set[int] = set()
    for household in board.households:
        no, code = household.item_no, household.household_code
        holder = found.get(code)
        if no in before:
            continue
        refusal = _refusal(board, household, holder, villages)
        if holder in seen:
            refusal = "household-twice", "this family is on the list under another code already"
        if holder is not None and holder not in consented:
            detail = "nobody of this family consents any more; nothing of the entry was kept; register a consent, then post it"
            judged.items[no] = ItemAnswer(
                no, code, ItemStatus.REJECTED, "no-consent", f"Household[{no + 1}]", detail
            )
        elif refusal is not None or holder is None:
            why, detail = refusal or ("unknown-household", "")
            judged.items[no] = ItemAnswer(
                no, code, ItemStatus.QUARANTINED, why, f"Household[{no + 1}]", detail
            )
        else:
            seen.add(holder)
            judged.entries.append(Entry(code, holder, household.score_centi, household.lines))
    return judged


def _refusal(
    board: Scoreboard, household: ListedHousehold, holder: int | None, villages: Mapping[int, str]
) -> tuple[str, str] | None:
    """Why an entry is kept and not posted, or None."""
    if not board.rule_book_known:
        detail = f"rule book {board.rule_book!r} is not in the code table; the list is kept until an operator adds it"
        return "unknown-rule-book", detail
    unknown = [line.item_code for line in household.lines if line.category is None]
    if unknown:
        detail = f"item {', '.join(unknown)} is not in the code table; the household stays as it stands until an operator adds it"
        return "unknown-item", detail
    if holder is None:
        return (
            "unknown-household",
            "no family had this code on the last day of the quarter; register the family, then it is read again",
        )
    if villages.get(holder) != board.village:
        return (
            "wrong-village",
            "this family is registered in another village; it stays as it stands; register it again or list it there",
        )
    return None


def _fallen(
    tx: Transaction, town: TownCode, board: Scoreboard, judged: _Judged, standing: list[Standing]
) -> list[Entry]:
    """Households that have something of this quarter from an earlier list and are not on this one: zero from now on."""
    something = {s.holder_id for s in standing if s.points_centi and s.holder_id not in judged.named}
    if not something:
        return []
    on = period_ends_on(board.period)
    codes = subjects.list_codes_of(tx, town, sorted(something), on)
    return [Entry(codes.get(holder, f"#{holder}"), holder, 0, ()) for holder in sorted(something)]


def _answers(board: Scoreboard, judged: _Judged, moves: Moves) -> list[ItemAnswer]:
    """One an entry, in the order of the list."""
    changed = {e.household_code for e in judged.entries if e.holder_id in moves.changed}
    items = dict(judged.items)
    for household in board.households:
        if household.item_no not in items:
            status = ItemStatus.ACCEPTED if household.household_code in changed else ItemStatus.DUPLICATE
            items[household.item_no] = ItemAnswer(household.item_no, household.household_code, status)
    return [items[no] for no in sorted(items)]
