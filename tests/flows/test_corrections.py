"""Bar 5: posted, granted at the bank, corrected after an objection: a new decision names the correction, the bank is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.flows.replay_decision import replay_decision
from schemas.scoreboards import ScoreAnswer
from tests.bank_stage import RULESET, Stage, bank_stage
from tests.conftest import TestDatabase
from tests.plain_scores import board, correct, correction, post, posting_house

VILLAGE = "测试村"
TRAILING = RULESET.replace("kind: cumulative", "kind: trailing_months, months: 3")
REPRICED = TRAILING.replace("on_decrease: at_once", "on_decrease: at_repricing")
AT_ONCE = REPRICED + "on_correction: at_once\n"
POSTED = RULESET.replace("kind: cumulative", "kind: posted_score")
GRANTED_AT = datetime(2026, 10, 20, 4, 0, tzinfo=UTC)
LATE_AT = datetime(2027, 2, 1, 4, 0, tzinfo=UTC)  # September is no longer among the last three months


@pytest.fixture
def stage(database: TestDatabase, tmp_path: Path) -> Iterator[Stage]:
    with bank_stage(database, tmp_path) as found:
        house = posting_house(found.house)
        found.house = replace(house, config=replace(house.config, seal_lag_refuse_s=10**9))
        found.now = GRANTED_AT
        yield found


def _posted(stage: Stage, ruleset: str, points: int = 583) -> None:
    """One family, its list posted, the benefit in force at the bank."""
    stage.ruleset(ruleset)
    stage.families(1)
    post(stage.house, board("L1", {"F00001": {"G01": points * 100}}, village=VILLAGE), stage.now)
    stage.evaluate()
    stage.quiet()
    assert [b["discount_bp"] for b in stage.bank.benefits().values()] == [points // 10]


def _corrected(stage: Stage, posted: int, points: int) -> ScoreAnswer:
    body = correction("C-17", "F00001", "G01", posted * 100, points * 100, village=VILLAGE)
    answer = correct(stage.house, body, stage.now)
    stage.quiet()
    return answer


def _held(stage: Stage) -> list[tuple[int, str]]:
    return [(b["discount_bp"], b["state"]) for b in stage.bank.benefits().values()]


def _last_decision(stage: Stage) -> tuple[object, ...]:
    return stage.database.sql(
        "select discount_bp, caused_by, as_of_on::text, decision_id from decision"
        " order by decided_at desc, decision_id desc limit 1"
    )[0]


@pytest.mark.parametrize("ruleset", [RULESET, POSTED], ids=["month sums", "posted score"])
def test_a_correction_lowers_what_was_granted_and_is_named(stage: Stage, ruleset: str) -> None:
    _posted(stage, ruleset)
    answer = _corrected(stage, 583, 380)
    discount, cause, _, _ = _last_decision(stage)
    assert (discount, cause) == (38, f"correction:lijiayuan/C-17 batch:{answer.batch_id}")
    assert _held(stage) == [(58, "superseded"), (38, "in_force")]
    like = "%lijiayuan/C-17%"
    named = stage.database.sql(
        "select count(*) from record where kind = 'decision' and convert_from(body, 'UTF8') like %s", [like]
    )
    assert named == [(1,)]
    stage.agree()


def test_a_correction_that_leaves_nothing_revokes(stage: Stage) -> None:
    _posted(stage, RULESET)
    _corrected(stage, 583, 0)
    assert _held(stage) == [(58, "revoked")]
    assert "lijiayuan/C-17" in str(stage.database.sql("select caused_by from revocation"))
    stage.agree()


def test_a_correction_looks_at_the_day_the_benefit_was_granted(stage: Stage) -> None:
    """In February the quarter counts no more, and the benefit stands until repricing: yet it would never have been so high."""
    _posted(stage, AT_ONCE)
    [until] = stage.database.sql("select distinct valid_until_on from proposal")
    stage.now = LATE_AT
    _corrected(stage, 583, 380)
    discount, cause, as_of_on, decision_id = _last_decision(stage)
    assert (discount, str(cause).split(" ")[0], as_of_on) == (38, "correction:lijiayuan/C-17", "2026-10-20")
    assert _held(stage) == [(58, "superseded"), (38, "in_force")]
    assert stage.database.sql("select distinct valid_until_on from proposal") == [until]  # not a day longer
    assert replay_decision(stage.house, decision_id)[1].discount_bp == 38
    stage.agree()


def test_what_todays_points_justify_stays(stage: Stage) -> None:
    """The day it was granted it would have been 38; today's points give 50: the benefit falls to 50, not to 38."""
    _posted(stage, AT_ONCE)
    stage.now = LATE_AT
    fourth = board(
        "L4",
        {"F00001": {"G01": 50000}},
        village=VILLAGE,
        period="2026Q4",
        posted_at=LATE_AT - timedelta(days=20),
    )
    post(stage.house, fourth, stage.now)
    stage.quiet()
    assert _held(stage) == [(58, "in_force")]  # points that fall change nothing before repricing
    _corrected(stage, 583, 380)
    assert _held(stage) == [(58, "superseded"), (50, "in_force")]
    assert str(_last_decision(stage)[1]).startswith("correction:lijiayuan/C-17")


def test_until_repricing_the_bank_hears_nothing_and_the_decision_stands(stage: Stage) -> None:
    _posted(stage, REPRICED)
    stage.now = LATE_AT
    _corrected(stage, 583, 380)
    discount, cause, _, _ = _last_decision(stage)
    assert (discount, str(cause).split(" ")[0]) == (38, "correction:lijiayuan/C-17")
    assert _held(stage) == [(58, "in_force")]


def test_a_correction_upwards_is_no_reason_to_look_back(stage: Stage) -> None:
    _posted(stage, AT_ONCE)
    stage.now = LATE_AT
    _corrected(stage, 583, 600)
    assert _held(stage) == [(58, "in_force")]


def test_a_second_list_is_named_like_a_correction(stage: Stage) -> None:
    _posted(stage, RULESET)
    post(stage.house, board("L2", {"F00001": {"G01": 20000}}, village=VILLAGE), stage.now)
    stage.quiet()
    assert str(_last_decision(stage)[1]).startswith("correction:lijiayuan/L2 batch:")
    assert _held(stage) == [(58, "superseded"), (20, "in_force")]
