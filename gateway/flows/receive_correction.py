"""A posted line is corrected after an objection: the old line is taken back, the right one stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time
from uuid import UUID

from gateway import benefits, contributions, subjects
from gateway.contributions import CORRECTION, Quarter, Standing
from gateway.db import Transaction
from gateway.flows._differing import SCORE, Entry, Paper, differ, lines_of
from gateway.flows._readiness import refuse_if_sealing_lags, town_codes
from gateway.flows._scoreboards import (
    Telling,
    content_of_correction,
    first_answer,
    refuse_wrong_time,
    scoreboard_reader,
    tried_again,
    write_document,
)
from gateway.house import House
from schemas.contributions import ItemAnswer
from schemas.errors import ConflictError, NotFoundError, RefusedError
from schemas.scoreboards import Document, ScoreAnswer, ScoreCorrection, Stand, period_ends_on
from schemas.values import BEIJING, ItemStatus, TownCode, points_text


def receive_correction(house: House, document: Document, *, now: datetime) -> ScoreAnswer:
    """Receive a correction. The same again gets the first answer; nothing of a refused one is kept, so its number is free.

    Whoever's score changed is evaluated again, with this correction as the cause named in the decision; what a ruleset says about
    a benefit already granted is the ruleset's `on_correction`.

    Errors: InvalidError, NotFoundError (`list-unknown`, `unknown-household`), RefusedError (`unknown-item`), ConflictError
    (`line-differs`: the posted line is not as named; `document-no-reused`), UnavailableError, OutcomeUnknownError.
    """
    refuse_if_sealing_lags(house, now)
    reader = scoreboard_reader(house, document.town)
    said = reader.read_correction(document.body, town_codes(house, document.town, now))
    ends_at = datetime.combine(period_ends_on(said.period), time(23, 59, 59), BEIJING)
    refuse_wrong_time(said.decided_at, ends_at, now, "DecidedAt")
    if said.line.category is None:
        raise RefusedError("this item is not in the code table", code="unknown-item", where="ItemCode", value=said.line.item_code,
                           remedy="ask the gateway's operator to add it, then send the correction again")  # fmt: skip
    digest = house.keys.digester("content")(content_of_correction(said))

    def attempt() -> ScoreAnswer:
        with house.db.transaction() as tx:
            return _receive(house, tx, document, said, digest, now)

    return tried_again(attempt)


def _receive(
    house: House, tx: Transaction, document: Document, said: ScoreCorrection, digest: bytes, now: datetime
) -> ScoreAnswer:
    town = document.town
    quarter = Quarter(town, said.village, said.period)
    contributions.lock_quarter(tx, quarter)
    row = contributions.find_scoreboard(tx, town, CORRECTION, said.correction_no)
    if row is not None:
        return first_answer(row, digest, document, CORRECTION, said.correction_no)
    holder, standing = _find_line(tx, town, quarter, said)
    lines = lines_of(standing)
    lines.pop(said.line.item_code, None)
    if said.line.points_centi:
        lines[said.line.item_code] = said.line
    score = sum(-line.points_centi if line.deducts else line.points_centi for line in lines.values())
    paper = Paper(
        f"correction:{said.correction_no}",
        said.village,
        said.period,
        period_ends_on(said.period),
        said.decided_at,
    )
    moves = differ(
        paper, [Entry(said.household_code, holder, score, list(lines.values()))], standing.values()
    )
    status = ItemStatus.ACCEPTED if moves.changed else ItemStatus.DUPLICATE
    telling = Telling(
        quarter, CORRECTION, said.correction_no, 1, "", said.objection_no, said.decided_at, True,
        [ItemAnswer(0, said.household_code, status, "posted-score", None, points_text(score))],
        Stand(moves.added, moves.reversed, []),
    )  # fmt: skip
    document = replace(document, batch_id=house.new_id())
    answer = write_document(house, tx, document, digest, telling, moves, now=now)
    benefits.mark_changed(
        tx, sorted(moves.changed), cause=_cause(town, said.correction_no, document.batch_id), now=now
    )
    return answer


def _cause(town: TownCode, correction_no: str, batch_id: UUID) -> str:
    """How a decision names the correction: the town's number for people, the batch for whoever follows it to its rows."""
    return f"{benefits.CORRECTED}{town}/{correction_no} batch:{batch_id}"


def _find_line(
    tx: Transaction, town: TownCode, quarter: Quarter, said: ScoreCorrection
) -> tuple[int, dict[str, Standing]]:
    """The household and what stands of it. Raises when the posted line is not as the correction says."""
    if not contributions.is_listed(tx, quarter, said.list_no):
        raise NotFoundError("no list of this number stands for the village and quarter", code="list-unknown", where="ListNo",
                            value=said.list_no, remedy="send the list first, then the correction again")  # fmt: skip
    resolution = subjects.resolve(tx, town, subjects.Asked({said.household_code}, ()))
    household = resolution.household(said.household_code, period_ends_on(said.period))
    if household is None:
        raise NotFoundError("no family had this code in the quarter", code="unknown-household",
                            where="HouseholdCode", value=said.household_code, remedy="check the code")  # fmt: skip
    holder = int(household)
    standing = {s.item_code: s for s in contributions.list_standing(tx, quarter, [holder])}
    if SCORE not in standing or holder not in contributions.list_listed(tx, quarter):
        raise NotFoundError("it is on no list of the village and quarter", code="line-not-found", where="HouseholdCode",
                            value=said.household_code, remedy="post the household on a list first")  # fmt: skip
    line = standing.get(said.line.item_code)
    posted_centi = line.points_centi if line is not None else 0
    if posted_centi != said.posted_points_centi:
        raise ConflictError(
            f"the posted line stands with {points_text(posted_centi)} points", code="line-differs", where="PostedPoints",
            value=points_text(said.posted_points_centi), remedy="name it as it stands now: it may have been corrected before",
        )  # fmt: skip
    return holder, standing
