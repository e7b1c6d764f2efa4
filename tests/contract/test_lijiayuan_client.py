"""Calls to 沥家园: each failure of the town means exactly one kind of error of ours."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from adapters.lijiayuan import create_client
from adapters.lijiayuan.client import LijiayuanClient
from schemas.boundary import NeighbourCalledInTransactionError, transaction_open
from schemas.errors import ConflictError, NotFoundError, OutcomeUnknownError, RefusedError, UnavailableError
from schemas.values import Serial, beijing_date
from tests.contract.simulated_town import SimulatedTown, running_town

pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedTown]:
    with running_town(tmp_path_factory.mktemp("town")) as running:
        yield running


@pytest.fixture
def client(town: SimulatedTown) -> Iterator[LijiayuanClient]:
    yield create_client(town.config)
    town.calls.delete(f"{town.address}/_faults", timeout=5)


def serial(name: str) -> Serial:
    return Serial(f"T20261123{name:>08}")


def test_freeze_confirm_and_find(client: LijiayuanClient) -> None:
    before = client.balance("GL000001")
    frozen = client.freeze(serial("1"), "GL000001", 250, "tea")
    assert (frozen.state, frozen.points_centi) == ("frozen", 250)
    assert client.balance("GL000001") == before - 250
    assert client.confirm(serial("1")).state == "confirmed"
    found = client.find(serial("1"))
    assert found is not None
    assert found.state == "confirmed"
    assert client.find(serial("never")) is None


def test_twice_is_once(client: LijiayuanClient, town: SimulatedTown) -> None:
    first = client.freeze(serial("2"), "GL000001", 100, "tea")
    acted = town.state()["acted"]
    assert client.freeze(serial("2"), "GL000001", 100, "tea") == first
    assert client.release(serial("2")) == client.release(serial("2"))
    assert town.state()["acted"] == acted + 1


def test_refusals_are_told_apart(client: LijiayuanClient) -> None:
    with pytest.raises(RefusedError) as refused:
        client.freeze(serial("3"), "GL000002", 100, "tea")
    assert refused.value.code == "notEnoughPoints"
    with pytest.raises(NotFoundError) as unknown:
        client.freeze(serial("4"), "GL999999", 100, "tea")
    assert unknown.value.code == "accountUnknown"
    with pytest.raises(NotFoundError):
        client.confirm(serial("never"))
    client.freeze(serial("5"), "GL000001", 100, "tea")
    with pytest.raises(ConflictError):
        client.freeze(serial("5"), "GL000001", 200, "tea")
    client.confirm(serial("5"))
    with pytest.raises(ConflictError):
        client.release(serial("5"))


@pytest.mark.parametrize("fault", ["slow", "drop", "garbage"])
def test_a_lost_answer_is_unknown_and_finding_tells(
    fault: str, client: LijiayuanClient, town: SimulatedTown
) -> None:
    town.arm(fault, "freeze", seconds=2)
    with pytest.raises(OutcomeUnknownError):
        client.freeze(serial(fault), "GL000001", 100, "tea")
    found = client.find(serial(fault))
    assert found is not None
    assert found.state == "frozen"


@pytest.mark.parametrize("fault", ["slow", "drop", "garbage", "busy"])
def test_a_question_without_answer_changed_nothing(
    fault: str, client: LijiayuanClient, town: SimulatedTown
) -> None:
    town.arm(fault, "balance", seconds=2)
    with pytest.raises(UnavailableError):
        client.balance("GL000001")


def test_busy_means_nothing_happened(client: LijiayuanClient, town: SimulatedTown) -> None:
    town.arm("busy", "freeze")
    with pytest.raises(UnavailableError) as busy:
        client.freeze(serial("6"), "GL000001", 100, "tea")
    assert busy.value.retry_after_s == 2
    assert client.find(serial("6")) is None


def test_refused_on_demand(client: LijiayuanClient, town: SimulatedTown) -> None:
    town.arm("refuse", "freeze")
    with pytest.raises(RefusedError):
        client.freeze(serial("7"), "GL000001", 100, "tea")


def test_nobody_listening_means_nothing_happened(town: SimulatedTown) -> None:
    away = create_client(dataclasses.replace(town.config, address="https://127.0.0.1:9"))
    with pytest.raises(UnavailableError):
        away.freeze(serial("8"), "GL000001", 100, "tea")


def test_a_certificate_of_another_authority_is_not_talked_to(town: SimulatedTown) -> None:
    with pytest.raises(UnavailableError):
        create_client(dataclasses.replace(town.config, ca_file=None)).balance("GL000001")


def test_a_stranger_gets_no_token(town: SimulatedTown) -> None:
    with pytest.raises(UnavailableError) as refused:
        create_client(dataclasses.replace(town.config, client_id="stranger")).balance("GL000001")
    assert refused.value.code == "neighbour-no-token"


def test_threads_share_one_token(town: SimulatedTown) -> None:
    client = create_client(town.config)
    before = town.state()["calls"].get("token", 0)
    with ThreadPoolExecutor(8) as pool:
        balances = list(pool.map(lambda _: client.balance("GL000002"), range(32)))
    assert balances == [0] * 32
    assert town.state()["calls"]["token"] == before + 1


def test_a_token_is_renewed_before_it_ends(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running_town(tmp_path_factory.mktemp("short"), token_lives_s=1) as town:
        client = create_client(town.config)
        for _ in range(4):
            client.balance("GL000001")
            threading_wait()
        assert town.state()["calls"]["token"] >= 3


def threading_wait() -> None:
    """Longer than half the life of a one-second token."""
    import time

    time.sleep(0.6)


@pytest.mark.parametrize("fault", [None, "repeat", "reorder"])
def test_the_statement_lists_the_day(fault: str | None, client: LijiayuanClient, town: SimulatedTown) -> None:
    client.freeze(serial("9"), "GL000001", 100, "tea")
    client.freeze(serial("10"), "GL000001", 100, "tea")
    if fault:
        town.arm(fault, "statement")
    lines = list(client.day_statement(beijing_date(datetime.now(UTC))))
    assert {serial("9"), serial("10")} <= {line.reference for line in lines}
    assert list(client.day_statement(datetime(2020, 1, 1, tzinfo=UTC).date())) == []


def test_no_call_inside_a_transaction(client: LijiayuanClient) -> None:
    with transaction_open(), pytest.raises(NeighbourCalledInTransactionError):
        client.balance("GL000001")
