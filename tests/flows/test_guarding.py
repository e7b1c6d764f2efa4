"""Between a corridor and a neighbour: pause, breaker, places, retries. Two guards on one database are two processes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.config import Config
from gateway.flows.note_neighbour import note_neighbour
from gateway.flows.switch_neighbour import switch_neighbour
from gateway.guarding import Guard, GuardedTown, Limits, guarded
from gateway.house import House
from schemas.boundary import NeighbourCalledInTransactionError, transaction_open
from schemas.errors import GatewayError, InvalidError, NotFoundError, OutcomeUnknownError, UnavailableError
from tests.bank_stage import bank_stage
from tests.conftest import TestDatabase
from tests.plain_town import NOW, TOWN, plain_house

UP = UnavailableError("away", code="neighbour-unreachable")
LOST = OutcomeUnknownError("lost", code="neighbour-answer-lost")


@dataclass
class Scene:
    """A house whose clock is turned by hand, and a neighbour that answers what `script` says, then 'done'."""

    house: House
    now: datetime = NOW
    script: list[GatewayError] = field(default_factory=list)
    calls: int = 0
    slept: list[float] = field(default_factory=list)

    def ask(self) -> str:
        self.calls += 1
        if self.script:
            raise self.script.pop(0)
        return "done"

    def guard(self, **limits: Any) -> Guard:
        """One process's guard."""
        asked = {"at_once": 2, "opens_after": 3, "retries": 0, **limits}
        return Guard(self.house, TOWN, Limits(**asked), sleep=self.slept.append, chance=lambda: 0.5)

    def later(self, **delta: float) -> None:
        self.now += timedelta(**delta)


@pytest.fixture
def scene(database: TestDatabase) -> Scene:
    made = Scene(plain_house(database))
    made.house = replace(made.house, clock=lambda: made.now, config=replace(Config(), breaker_wait_s=30.0))
    return made


def _code(call: Callable[[], Any]) -> str:
    with pytest.raises(GatewayError) as refused:
        call()
    return refused.value.code


def test_a_retry_only_where_nothing_happened(scene: Scene) -> None:
    guard = scene.guard(retries=2, opens_after=99)
    scene.script = [UP, UP]
    assert guard.call(scene.ask) == "done"
    assert scene.calls == 3
    assert scene.slept == [0.05, 0.1], "full jitter: chance times a wait that doubles"
    for error, code in (
        (LOST, "neighbour-answer-lost"),
        (NotFoundError("no", code="serial-unknown"), "serial-unknown"),
        (UnavailableError("busy", code="neighbour-busy"), "neighbour-busy"),
    ):
        before, scene.script = scene.calls, [error]
        assert _code(lambda: guard.call(scene.ask)) == code
        assert scene.calls == before + 1, code


def test_retries_are_bounded(scene: Scene) -> None:
    scene.script = [UP] * 10
    assert _code(lambda: scene.guard(retries=2, opens_after=99).call(scene.ask)) == "neighbour-unreachable"
    assert scene.calls == 3


def test_the_breaker_opens_for_every_process_and_one_tries(scene: Scene) -> None:
    here, there = scene.guard(), scene.guard()
    scene.script = [UP, LOST, UP]
    for _ in range(3):
        _code(lambda: here.call(scene.ask))
    assert _code(lambda: here.call(scene.ask)) == "neighbour-breaker-open"
    assert _code(lambda: there.call(scene.ask)) == "neighbour-breaker-open"
    assert scene.calls == 3
    scene.later(seconds=40)
    held = threading.Event()
    asked = threading.Event()

    def slow() -> str:
        asked.set()
        held.wait(20)
        return "done"

    with ThreadPoolExecutor(1) as pool:
        trying = pool.submit(here.call, slow)
        assert asked.wait(20)
        scene.later(seconds=2)
        assert _code(lambda: there.call(scene.ask)) == "neighbour-breaker-open", "somebody tries already"
        held.set()
        assert trying.result() == "done"
    scene.later(seconds=2)
    assert there.call(scene.ask) == "done"


