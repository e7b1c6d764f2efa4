"""From a town's push to the proof: with the rooms' own restaters, an item changed behind the gateway's back is named."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.config import Config
from gateway.flows.receive_contributions import receive_contributions
from gateway.flows.register_households import register_households
from gateway.flows.seal_log import seal_log
from gateway.flows.verify_log import VerifyReport, verify_log
from gateway.house import House
from tests.conftest import TestDatabase
from tests.plain_town import NOW, TOWN, invented_id_no, plain_house, push

LATER = NOW + timedelta(seconds=5)


@pytest.fixture
def house(database: TestDatabase, tmp_path: Path) -> House:
    key = tmp_path / "log.key"
    key.write_bytes(
        Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    key.chmod(0o600)
    built = plain_house(database, config=replace(Config(), log_key=key, log_verifiers=tmp_path / "log.vkeys"))
    ids = [invented_id_no(n) for n in range(1, 4)]
    families = [{"code": f"F{n}", "members": [{"id_no": id_no, "head": True}]} for n, id_no in enumerate(ids)]
    register_households(built, TOWN, "town-a", orjson.dumps(families), now=NOW)
    for number in range(2):
        items = [
            {"reference": f"T{number}-{n}", "code": f"F{n % 3}", "id_no": ids[n % 3], "points_centi": 100 + n}
            for n in range(40)
        ]
        receive_contributions(built, push(items, f"k{number}"), now=NOW)
    seal_log(built, now=NOW)
    return built


def _verify(house: House) -> VerifyReport:
    return verify_log(house, now=LATER)


def test_an_honest_day_verifies(house: House) -> None:
    report = _verify(house)
    assert report.ok, report.faults
    assert report.checked["records restated from rows"] == report.checked["records"] >= 5
    assert "contribution_batch" in report.kinds


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("update contribution set points_centi = 1 where reference = 'T1-17'", "item_no 17"),
        ("delete from contribution where reference = 'T1-17'", "item_no 17"),
        ("update contribution_batch set client_id = 'another'", "client_id"),
    ],
)
def test_a_changed_item_is_named(database: TestDatabase, house: House, statement: str, named: str) -> None:
    database.sql(f"set session_replication_role = replica; {statement}")
    report = _verify(house)
    assert not report.ok
    assert any(named in fault.value for fault in report.faults), report.faults


def test_a_changed_balance_is_named(database: TestDatabase, house: House) -> None:
    database.sql(
        "set session_replication_role = replica; update account set balance_centi = balance_centi + 1"
    )
    report = _verify(house)
    assert report.faults[0].code == "sum-differs"
    assert "account" in report.faults[0].value


def test_a_changed_month_sum_is_named(database: TestDatabase, house: House) -> None:
    database.sql("update month_sum set points_centi = points_centi + 1")
    assert {fault.code for fault in _verify(house).faults} == {"sum-differs"}
