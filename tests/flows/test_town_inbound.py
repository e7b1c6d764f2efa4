"""Watching a town's door: what arrives is shown, what was seen is ticked off, what was not is named; no person in a line."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from rich.console import Console
from uuid6 import uuid7

from adapters import lijiayuan, nanyang_young, wuhe_zhonglian
from gateway.cli.town_inbound import first_id_at, ticks_of, watch
from gateway.flows.list_pushes import list_pushes
from gateway.flows.receive_contributions import receive_contributions
from gateway.flows.register_households import register_households
from gateway.house import House
from schemas.errors import InvalidError
from tests.conftest import TestDatabase
from tests.plain_town import NOW, TOWN, invented_id_no, plain_house, push

KNOWN, UNKNOWN = invented_id_no(1), invented_id_no(2)
TICKS = ticks_of(lijiayuan.CAPABILITIES)


@pytest.fixture
def house(database: TestDatabase) -> House:
    made = plain_house(database)
    family = {"code": "F1", "members": [{"id_no": KNOWN, "head": True}]}
    register_households(made, TOWN, "town-a", orjson.dumps([family]), now=NOW)
    return made


def item(reference: str, **more: Any) -> dict[str, Any]:
    return {"reference": reference, "code": "F1", "id_no": KNOWN, **more}


#: what a vendor sends, push by push, in the order the list asks for
PUSHES: list[list[dict[str, Any]]] = [
    [item("T1"), item("T2")],
    [item("T1")],
    [item("T1", points_centi=900)],
    [item("T2R", kind="reversal", reverses="T2")],
    [item("T3", activity="never-seen")],
    [item("T4", id_no=UNKNOWN)],
]


def watched(house: House, pushes: list[list[dict[str, Any]]], minutes: float) -> tuple[set[str], str]:
    """One push arrives each time the watcher sleeps."""
    waiting = list(enumerate(pushes))

    def sleep(_: float) -> None:
        if waiting:
            number, items = waiting.pop(0)
            receive_contributions(house, push(items, f"k{number}"), now=NOW)

    said = io.StringIO()
    console = Console(file=said, width=200, color_system=None)
    missing = watch(house, TOWN, TICKS, minutes=minutes, lang="en", console=console, sleep=sleep)
    return missing, said.getvalue()


def test_everything_that_is_pushed_is_ticked_off(house: House) -> None:
    missing, said = watched(house, PUSHES, 1)
    assert missing == set()
    for tick in TICKS:
        assert f"☑ {tick.en} {tick.id}" in said
    assert "town-a: 2 items, 2 accepted" in said
    assert KNOWN not in said
    assert UNKNOWN not in said


def test_what_was_not_seen_is_named_when_the_time_is_over(house: House) -> None:
    missing, said = watched(house, PUSHES[:2], 0.1)
    assert missing == {"conflict", "correction", "quarantined", "rejected"}
    assert "☑ send one of them again in a new push" in said


def test_what_came_before_is_not_shown(house: House) -> None:
    receive_contributions(house, push([item("OLD")], "old"), now=NOW)
    (seen,) = list_pushes(house, TOWN, first_id_at(NOW))
    assert list_pushes(house, TOWN, seen.batch_id) == []
    assert (seen.item_count, seen.accepted_count, seen.corrects) == (1, 1, False)


@pytest.mark.parametrize("shift", [timedelta(0), timedelta(seconds=1)])
def test_an_id_of_a_moment_sorts_before_what_comes_later(shift: timedelta) -> None:
    made: Callable[[], UUID] = uuid7
    before = first_id_at(datetime.now(UTC) - shift)
    assert before <= made()
    assert first_id_at(datetime.now(UTC) + timedelta(seconds=5)) > made()
    assert before.version == 7


def test_a_town_is_asked_for_what_it_can_do() -> None:
    assert [tick.id for tick in ticks_of(wuhe_zhonglian.CAPABILITIES)] == ["accepted"]
    with pytest.raises(InvalidError, match="fetched"):
        ticks_of(nanyang_young.CAPABILITIES)
