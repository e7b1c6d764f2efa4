"""The sandbox's 南阳young: residents link by the real pages, their year arrives, and the simulator remembers over a restart."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from adapters.nanyang_young.simulator import create_simulator, invent_town
from adapters.simulating import SimulatorPlace
from certs.assertion import public_jwks
from certs.files import key_pem, new_ec_key, write_private, write_public
from gateway.db.embedded import Embedded
from gateway.flows.pull_changes import pull_changes
from gateway.flows.pull_history import pull_history
from gateway.sandbox.linking import link_residents, open_town, say_changed
from tests.conftest import TestDatabase
from tests.nanyang_stage import Stage, served_with_nanyang
from tests.served import scratch_database

TODAY = date(2026, 11, 24)


@pytest.fixture(scope="module")
def database(postgres: Embedded) -> Iterator[TestDatabase]:
    with scratch_database(postgres) as made:
        yield made


@pytest.fixture(scope="module")
def stage(database: TestDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with served_with_nanyang(database, tmp_path_factory.mktemp("sandbox")) as running:
        yield running


def test_the_same_seed_makes_the_same_town() -> None:
    known = [{"id_no": "330199197803050024", "name": "测试甲"}]
    town = invent_town(1, TODAY, members=5, known=known)
    assert town == invent_town(1, TODAY, members=5, known=known)
    assert town.members[0]["id_no"] == known[0]["id_no"]
    assert {change["openid"] for change in town.changes} <= {member["openid"] for member in town.members}


def test_residents_link_and_their_year_arrives(stage: Stage, database: TestDatabase) -> None:
    house, ca = stage.served.house, stage.served.certificates.ca_cert
    town = open_town(stage.town.address, ca, TODAY, members=10)
    assert say_changed(stage.served.url, stage.town.config.hook_secrets[0], ca) == 204
    assert pull_changes(house, now=house.clock())["rejected"] == len(town.changes), "nobody agreed yet"
    assert link_residents(house, town, ca) == {"linked": 10}
    found = pull_history(house, now=house.clock())
    assert (found["accepted"], found["residents"]) == (len(town.changes), 10)
    assert link_residents(house, town, ca) == {"stood": 10}
    rows = database.sql(
        "select purpose, count(*) from consent where withdrawn_at is null group by 1 order by 1"
    )
    assert rows == [("loan_mapping", 8), ("redemption", 10)]
    assert open_town(stage.town.address, ca, TODAY, members=10).changes == town.changes


def test_the_simulator_remembers_over_a_restart(tmp_path: Path) -> None:
    place = SimulatorPlace("nanyang_young", "https://localhost:1", tmp_path / "books", tmp_path)
    write_private(place.caller_key, key_pem(new_ec_key()))
    write_public(place.caller_jwks, b"%s" % str(public_jwks([place.caller_key])).replace("'", '"').encode())
    first = create_simulator(place)
    town = invent_town(1, TODAY, members=3)
    client = first.app.test_client()
    client.post("/_accounts", json=town.members)
    client.post("/_changes", json={"changes": town.changes, "hide": [1]})
    first.before_end()
    again = create_simulator(place).app.test_client()
    assert again.get("/_state").get_json()["changes"] == len(town.changes)
    assert again.get("/_state").get_json()["hidden"] == [2]
    assert again.get("/_state").get_json()["balances"] == client.get("/_state").get_json()["balances"]
