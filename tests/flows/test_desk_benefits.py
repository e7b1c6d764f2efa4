"""What the counter tells a resident about their loans: what the bank gives, why, and nothing where there is nothing to tell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.flows._benefit_words import Benefit
from gateway.flows.inspect_resident import inspect_resident
from schemas.redemptions import LookReason
from schemas.staff import Role
from tests.bank_stage import Stage, bank_stage
from tests.conftest import TestDatabase
from tests.redemption_stage import caller


@pytest.fixture
def stage(database: TestDatabase, tmp_path: Path) -> Iterator[Stage]:
    with bank_stage(database, tmp_path) as made:
        yield made


def _benefits(stage: Stage, household: int) -> tuple[Benefit, ...]:
    clerk = caller(stage.house, "T001", Role.CLERK)
    view = inspect_resident(stage.house, clerk, stage.heads[household], LookReason.ENQUIRY, now=stage.now)
    return view.benefits


def test_what_the_bank_gives_is_told_with_its_reasons_and_steps(stage: Stage) -> None:
    stage.ruleset()
    rich, poor = stage.families(2)
    stage.give_points([rich], 583)
    stage.evaluate()
    assert not any(benefit.given for benefit in _benefits(stage, rich)), "proposed is not given"
    stage.deliver()
    (benefit,) = _benefits(stage, rich)
    assert benefit.given
    assert (benefit.title[0], benefit.discount_bp, benefit.limit_increase_fen) == ("测试", 58, 500_000)
    assert benefit.valid_until_on is not None
    assert benefit.steps
    for nothing in _benefits(stage, poor):
        assert not nothing.given
        assert nothing.discount_bp == 0
