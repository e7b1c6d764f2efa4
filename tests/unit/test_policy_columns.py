"""Columns say what `evaluate` says, in every field that matters, and fast enough for a sweep."""

from __future__ import annotations

import time
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.policy import OUTCOMES, evaluate, evaluate_many, load_packaged
from gateway.policy.language import Ruleset
from schemas.policy import Facts, MonthSum, SubjectKind
from tests.unit.test_policy_properties import EARNED, FACTS, ON, decision_view, fitting, nearly, rulesets


def column_view(results: Any, index: int) -> tuple[Any, ...]:
    def known(value: Any) -> int | None:
        return None if value < 0 else int(value)

    return (
        OUTCOMES[results.outcomes[index]],
        int(results.score_centi[index]),
        int(results.discount_bp[index]),
        int(results.limit_increase_fen[index]),
        known(results.base_rate_bp[index]),
        known(results.final_rate_bp[index]),
        known(results.floor_bp[index]),
        known(results.final_limit_fen[index]),
    )


@settings(max_examples=150, deadline=None)
@given(rulesets(), st.lists(FACTS, min_size=1, max_size=4), EARNED)
def test_columns_say_what_evaluate_says(ruleset: Ruleset, facts: list[Facts], earned: int) -> None:
    facts = [
        *facts,
        *(fitting(ruleset, f) for f in facts),
        *(n for f in facts for n in nearly(ruleset, f, earned)),
    ]
    results = evaluate_many(ruleset, facts)
    assert [column_view(results, n) for n in range(len(facts))] == [
        decision_view(evaluate(ruleset, f)) for f in facts
    ]


def test_thirty_thousand_households_a_second() -> None:
    """The bar is for one core that is free; a third of it here, because test machines are shared. bench/ has the figure."""
    ruleset = load_packaged("shimin_yidai")
    months = [202512, *range(202601, 202612)]
    sums = tuple(
        MonthSum("lijiayuan", c, "award", m, 2500) for m in months for c in ("sorting", "hygiene", "charity")
    )
    facts = [
        Facts(
            n, SubjectKind.HOUSEHOLD, n, ON, sums, age_years=40, first_month=202512, last_contribution_on=ON
        )
        for n in range(5000)
    ]
    started = time.process_time()
    results = evaluate_many(ruleset, facts)
    rate = len(facts) / (time.process_time() - started)
    assert int((results.outcomes == 1).sum()) == len(facts)
    print(f"{rate:,.0f} households/s")
    assert rate > 10_000