def test_a_try_that_fails_waits_longer(scene: Scene) -> None:
    guard = scene.guard(opens_after=1)
    scene.script = [UP, UP]
    _code(lambda: guard.call(scene.ask))
    scene.later(seconds=40)
    assert _code(lambda: guard.call(scene.ask)) == "neighbour-unreachable"
    scene.later(seconds=40)
    assert _code(lambda: guard.call(scene.ask)) == "neighbour-breaker-open", (
        "twice in a row: 60 seconds, ±25 %"
    )
    scene.later(seconds=40)
    assert guard.call(scene.ask) == "done"


def test_a_try_whose_process_died_is_made_again(scene: Scene) -> None:
    guard = scene.guard(opens_after=1)
    scene.script = [UP]
    _code(lambda: guard.call(scene.ask))
    scene.later(seconds=40)
    assert note_neighbour(scene.house, TOWN, "due", now=scene.now) is not None
    assert note_neighbour(scene.house, TOWN, "due", now=scene.now) is None
    scene.later(seconds=95)
    assert guard.call(scene.ask) == "done"


def test_a_no_is_an_answer(scene: Scene) -> None:
    guard = scene.guard(opens_after=2)
    scene.script = [UP, NotFoundError("no"), UP, NotFoundError("no"), UP]
    for _ in range(5):
        _code(lambda: guard.call(scene.ask))
    assert guard.call(scene.ask) == "done"


def test_paused_nothing_is_said(scene: Scene, database: TestDatabase) -> None:
    guard = scene.guard()
    assert switch_neighbour(scene.house, TOWN, paused=True, why="works on the town's side", by="li", now=NOW)
    assert not switch_neighbour(scene.house, TOWN, paused=True, why="again", by="wang", now=NOW)
    assert _code(lambda: guard.call(scene.ask)) == "neighbour-paused"
    assert switch_neighbour(scene.house, TOWN, paused=False, why="", by="li", now=NOW + timedelta(seconds=1))
    scene.later(seconds=2)
    assert guard.call(scene.ask) == "done"
    assert database.sql("select count(*) from record where kind = 'neighbour_switched'") == [(2,)]
    for wrong in ({"neighbour": "atlantis"}, {"why": ""}, {"by": " "}):
        asked: Any = {"neighbour": TOWN, "why": "x", "by": "li", **wrong}
        with pytest.raises(InvalidError):
            switch_neighbour(scene.house, asked.pop("neighbour"), paused=True, now=NOW, **asked)


def test_a_slow_town_takes_its_places_and_no_more(scene: Scene) -> None:
    slow_town, other_town = scene.guard(place_wait_s=0.0), replace_neighbour(scene.guard(), "nanyang_young")
    held, under_way = threading.Event(), threading.Semaphore(0)

    def slow() -> str:
        under_way.release()
        held.wait(20)
        return "done"

    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(slow_town.call, slow) for _ in range(2)]
        for _ in calls:
            assert under_way.acquire(timeout=20)
        assert _code(lambda: slow_town.call(scene.ask)) == "neighbour-crowded"
        assert other_town.call(scene.ask) == "done"
        held.set()
        assert [call.result() for call in calls] == ["done", "done"]
    assert slow_town.call(scene.ask) == "done"


def replace_neighbour(guard: Guard, neighbour: str) -> Guard:
    """The guard of another neighbour in the same process."""
    return Guard(guard.house, neighbour, guard.limits)


def test_when_the_database_is_away_the_call_is_made(scene: Scene) -> None:
    class Away:
        def transaction(self, **_: Any) -> Any:
            raise UnavailableError("away", code="database-unavailable")

    away: Any = Away()
    guard = Guard(replace(scene.house, db=away), TOWN, Limits(2, 3))
    assert guard.call(scene.ask) == "done"


def test_no_call_inside_a_transaction(scene: Scene) -> None:
    with transaction_open(), pytest.raises(NeighbourCalledInTransactionError):
        scene.guard().call(scene.ask)


class _Town:
    """A client whose statement breaks off once."""

    def __init__(self) -> None:
        self.asked = 0

    def day_statement(self, on: date) -> Any:
        self.asked += 1
        yield "first"
        if self.asked == 1:
            raise UP
        yield "second"


def test_a_statement_is_had_whole_or_asked_for_again(scene: Scene) -> None:
    client: Any = _Town()
    town = GuardedTown(scene.guard(retries=1), client)
    had: list[Any] = list(town.day_statement(date(2026, 11, 19)))
    assert had == ["first", "second"]
    assert client.asked == 2


