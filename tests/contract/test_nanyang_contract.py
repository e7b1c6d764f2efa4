"""南阳young: contract files, pages of the feed, events, and what its simulator does that the kit does not ask."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from importlib.resources import files

import orjson
import pytest
import yaml
from openapi_spec_validator import validate

from adapters import nanyang_young
from adapters.contract_schemas import component_schemas
from adapters.nanyang_young import create_reader, wire
from adapters.nanyang_young.mapping import CATEGORIES, KINDS, read_page
from schemas.errors import ForbiddenError, InvalidError, UnavailableError
from schemas.feeds import HookEvent
from schemas.values import beijing_date
from tests.nanyang_stage import SimulatedNanyang, change, openid, running_nanyang
from tests.plain_town import NOW

READER = create_reader()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedNanyang]:
    with running_nanyang(tmp_path_factory.mktemp("nanyang")) as running:
        yield running


def page(**changes: object) -> bytes:
    return orjson.dumps({"changes": [], "next_cursor": "c1", "has_more": False, "oldest_seq": 1, **changes})


@pytest.mark.parametrize("name", ["openapi.yaml", "town_openapi.yaml"])
def test_the_contracts_are_openapi_and_say_what_the_wire_takes(name: str) -> None:
    contract = yaml.safe_load((files("adapters.nanyang_young") / "contract" / name).read_text("utf-8"))
    validate(contract)
    schema = wire.Event() if name == "openapi.yaml" else wire.Change()
    for component, said in component_schemas((schema,), "NanyangYoung").items():
        assert contract["components"]["schemas"][component] == said


def test_every_word_of_theirs_has_one_of_ours() -> None:
    assert set(KINDS) == set(wire.KINDS)
    assert len(CATEGORIES) >= 20


def test_a_page_says_its_numbers() -> None:
    body = page(changes=[{**change(n), "seq": n} for n in (3, 1, 3)], void=[[5, 6]], has_more=True)
    found = read_page(body)
    assert (found.seqs, found.void, found.item_count, found.has_more) == ((3, 1, 3), ((5, 7),), 3, True)


@pytest.mark.parametrize(
    "changes",
    [
        {"next_cursor": ""},
        {"next_cursor": 1},
        {"has_more": "no"},
        {"oldest_seq": 0},
        {"void": [[6, 5]]},
        {"void": [5]},
        {"void": [[0, 1]]},
        {"changes": {}},
        {"changes": [{}] * 501},
        {"surprise": 1},
    ],
    ids=str,
)
def test_a_page_that_cannot_be_followed_is_refused_whole(changes: dict[str, object]) -> None:
    with pytest.raises(InvalidError):
        read_page(page(**changes))


def test_an_event_says_only_that_something_changed() -> None:
    assert READER.read_event(b'{"type":"changes.available","occurred_at":1793500200000}') == HookEvent(
        "changes"
    )
    for body in (b"{}", b'{"type":"changes.available"}', b'{"type":"x","occurred_at":1793500200000}', b"[]"):
        with pytest.raises(InvalidError):
            READER.read_event(body)


def test_history_is_given_while_the_grant_stands(town: SimulatedNanyang) -> None:
    feed = nanyang_young.create_feed(town.config)
    with pytest.raises(ForbiddenError):
        feed.fetch_history(openid(1), "")
    town.books.member(openid(1)).granted = True
    town.post("/_changes", {"changes": [change(1), change(2, 2), change(3)]})
    found = feed.fetch_history(openid(1), "")
    assert [item["change_id"] for item in json.loads(found.body)["changes"]] == [
        "ny_0000000001",
        "ny_0000000003",
    ]


def test_the_statement_lists_changes_and_what_was_done_under_our_serials(town: SimulatedNanyang) -> None:
    client = nanyang_young.create_client(town.config)
    town.books.member(openid(1)).granted = True
    town.post("/_changes", {"changes": [*(change(n) for n in range(500, 750)), change(750, 3)]})
    lines = list(client.day_statement(beijing_date(NOW - timedelta(hours=2))))
    assert len([line for line in lines if line.kind == "award"]) >= 250
    assert {line.state for line in lines} == {"posted"}
    assert lines[-1].points_centi == 250
    assert openid(3) not in {line.account for line in lines}, "who did not agree is not in it"


def test_a_token_that_ended_is_got_anew(town: SimulatedNanyang) -> None:
    feed = nanyang_young.create_feed(town.config)
    feed.fetch_changes("")
    town.authority.tokens.clear()
    with pytest.raises(UnavailableError) as caught:
        feed.fetch_changes("")
    assert caught.value.code == "neighbour-token-refused"
    assert feed.fetch_changes("").item_count > 0
