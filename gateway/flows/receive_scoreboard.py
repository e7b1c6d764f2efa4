"""A posted list arrives: one village, one quarter, every household. What stands is moved to it by difference."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time

from gateway import contributions
from gateway.contributions import LIST, Quarter
from gateway.db import Transaction
from gateway.flows._applying_lists import apply_list
from gateway.flows._readiness import refuse_if_sealing_lags, town_codes
from gateway.flows._scoreboards import (
    content_of_list,
    first_answer,
    refuse_wrong_time,
    scoreboard_reader,
    tried_again,
)
from gateway.house import House
from schemas.errors import ConflictError
from schemas.scoreboards import Document, ScoreAnswer, Scoreboard, period_ends_on
from schemas.values import BEIJING, instant_text


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
    digest = house.keys.digester("content")(content_of_list(board))

    def attempt() -> ScoreAnswer:
        with house.db.transaction() as tx:
            return _receive(house, tx, document, board, digest, now)

    return tried_again(attempt)


def _receive(
    house: House, tx: Transaction, document: Document, board: Scoreboard, digest: bytes, now: datetime
) -> ScoreAnswer:
    quarter = Quarter(document.town, board.village, board.period)
    contributions.lock_quarter(tx, quarter)
    row = contributions.find_scoreboard(tx, document.town, LIST, board.list_no)
    if row is not None:
        return first_answer(row, digest, document, LIST, board.list_no)
    latest = contributions.find_latest_posted(tx, quarter)
    if latest is not None and board.posted_at < latest:
        raise ConflictError(
            "a list or a correction that stands is newer than this list", code="list-outdated", where="PostedAt",
            value=instant_text(board.posted_at), remedy=f"what stands was posted at {instant_text(latest)}; post a new list that"
            " knows it",
        )  # fmt: skip
    answer = apply_list(house, tx, replace(document, batch_id=house.new_id()), board, digest, now=now)
    assert answer is not None, "a first reading always answers"
    return answer
