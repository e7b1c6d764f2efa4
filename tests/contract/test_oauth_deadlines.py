"""Answers over REST that drip a byte at a time: each wait is short, and the exchange ends all the same."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.oauth_client import OAuthAccess
from certs import Development, ensure_development
from gateway.config import load_config
from schemas.errors import GatewayError, OutcomeUnknownError, UnavailableError
from tests.contract.scripted_service import ScriptedService, answering, dripping, running

pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
TOKEN = answering(b'{"access_token": "t", "token_type": "Bearer", "expires_in": 600}', "application/json")
DRIPS_FOR_S, WAITED_S = (
    10.0,
    5.0,
)  # scripted_service drips 200 bytes; a client without an end would wait for all of them


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Development:
    return ensure_development(load_config({"GATEWAY_STATE_DIR": str(tmp_path_factory.mktemp("certs"))}))


@pytest.fixture
def service(made: Development) -> Iterator[ScriptedService]:
    with running(made) as it:
        yield it


def access(made: Development, service: ScriptedService) -> OAuthAccess:
    return OAuthAccess(
        neighbour="lijiayuan",
        address=service.address.removesuffix("/service"),
        client_id="gateway",
        key_pem=Path(made.assertion("lijiayuan")[0]).read_text(),
        key_id="",
        token_path="/token",
        scope="",
        verify=str(made.ca_cert),
        client_cert=None,
        connect_timeout_s=0.3,
        answer_timeout_s=0.3,
    )


def ends_with(kind: type[GatewayError], call: Callable[[], Any]) -> GatewayError:
    """What the call raised, while the other side was still dripping."""
    found: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except Exception as exc:
            found.append(exc)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(WAITED_S)
    assert not thread.is_alive(), "the call waits as long as the other side drips"
    assert isinstance(found[0], kind), found
    return found[0]


def test_a_question_whose_answer_drips_ends(made: Development, service: ScriptedService) -> None:
    service.scripts.clear()
    service.scripts.extend([TOKEN, dripping(DRIPS_FOR_S / 200)])
    it = access(made, service)
    assert ends_with(UnavailableError, lambda: it.ask_by_post("/balance", {})).code == "neighbour-unreachable"


def test_an_act_whose_answer_drips_is_unknown(made: Development, service: ScriptedService) -> None:
    service.scripts.clear()
    service.scripts.extend([TOKEN, dripping(DRIPS_FOR_S / 200)])
    it = access(made, service)
    assert ends_with(OutcomeUnknownError, lambda: it.act("/freeze", {})).code == "neighbour-answer-lost"


def test_a_token_that_drips_ends_for_everybody_who_waits_for_it(
    made: Development, service: ScriptedService
) -> None:
    service.scripts.clear()
    service.scripts.append(dripping(DRIPS_FOR_S / 200))
    it = access(made, service)
    assert ends_with(UnavailableError, lambda: it.ask_by_post("/balance", {})).code == "neighbour-no-token"
