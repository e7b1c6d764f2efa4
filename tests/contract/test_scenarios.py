"""Every town against every scenario of the kit. A town joins by `adapters/<town>/check.py` and its recorded bytes.

The same list is run by `gateway town check` against a vendor's own endpoint. A declared lack is skipped with that reason,
and nothing else is skipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from adapters import registry
from adapters.kit.reading import as_words
from adapters.kit.running import LACKING, PASSED, run_one, scenarios
from adapters.kit.scenario import Scenario
from adapters.kit.subject import Calling, Reading
from certs import ensure_development
from gateway.config import load_config
from schemas.values import TownCode
from tests.contract.simulated import calling_of, simulated

RECORDED = Path(__file__).parent / "recorded"
JOINED = [town for town in registry.TOWNS if registry.find_check(town) is not None]

pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@cache
def reading_of(town: TownCode) -> Reading:
    """A town's reader with what was recorded of it."""
    joined = registry.find_check(town)
    assert joined is not None

    def recorded(stem: str) -> bytes | None:
        found = [path for path in sorted((RECORDED / town).glob(f"{stem}.*")) if "golden" not in path.name]
        return found[0].read_bytes() if found else None

    golden = RECORDED / town / "push.golden.json"
    return Reading(
        joined,
        registry.TOWNS[town].create_reader(),
        recorded("push") or b"",
        recorded("households"),
        recorded("withdrawals"),
        json.loads(golden.read_text("utf-8")) if golden.exists() else None,
    )


@pytest.fixture(scope="module")
def callings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Calling]]:
    """Each town's simulator, started when the first scenario of the town asks."""
    from contextlib import ExitStack

    elsewhere = ensure_development(load_config({"GATEWAY_STATE_DIR": str(tmp_path_factory.mktemp("other"))}))

    class Started(dict[str, Calling]):
        def __missing__(self, town: str) -> Calling:
            joined = registry.find_check(town)
            assert joined is not None
            running = stack.enter_context(simulated(town, tmp_path_factory.mktemp(town)))
            self[town] = made = calling_of(joined, running, elsewhere.ca_cert)
            return made

    with ExitStack() as stack:
        yield Started()


@pytest.mark.parametrize("one", scenarios("read"), ids=lambda one: one.id)
@pytest.mark.parametrize("town", JOINED)
def test_their_words_are_read(town: TownCode, one: Scenario) -> None:
    subject = reading_of(town)
    outcome = run_one(one, subject, subject.reader.capabilities)
    if outcome.outcome == LACKING:
        pytest.skip(outcome.reason_en)
    assert outcome.outcome == PASSED, outcome.reason_en


@pytest.mark.parametrize("one", scenarios("call"), ids=lambda one: one.id)
@pytest.mark.parametrize("town", JOINED)
def test_their_platform_is_called(town: TownCode, one: Scenario, callings: dict[str, Calling]) -> None:
    subject = callings[town]
    outcome = run_one(one, subject, subject.capabilities)
    subject.faults.calm()
    if outcome.outcome == LACKING:
        pytest.skip(outcome.reason_en)
    assert outcome.outcome == PASSED, outcome.reason_en


@pytest.mark.parametrize("town", JOINED)
def test_a_town_brings_what_the_suite_needs(town: TownCode) -> None:
    """Golden words are what was meant when the bytes were recorded: without them the first scenario would compare nothing."""
    subject = reading_of(town)
    assert subject.golden
    assert (RECORDED / town / "PROVENANCE.md").exists()
    assert subject.push
    if subject.reader.capabilities.pushes:
        assert subject.households
        assert subject.withdrawals
    assert all("occurred_at" in said for said in subject.golden)
    assert as_words(subject.reader.read_push(subject.push, {}).items[0]) == subject.golden[0]
