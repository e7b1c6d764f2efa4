"""Columns say what `evaluate` says, in every field that matters, and fast enough for a sweep."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.policy import OUTCOMES, evaluate, evaluate_many
from gateway.policy.language import Ruleset
from schemas.policy import Facts
from tests.thoroughness import examples
from tests.unit.test_policy_properties import EARNED, FACTS, decision_view, fitting, nearly, rulesets


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


@settings(max_examples=examples(150), deadline=None)
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
