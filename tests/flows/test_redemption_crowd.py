"""Bar 3: fifty clerks on twenty residents and scarce goods: no double spend, no negative stock, no lost hold."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from gateway.flows._restaters import list_sum_faults
from gateway.flows.confirm_redemption import confirm_redemption
from gateway.flows.hand_over_goods import hand_over_goods
from gateway.flows.redeem_points import redeem_points
from gateway.flows.release_redemption import release_redemption
from gateway.flows.reverse_redemption import reverse_redemption
from schemas.errors import GatewayError
from schemas.staff import Role, StaffCaller
from tests.conftest import TestDatabase
from tests.redemption_stage import (
    FIRST,
    RICE,
    SECOND,
    Stage,
    Towns,
    broken_invariants,
    build_stage,
    caller,
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
    stage.settle()
    for (confirmed,) in database.sql("select redemption_id::text from redemption where state = 'confirmed'"):
        release_redemption(stage.house, stage.clerk, confirmed, now=stage.now)
    assert broken_invariants(stage) == [], seen
    with stage.house.audit_db.transaction(read_only=True) as tx:
        assert list_sum_faults(tx) == []


def _basket(stage: Stage, clerk: StaffCaller, chance: random.Random) -> str:
    """One resident's turn; how it ended, or why it could not be."""
    lines = [("RICE", FIRST, chance.randint(1, 2))] + ([("RICE", SECOND, 1)] if chance.random() < 0.4 else [])
    basket = stage.basket(*lines, person=chance.randrange(RESIDENTS), key=uuid4().hex)
    try:
        done = redeem_points(stage.house, clerk, basket, now=stage.now)
        if done.state != "frozen":
            return str(done.state)
        if chance.random() < 0.3:
            return str(release_redemption(stage.house, clerk, done.redemption_id, now=stage.now).state)
        done = confirm_redemption(stage.house, clerk, done.redemption_id, now=stage.now)
        if done.state != "confirmed":
            return str(done.state)
        done = hand_over_goods(stage.house, clerk, done.redemption_id, now=stage.now)
        if chance.random() < 0.3:
            done = reverse_redemption(stage.house, stage.supervisor, done.redemption_id, now=stage.now)
        return str(done.state)
    except GatewayError as exc:
        return exc.code
