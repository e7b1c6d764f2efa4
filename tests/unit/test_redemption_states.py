"""The state table and the planner, over every combination."""

from __future__ import annotations

from itertools import product

import pytest

from gateway.redemptions.states import EDGES, ENDED, RedemptionEvent, Step, next_state, plan
from schemas.errors import ConflictError
from schemas.redemptions import Aim, Heard, RedemptionState

LEGS = [combination for size in (1, 2, 3) for combination in product(Heard, repeat=size)]


def test_every_state_is_reached_and_only_ended_ones_are_left_by_nothing() -> None:
    reached = set(EDGES.values()) | {RedemptionState.OPENED}
    left = {state for state, _ in EDGES}
    assert reached == set(RedemptionState)
    assert set(RedemptionState) - left == ENDED - {RedemptionState.HANDED_OVER}
    assert {event for _, event in EDGES} == set(RedemptionEvent)


@pytest.mark.parametrize("state", RedemptionState)
@pytest.mark.parametrize("event", RedemptionEvent)
def test_what_is_not_in_the_table_is_refused(state: RedemptionState, event: RedemptionEvent) -> None:
    if (state, event) in EDGES:
        assert next_state(state, event) is EDGES[state, event]
    else:
        with pytest.raises(ConflictError):
            next_state(state, event)


@pytest.mark.parametrize("aim", Aim)
def test_all_or_nothing(aim: Aim) -> None:
    """Goods are handed over only when every town confirmed; nothing is believed while one answer is unknown."""
    for heard in LEGS:
        step = plan(aim, heard)
        known = set(heard)
        if known & {Heard.DOUBTFUL, Heard.ASKED}:
            assert step is Step.ASK, heard
            continue
        if step is Step.CONFIRMED:
            assert known == {Heard.CONFIRMED}
            assert aim is Aim.CONFIRM
        if step is Step.FROZEN:
            assert known == {Heard.FROZEN}
            assert aim is Aim.FREEZE
        if step is Step.CONFIRM:
            assert known <= {Heard.FROZEN, Heard.CONFIRMED}
            assert aim is Aim.CONFIRM
        if step in (Step.REFUSE, Step.ENDED):  # nothing is left at any town
            assert not known & {Heard.FROZEN, Heard.CONFIRMED}, heard
        if known & {Heard.FROZEN, Heard.CONFIRMED} and known & {Heard.ABSENT, Heard.ENDED}:
            assert step is Step.UNDO, (aim, heard)
