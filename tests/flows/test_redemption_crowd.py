"""Bar 3: fifty clerks on twenty residents and scarce goods: no double spend, no negative stock, no lost hold."""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from gateway.flows.confirm_redemption import confirm_redemption
from gateway.flows.end_overdue_holds import end_overdue_holds
from gateway.flows.hand_over_goods import hand_over_goods
from gateway.flows.redeem_points import redeem_points
from gateway.flows.release_redemption import release_redemption
from gateway.flows.reverse_redemption import reverse_redemption
from gateway.flows.settle_redemptions import settle_redemptions
from schemas.errors import GatewayError
from schemas.staff import Role, StaffCaller
from tests.conftest import TestDatabase
from tests.plain_town import NOW
from tests.redemption_stage import (
    FIRST,
    RICE,
    SECOND,
    Stage,
    Towns,
    broken_invariants,
    build_stage,
    caller,
    log_faults,
    running_towns,
)

pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
CLERKS, RESIDENTS, BASKETS = 50, 20, 4


@pytest.fixture
def towns(tmp_path: Path) -> Iterator[Towns]:
    with running_towns(tmp_path) as running:
        yield running


def test_a_crowd_leaves_everything_agreeing(database: TestDatabase, towns: Towns) -> None:
    stage = build_stage(database, towns, families=RESIDENTS)

    def serve(number: int) -> Counter[str]:
        chance, seen = random.Random(number), Counter[str]()
        clerk = caller(stage.house, f"C{number:03d}", Role.CLERK)
        for _ in range(BASKETS):
            seen[_basket(stage, clerk, chance)] += 1
        return seen

    with ThreadPoolExecutor(CLERKS) as pool:
        seen = sum(pool.map(serve, range(CLERKS)), Counter[str]())
    # Forty sacks, at most three a basket: chance decides how many baskets that makes, and never fewer than these.
    assert seen["handed_over"] + seen["released"] + seen["reversed"] > RICE // 3, seen
    assert min(seen["handed_over"], seen["released"], seen["reversed"]) > 0, seen
    assert seen["out-of-stock"] > 0, seen
    stage.later(600)
    _judge(stage, seen)


def _judge(stage: Stage, seen: Counter[str]) -> None:
    """Everything comes to its end; then towns, goods, books and log agree."""
    stage.settle(60)
    for (confirmed,) in stage.database.sql(
        "select redemption_id::text from redemption where state = 'confirmed'"
    ):
        release_redemption(stage.house, stage.clerk, UUID(str(confirmed)), now=stage.now)
    stage.settle(60)
    assert broken_invariants(stage) == [], seen
    assert log_faults(stage) == []


@pytest.mark.soak
def test_ten_minutes_of_a_crowd_with_faults_and_scarce_goods(database: TestDatabase, towns: Towns) -> None:
    """Bar 3: fifty clerks, twenty residents; a sack now and then, towns that fail, the jobs running beside."""
    seconds = float(os.environ.get("CROWD_SECONDS", "600"))
    stage = build_stage(database, towns, families=RESIDENTS)
    begun, ends = time.monotonic(), time.monotonic() + seconds
    seen: Counter[str] = Counter()
    counting = threading.Lock()

    def at() -> datetime:
        return NOW + timedelta(seconds=time.monotonic() - begun)

    def serve(number: int) -> None:
        chance, clerk = random.Random(number), caller(stage.house, f"C{number:03d}", Role.CLERK)
        while time.monotonic() < ends:
            outcome = _basket(stage, clerk, chance, at)
            with counting:
                seen[outcome] += 1

    def jobs() -> None:
        chance = random.Random("jobs")
        while time.monotonic() < ends:
            stage.now = at()
            settle_redemptions(stage.house, now=stage.now)
            end_overdue_holds(stage.house, now=stage.now)
            stage.receive("RICE", chance.randint(1, 5))
            act = chance.choice(("freeze", "confirm", "release", "reverse", "find"))
            stage.towns.arm(
                chance.choice((FIRST, SECOND)), chance.choice(("drop", "busy", "garbage", "refuse")), act
            )
            time.sleep(0.5)

    threads = [threading.Thread(target=serve, args=(n,)) for n in range(CLERKS)]
    threads.append(threading.Thread(target=jobs))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{seconds:.0f} s of {CLERKS} clerks: {dict(seen.most_common())}")
    stage.towns.heal()
    stage.now = at()
    stage.later(600)
    assert min(seen[s] for s in ("handed_over", "released", "reversed", "unknown", "out-of-stock")) > 0, seen
    _judge(stage, seen)


def _basket(
    stage: Stage, clerk: StaffCaller, chance: random.Random, at: Callable[[], datetime] = lambda: NOW
) -> str:
    """One resident's turn; how it ended, or why it could not be."""
    lines = [("RICE", FIRST, chance.randint(1, 2))] + ([("RICE", SECOND, 1)] if chance.random() < 0.4 else [])
    basket = stage.basket(*lines, person=chance.randrange(RESIDENTS), key=uuid4().hex)
    try:
        done = redeem_points(stage.house, clerk, basket, now=at())
        if done.state != "frozen":
            return str(done.state)
        if chance.random() < 0.3:
            return str(release_redemption(stage.house, clerk, done.redemption_id, now=at()).state)
        done = confirm_redemption(stage.house, clerk, done.redemption_id, now=at())
        if done.state != "confirmed":
            return str(done.state)
        done = hand_over_goods(stage.house, clerk, done.redemption_id, now=at())
        if chance.random() < 0.3:
            done = reverse_redemption(stage.house, stage.supervisor, done.redemption_id, now=at())
        return str(done.state)
    except GatewayError as exc:
        return exc.code
