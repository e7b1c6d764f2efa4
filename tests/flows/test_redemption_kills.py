"""Bar 2: killed at each edge of the state table, with each fault of a town: points, goods, books and log agree afterwards."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import pytest

from gateway.flows.redeem_points import redeem_points
from gateway.flows.reverse_redemption import reverse_redemption
from gateway.redemptions.states import EDGES
from tests.conftest import TestDatabase
from tests.redemption_crashes import (
    ACTS,
    BREAKS,
    KILLS,
    MADE,
    STORIES,
    TOLD,
    TWO,
    Fault,
    Story,
    edges_walked,
    finish,
    play_apart,
)
from tests.redemption_stage import (
    SECOND,
    Stage,
    Towns,
    broken_invariants,
    build_stage,
    log_faults,
    running_towns,
)

pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
    "ignore:.*multi-threaded.*fork:DeprecationWarning",
)
FAR = 1_000_000
STAYS = ("sold", "reversed", "given up", "given up after the towns confirmed", "hold ended")


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Towns]:
    with running_towns(tmp_path_factory.mktemp("towns")) as running:
        yield running


@pytest.fixture
def stage(database: TestDatabase, towns: Towns) -> Iterator[Stage]:
    made = build_stage(database, towns)
    yield made
    towns.heal()


def _whole(stage: Stage, story: Story) -> list[tuple[str, str]]:
    """The story without a death: the edges it walks."""
    stage.now = max(stage.now, story.begins_at)
    basket = stage.basket(*story.lines)
    assert not play_apart(stage, story, basket, FAR, KILLS[0])
    walked = edges_walked(stage, basket)
    finish(stage)
    return walked


def _broken(stage: Stage, story: Story, nth: int, how: str, person: int = 0) -> bool:
    """Played to the nth commit, clicked again by somebody who lives, brought to its end, and judged. Whether it came so far."""
    basket = stage.basket(*story.lines, person=person)
    met = play_apart(stage, story, basket, nth, how)
    stage.towns.heal()
    redeem_points(stage.house, stage.clerk, basket, now=stage.now)
    finish(stage)
    assert broken_invariants(stage) == [], (story.name, nth, how, edges_walked(stage, basket))
    return met


def test_the_stories_walk_every_edge() -> None:
    assert {edge for story in STORIES for edge in story.edges} == {(str(f), str(e)) for f, e in EDGES}


def test_killed_once_at_each_edge_everything_agrees_and_the_log_verifies(stage: Stage) -> None:
    """SIGKILL at each commit of every story from the first edge it is there for, now before it, now after it (soak: both)."""
    for no, story in enumerate(STORIES):
        first, nth = _begin(stage, story), 0
        for nth in itertools.count(first):
            if not _broken(stage, story, nth, KILLS[(no + nth) % 2]):
                break
        assert nth >= first + len(story.edges), story.name
        _restock(stage)
    assert log_faults(stage) == []


@pytest.mark.soak
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_killed_at_each_commit_everything_agrees_and_the_log_verifies(stage: Stage, story: Story) -> None:
    """SIGKILL before and after every commit of the story."""
    _begin(stage, story)
    for nth in itertools.count(1):
        if not all(_broken(stage, story, nth, how) for how in KILLS):
            break
    assert log_faults(stage) == []


def _begin(stage: Stage, story: Story) -> int:
    """Play it whole: it walks its edges. The first commit that is its own."""
    walked = _whole(stage, story)
    assert [edge for edge in walked if edge in story.edges] == list(story.edges), story.name
    return walked.index(story.edges[0]) + 1


def test_a_reversal_after_midnight_in_beijing_is_of_the_next_day(stage: Stage) -> None:
    story = next(s for s in STORIES if "midnight" in s.name)
    _whole(stage, story)
    days = stage.database.sql("select business_on::text from redemption")
    codes = stage.database.sql("select code from redemption_event where event = 'reversal_asked'")
    assert (days, codes) == ([("2026-11-20",)], [("correcting-entry",)])


@pytest.mark.parametrize("how", BREAKS)
def test_the_database_goes_away_in_mid_step(stage: Stage, how: str) -> None:
    """At each commit of a sale over two towns: its connection is cut by PostgreSQL, or the word that it was stored is lost."""
    story = replace(STORIES[0], lines=TWO)
    nth = 1
    assert story.name == "sold"
    while _broken(stage, story, nth, how):
        nth += 1
    assert nth > len(story.edges)
    assert log_faults(stage) == []


@pytest.mark.soak
@pytest.mark.parametrize("how", [*KILLS, *BREAKS])
@pytest.mark.parametrize("kind", [*TOLD, *MADE])
@pytest.mark.parametrize("name", STAYS)
def test_every_fault_of_a_town_and_every_death(stage: Stage, name: str, kind: str, how: str) -> None:
    """The whole product: story × one town or two × call × fault, once or lasting × death at each commit."""
    told = next(s for s in STORIES if s.name == name)
    for lines, act, times in itertools.product((told.lines, TWO), ACTS, (1, 3)):
        town = SECOND if lines is TWO else told.lines[0][1]
        story = replace(
            told, lines=lines, faults=(Fault(kind, act, town, times),), steps=(*told.steps, "settle")
        )
        nth = 1
        while _broken(stage, story, nth, how, nth % 2):
            nth += 1
        _restock(stage)
    assert log_faults(stage) == []


def _restock(stage: Stage) -> None:
    """What was handed over comes back, so that the next round finds the shelf full."""
    rows = stage.database.sql("select redemption_id::text from redemption where state = 'handed_over'")
    for (sold,) in rows:
        reverse_redemption(stage.house, stage.supervisor, sold, now=stage.now)
    assert broken_invariants(stage) == []
