"""A town ends a freeze before we do and says so by an event: the redemption ends here too, and nobody loses anything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway import feeds
from gateway.flows.confirm_redemption import confirm_redemption
from gateway.flows.end_overdue_holds import end_overdue_holds
from gateway.flows.redeem_points import redeem_points
from schemas.errors import ConflictError
from tests.conftest import TestDatabase
from tests.redemption_stage import FIRST, SECOND, Stage, Towns, broken_invariants, build_stage, running_towns

pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Towns]:
    with running_towns(tmp_path_factory.mktemp("towns")) as running:
        yield running


def _hear(stage: Stage, serial: str) -> None:
    """What `receive_event` keeps of a `freeze.expired`."""
    with stage.house.db.transaction() as tx:
        feeds.insert_event(tx, FIRST, serial, b"d" * 32, "freeze_ended", serial, now=stage.now)


def test_what_a_town_ended_ends_here(database: TestDatabase, towns: Towns) -> None:
    stage = build_stage(database, towns)
    basket = stage.basket(("PAN", FIRST, 1), ("RICE", SECOND, 2))
    redemption = redeem_points(stage.house, stage.clerk, basket, now=stage.now)
    assert redemption.state == "frozen"
    serial = next(leg.serial for leg in redemption.legs if leg.town == FIRST)
    town = towns.by_code[FIRST]
    town.calls.post(f"{town.address}/_expire/{serial}", timeout=5).raise_for_status()
    _hear(stage, serial)
    assert sum(end_overdue_holds(stage.house, now=stage.later(1)).values()) == 1
    assert end_overdue_holds(stage.house, now=stage.later(1)) == {}, "heard twice is ended once"
    stage.settle()
    assert stage.states() == ["released"], "both towns: all or nothing"
    assert broken_invariants(stage) == []
    with pytest.raises(ConflictError):
        confirm_redemption(stage.house, stage.clerk, redemption.redemption_id, now=stage.now)


def test_a_town_that_speaks_of_what_we_never_froze_changes_nothing(
    database: TestDatabase, towns: Towns
) -> None:
    stage = build_stage(database, towns)
    redeem_points(stage.house, stage.clerk, stage.basket(("PAN", FIRST, 1)), now=stage.now)
    _hear(stage, "F20261124NOBODY")
    assert end_overdue_holds(stage.house, now=stage.later(1)) == {}
    assert stage.states() == ["frozen"]
