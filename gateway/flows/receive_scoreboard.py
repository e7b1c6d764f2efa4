"""A posted list arrives: one village, one quarter, every household. What stands is moved to it by difference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, time
from typing import NamedTuple

from gateway import benefits, contributions, subjects
from gateway.contributions import LIST, Quarter, Standing
from gateway.db import Transaction
from gateway.flows._differing import Entry, Moves, Paper, differ
from gateway.flows._readiness import refuse_if_sealing_lags, town_codes
from gateway.flows._scoreboards import (
    Telling,
    first_answer,
    refuse_wrong_time,
    scoreboard_reader,
    tried_again,
    write_document,
)
from gateway.house import House
from schemas.contributions import ItemAnswer
from schemas.errors import ConflictError
from schemas.scoreboards import Document, ListedHousehold, ScoreAnswer, Scoreboard, Stand, period_ends_on
from schemas.values import BEIJING, ItemStatus, TownCode, instant_text


def receive_scoreboard(house: House, document: Document, *, now: datetime) -> ScoreAnswer:
    """Receive a list. The answer stands only after its transaction committed; the same list again gets the first answer.

    A household that was on the list before and is not on this one falls to zero, and the answer names it. A household that
    cannot be read (unknown, wrong village, unknown item) stays as it stands.

    Errors: InvalidError (cannot be read; the quarter is not over), ConflictError `document-no-reused` (same number, other list),
    `list-outdated` (a list or a correction that stands is newer), UnavailableError (nothing happened), OutcomeUnknownError.
    """
    refuse_if_sealing_lags(house, now)
    reader = scoreboard_reader(house, document.town)
    board = reader.read_scoreboard(document.body, town_codes(house, document.town, now))
    ends_at = datetime.combine(period_ends_on(board.period), time(23, 59, 59), BEIJING)
    refuse_wrong_time(board.posted_at, ends_at, now, "PostedAt")
    digest = house.keys.digester("content")(repr(board._replace(rule_book_known=True)).encode())

    def attempt() -> ScoreAnswer:
        with house.db.transaction() as tx:
            return _receive(house, tx, document, board, digest, now)

    return tried_again(attempt)


class _Judged(NamedTuple):
    entries: list[Entry]  # those whose quarter is moved
    items: dict[int, ItemAnswer]  # answers of the others, by item number
    named: set[int]  # holders on the list, whatever was answered


def _receive(
    house: House, tx: Transaction, document: Document, board: Scoreboard, digest: bytes, now: datetime
) -> ScoreAnswer:
    town = document.town
    quarter = Quarter(town, board.village, board.period)
    contributions.lock_quarter(tx, quarter)
    row = contributions.find_scoreboard(tx, town, LIST, board.list_no)
    if row is not None:
        return first_answer(row, digest, document, LIST, board.list_no)
    _refuse_outdated(tx, quarter, board)
    judged = _judge(tx, town, board)
    standing: list[Standing] = []
    if board.rule_book_known:
        before = contributions.list_listed(tx, quarter) - judged.named
        standing = contributions.list_standing(tx, quarter, before | {e.holder_id for e in judged.entries})
    fallen = _fallen(tx, town, board, judged, standing)
    paper = Paper(
        f"list:{board.list_no}", board.village, board.period, period_ends_on(board.period), board.posted_at
    )
    moves = differ(paper, [*judged.entries, *fallen], standing)
    items = _answers(board, judged, moves)
    stand = Stand(moves.added, moves.reversed, sorted(f.household_code for f in fallen))
    telling = Telling(
        quarter, LIST, board.list_no, 1, board.rule_book, "", board.posted_at, board.rule_book_known, items, stand
    )  # fmt: skip
    document = replace(document, batch_id=house.new_id())
    answer = write_document(house, tx, document, digest, telling, moves, now=now)
    again = sorted({s.holder_id for s in standing} & moves.changed)
    cause = f"{benefits.CORRECTED}{town}/{board.list_no} batch:{document.batch_id}"
    benefits.mark_changed(tx, again, cause=cause, now=now)
    return answer


def _refuse_outdated(tx: Transaction, quarter: Quarter, board: Scoreboard) -> None:
    latest = contributions.find_latest_posted(tx, quarter)
    if latest is not None and board.posted_at < latest:
        raise ConflictError(
            "a list or a correction that stands is newer than this list", code="list-outdated", where="PostedAt",
            value=instant_text(board.posted_at), remedy=f"what stands was posted at {instant_text(latest)}; post a new list that"
            " knows it",
        )  # fmt: skip


def _judge(tx: Transaction, town: TownCode, board: Scoreboard) -> _Judged:
    """Two statements for the whole list: who has these codes, and in which village."""
    on = period_ends_on(board.period)
    codes = {h.household_code for h in board.households} | {f.reference for f in board.faults if f.reference}
    resolution = subjects.resolve(tx, town, subjects.Asked(codes, ()))
    found = {code: int(h) for code in codes if (h := resolution.household(code, on)) is not None}
    villages = subjects.list_villages(tx, sorted(found.values()))
    judged = _Judged([], {}, set(found.values()))
    for fault in board.faults:
        judged.items[fault.item_no] = ItemAnswer(
            fault.item_no, fault.reference, ItemStatus.REJECTED, fault.code, fault.where, fault.detail
        )
    seen: set[int] = set()
    for household in board.households:
        holder = found.get(household.household_code)
        refusal = _refusal(board, household, holder, villages)
        if holder in seen:
            refusal = "household-twice", "this family is on the list under another code already"
        if refusal is not None or holder is None:
            code, detail = refusal or ("unknown-household", "")
            judged.items[household.item_no] = ItemAnswer(
                household.item_no, household.household_code, ItemStatus.QUARANTINED, code,
                f"Household[{household.item_no + 1}]", detail,
            )  # fmt: skip
        else:
            seen.add(holder)
            judged.entries.append(
                Entry(household.household_code, holder, household.score_centi, household.lines)
            )
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
