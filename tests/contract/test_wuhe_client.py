"""Calls to 五和众联 beyond the common suite: whose signature counts, codes nobody knows, statements page by page."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
import requests

from adapters.wuhe_zhonglian import create_client
from adapters.wuhe_zhonglian.client import WuheClient
from adapters.wuhe_zhonglian.simulator.envelopes import Signing, envelope_of
from adapters.wuhe_zhonglian.simulator.posting import Correction, Posted, PostedList
from schemas.errors import GatewayError, InvalidError, OutcomeUnknownError, UnavailableError
from schemas.ports import StatementLine
from schemas.values import Serial
from tests.contract.simulated import SimulatedNeighbour, simulated

POSTED_AT = datetime(2026, 10, 8, 1, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedNeighbour]:
    with simulated("wuhe_zhonglian", tmp_path_factory.mktemp("wuhe")) as running:
        running.open_accounts({"HS000001": 100_000, "HS000002": -350})
        yield running


@pytest.fixture
def client(town: SimulatedNeighbour) -> Iterator[WuheClient]:
    yield create_client(town.settings())
    town.calm()


def serial(name: str) -> Serial:
    return Serial(f"W20261124{name:>08}")


@pytest.mark.parametrize("fault", ["forged", "failed", "garbage", "drop"])
def test_an_answer_that_may_not_be_believed_leaves_the_outcome_unknown(
    town: SimulatedNeighbour, client: WuheClient, fault: str
) -> None:
    town.arm(fault, "freeze")
    with pytest.raises(OutcomeUnknownError):
        client.freeze(serial(fault), "HS000001", 100, "tea")
    found = client.find(serial(fault))
    assert found is not None
    assert found.state == "frozen"
    town.arm(fault, "balance")
    with pytest.raises(UnavailableError):
        client.balance("HS000001")


def test_busy_did_nothing(town: SimulatedNeighbour, client: WuheClient) -> None:
    town.arm("busy", "freeze")
    with pytest.raises(UnavailableError):
        client.freeze(serial("busy"), "HS000001", 100, "tea")
    assert client.find(serial("busy")) is None


def test_a_balance_below_zero_is_told(client: WuheClient) -> None:
    assert client.balance("HS000002") == -350


def test_an_answer_signed_with_our_own_certificate_is_nobodys(town: SimulatedNeighbour) -> None:
    """zeep verifies with the client's own certificate (zeep #822): here that certificate is worth nothing."""
    settings = town.settings()
    ours = dataclasses.replace(settings, answers_from=settings.signing_cert)
    with pytest.raises(GatewayError) as caught:
        create_client(ours).balance("HS000001")
    assert isinstance(caught.value, UnavailableError)
    assert caught.value.code == "certificate-unknown"


def test_without_the_towns_certificates_there_is_no_client(town: SimulatedNeighbour) -> None:
    with pytest.raises(InvalidError) as caught:
        create_client(dataclasses.replace(town.settings(), answers_from=town.place.certs / "none.crt"))
    assert caught.value.code == "neighbour-settings"


def test_the_town_takes_nothing_that_is_not_signed_as_it_must_be(town: SimulatedNeighbour) -> None:
    from lxml import etree  # type: ignore[import-untyped]

    content = etree.fromstring(
        '<QueryFreeze xmlns="urn:wuhe-zhonglian:platform:1"><Serial>S1</Serial></QueryFreeze>'
    )
    strange = town.certificates.simulator("wuhe_zhonglian")
    message = envelope_of(content, Signing(strange[1], strange[0], ()))
    for body in (message, message.replace(b"S1", b"S2"), b"<x/>", b""):
        answer = requests.post(
            f"{town.place.address}/services/points",
            data=body,
            verify=str(town.certificates.ca_cert),
            timeout=5,
        )
        assert answer.status_code == 500
        assert b"InvalidSecurity" in answer.content


def test_the_statement_tells_lists_and_corrections_page_by_page(
    town: SimulatedNeighbour, client: WuheClient
) -> None:
    posted = Posted()
    households = {f"HS{n:06d}": {"G01": 100 + n, "D01": 50} for n in range(60)}
    lines = posted.post(PostedList("L1", "示例村", "2026Q3", "2026", POSTED_AT, households))
    lines += posted.correct(
        Correction("C1", "Y1", "L1", "示例村", "2026Q3", "HS000007", "D01", 50, 0, POSTED_AT.replace(day=20))
    )
    town.calls.post(f"{town.place.address}/_sent", json=lines, timeout=5).raise_for_status()
    quarter = list(client.day_statement(date(2026, 9, 30)))
    assert len(quarter) == 120
    assert StatementLine("2026Q3/HS000007/G01/list:L1", "award", "HS000007", 107, "posted") in quarter
    day = list(client.day_statement(date(2026, 10, 8)))
    assert {line.kind for line in day} == {"posted_score"}
    assert len(day) == 60
    corrected = sorted(client.day_statement(date(2026, 10, 20)), key=lambda line: line.reference)
    assert corrected == [
        StatementLine("2026Q3/HS000007/D01/correction:C1/back", "reversal", "HS000007", 50, "posted"),
        StatementLine("2026Q3/HS000007/score/correction:C1", "posted_score", "HS000007", 107, "posted"),
    ]
    assert list(client.day_statement(date(2026, 10, 9))) == []
