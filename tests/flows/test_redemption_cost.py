"""What a redemption costs PostgreSQL: round trips and transactions, and that a longer basket costs no more of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import psycopg2.extensions
import pytest

from gateway.db import session
from gateway.flows.confirm_redemption import confirm_redemption
from gateway.flows.hand_over_goods import hand_over_goods
from gateway.flows.redeem_points import redeem_points
from tests.conftest import TestDatabase
from tests.redemption_stage import FIRST, Stage, Towns, build_stage, running_towns

pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
MOST_ROUND_TRIPS = 28  # of them 10 for BEGIN and COMMIT of five transactions


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Towns]:
    with running_towns(tmp_path_factory.mktemp("towns")) as running:
        yield running


@pytest.fixture
def stage(database: TestDatabase, towns: Towns) -> Stage:
    return build_stage(database, towns)


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Round trips as psycopg2 makes them: BEGIN before the first statement, each execute, COMMIT."""
    counted: Counter[str] = Counter()
    plain_cursor, plain_commit = session._Connection.cursor, session._commit

    def cursor(self: Any, *args: Any, **kwargs: Any) -> Any:
        factory = kwargs.get("cursor_factory") or psycopg2.extensions.cursor

        def execute(cur: Any, *given: Any) -> Any:
            counted["round trips"] += 1
            return factory.execute(cur, *given)

        counting = type("Counting", (factory,), {"execute": execute})
        return plain_cursor(self, *args, **{**kwargs, "cursor_factory": counting})

    def commit(connection: Any) -> None:
        counted["transactions"] += 1
        counted["round trips"] += 2
        plain_commit(connection)

    monkeypatch.setattr(session._Connection, "cursor", cursor)
    monkeypatch.setattr(session, "_commit", commit)
    return counted


def _sell(stage: Stage, counts: Counter[str], *lines: tuple[str, Any, int]) -> tuple[int, int]:
    basket = stage.basket(*lines)
    counts.clear()
    done = redeem_points(stage.house, stage.clerk, basket, now=stage.now)
    confirm_redemption(stage.house, stage.clerk, done.redemption_id, now=stage.now)
    assert hand_over_goods(stage.house, stage.clerk, done.redemption_id, now=stage.now).state == "handed_over"
    return counts["round trips"], counts["transactions"]


def test_a_redemption_costs_few_round_trips_however_long_its_basket(
    stage: Stage, counts: Counter[str]
) -> None:
    _sell(stage, counts, ("PAN", FIRST, 1))  # statements are prepared once a connection
    round_trips, transactions = _sell(stage, counts, ("PAN", FIRST, 1))
    assert transactions == 5
    assert round_trips <= MOST_ROUND_TRIPS
    longer, _ = _sell(stage, counts, ("PAN", FIRST, 1), ("RICE", FIRST, 2), ("RICE", FIRST, 1))
    assert longer == round_trips