class _Everything:
    """A neighbour whose every port answers."""

    issuer = authorize_origin = "https://town.example"

    def begin(self, **_: Any) -> str:
        return "https://town.example/authorize"

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: name


def test_a_pause_stops_every_port_of_a_town(scene: Scene) -> None:
    any_port: Any = {TOWN: _Everything()}
    bare = replace(scene.house, clients=any_port, feeds=any_port, linkings=any_port, day_files=any_port)
    house: Any = guarded(bare)
    calls: list[Callable[[], Any]] = [
        lambda: house.clients[TOWN].balance("F1"),
        lambda: house.feeds[TOWN].fetch_changes(""),
        lambda: house.feeds[TOWN].fetch_missing(1, 2),
        lambda: house.feeds[TOWN].fetch_history("o1", ""),
        lambda: house.linkings[TOWN].exchange("c", nonce="n", code_verifier="v", redirect_uri="u"),
        lambda: house.linkings[TOWN].renew("r", "o1"),
        lambda: house.linkings[TOWN].revoke("r"),
        lambda: house.day_files[TOWN].fetch_day_file(date(2026, 11, 19)),
    ]
    assert [call() for call in calls][:3] == ["balance", "fetch_changes", "fetch_missing"]
    switch_neighbour(scene.house, TOWN, paused=True, why="works", by="li", now=NOW)
    scene.later(seconds=2)
    assert {_code(call) for call in calls} == {"neighbour-paused"}
    begun = house.linkings[TOWN].begin(
        state="s", nonce="n", code_verifier="v", redirect_uri="u", language="zh"
    )
    assert begun == "https://town.example/authorize", "nobody is called"


def test_the_bank_paused_keeps_messages_and_counts_no_attempt(database: TestDatabase, tmp_path: Path) -> None:
    with bank_stage(database, tmp_path) as stage:
        stage.house = guarded(stage.house)
        stage.ruleset()
        stage.give_points(stage.families(2), 300)
        stage.evaluate()
        switch_neighbour(stage.house, "bank_core", paused=True, why="end of day", by="li", now=stage.now)
        assert stage.deliver() == {}
        assert database.sql("select state, attempts from outbox_message") == [("queued", 0), ("queued", 0)]
        switch_neighbour(stage.house, "bank_core", paused=False, why="", by="li", now=stage.later(seconds=1))
        assert stage.deliver()["said"] == 2
        stage.quiet()
        stage.agree()


def test_a_bank_that_fails_is_left_alone_then_everything_is_said_once(
    database: TestDatabase, tmp_path: Path
) -> None:
    with bank_stage(database, tmp_path) as stage:
        stage.house = guarded(replace(stage.house, clock=lambda: stage.now))
        stage.ruleset()
        stage.give_points(stage.families(12), 300)
        stage.evaluate()
        stage.bank.fail("busy", service="ProposeBenefit", times=6)
        stage.deliver()
        assert database.sql("select state from neighbour_breaker") == [("open",)]
        assert stage.deliver() == {}, "left alone"
        stage.quiet()
        stage.agree()
        assert database.sql("select state from neighbour_breaker") == [("closed",)]
        assert len(stage.bank.benefits()) == 12


def test_of_many_that_hang_a_process_holds_no_more_than_its_crowd(scene: Scene) -> None:
    """Four neighbours that hang hold the crowd, not each their own share; who comes then is told at once."""
    crowd = threading.BoundedSemaphore(3)
    release, inside = threading.Event(), threading.Semaphore(0)

    def hang() -> str:
        inside.release()
        assert release.wait(30)
        return "told"

    guards = [Guard(scene.house, f"town-{n}", Limits(2, 5), crowd) for n in range(4)]
    with ThreadPoolExecutor(3) as pool:
        standing = [pool.submit(guard.call, hang) for guard in guards[:3]]
        for _ in standing:
            assert inside.acquire(timeout=30)
        with pytest.raises(UnavailableError) as refused:
            guards[3].call(lambda: "never asked")
        release.set()
        assert [done.result(timeout=30) for done in standing] == ["told"] * 3
    assert refused.value.code == "neighbour-crowded"
    assert guards[3].call(lambda: "asked") == "asked"
