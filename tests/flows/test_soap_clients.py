"""Clients nobody here wrote push over the served WSDL and read the answers: zeep, Node's soap, PHP's SoapClient, at both doors.

Names carry characters that GBK lacks (𠮷, 䶮) and the middle dot. What came in is read back out of the sealed rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.db.embedded import Embedded
from gateway.flows.register_soap_client import register_soap_client
from gateway.subjects.identity import SEAL_PURPOSE
from schemas.crypto import Sealed
from schemas.oauth import SCOPES
from schemas.resident_id import check_character
from schemas.soap import SoapRegistration
from schemas.values import BEIJING, TownCode
from tests.conftest import TestDatabase
from tests.served import Served, scratch_database, served_gateway
from tests.soap_clients.running import command_of, run_client
from tests.soap_stage import PASSWORD, USERNAME, x5t
from tests.wuhe_stage import der_of

WUHE, PINGAN = TownCode("wuhe_zhonglian"), TownCode("pingan_gongfu")
CLIENTS = ("zeep", "node", "php")
RULE_BOOK = "2026"
NAMES = {"zeep": "𠮷田·买买提", "node": "䶮𠮷·艾力", "php": "㐂𠮷·古丽"}
IDS = {"zeep": "330199197803050024", "node": "330199198109110140", "php": "330199195901011011"}


@pytest.fixture(scope="module")
def database(postgres: Embedded) -> Iterator[TestDatabase]:
    with scratch_database(postgres) as made:
        yield made


@pytest.fixture(scope="module")
def served(database: TestDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served_gateway(database, tmp_path_factory.mktemp("clients")) as running:
        made, now = running.certificates, datetime.now(UTC)
        signing = SoapRegistration("wuhe", WUHE, tuple(SCOPES), (der_of(made.signing(WUHE)[0]),))
        register_soap_client(running.house, signing, now=now)
        connection = (x5t(made.client(PINGAN)[0]),)
        token = SoapRegistration("pingan", PINGAN, tuple(SCOPES), (), connection, USERNAME, PASSWORD)
        register_soap_client(running.house, token, now=now)
        yield running


def task(served: Served, town: TownCode, calls: list[Any]) -> dict[str, Any]:
    made, signs = served.certificates, town == WUHE
    cert, key = made.client(town)
    signing_cert, signing_key = made.signing(town)
    return {
        "wsdl": f"{served.url}/towns/{town}/soap?wsdl",
        "soap": "1.1" if signs else "1.2",
        "ca": str(made.ca_cert),
        "cert": None if signs else str(cert),
        "key": None if signs else str(key),
        "username": USERNAME,
        "password": PASSWORD,
        "signing_cert": str(signing_cert) if signs else None,
        "signing_key": str(signing_key) if signs else None,
        "our_cert": str(served.config.soap_cert),
        "calls": calls,
    }


def names_kept(served: Served, database: TestDatabase) -> str:
    """Every sealed person and push, opened: one text to look for names in."""
    found = []
    for key_id, box in database.sql("select key_id, sealed from person"):
        found.append(served.house.keys.open(Sealed(str(key_id), bytes(box)), SEAL_PURPOSE).decode())  # type: ignore[call-overload]
    return "\n".join(json.dumps(json.loads(text), ensure_ascii=False) for text in found)


def need(client: str) -> None:
    if command_of(client) is None:
        pytest.skip(f"{client} cannot be had here: .ci/run installs what it needs")


@pytest.mark.parametrize("client", CLIENTS)
def test_the_token_door(served: Served, database: TestDatabase, tmp_path: Path, client: str) -> None:
    need(client)
    name, id_no = NAMES[client], IDS[client]
    at = (datetime.now(BEIJING) - timedelta(hours=2)).strftime("%Y%m%d%H%M%S")
    consent = {"YT": "01", "TYSJ": "20260401090000", "WBBB": "v1", "PZH": "", "JHR": "0"}
    person = {"SFZH": id_no, "XM": name, "SJH": "", "TYLB": {"TY": [consent]}}
    item = {
        "LSH": f"H-{client}", "SFZH": id_no, "XM": name, "HDLX": "PAXF", "LX": "01", "JF": "2.5", "FSSJ": at, "YLSH": "",
    }  # fmt: skip
    push = ["JFTS", {"LSH": f"T-{client}", "HDLB": {"HD": [item]}}]
    calls = [
        ["RYDJ", {"LSH": f"D-{client}", "RYLB": {"RY": [person]}}],
        push,
        push,
        ["JFCX", {"LSH": f"T-{client}"}],
        ["JFCX", {"LSH": "never-sent"}],
    ]
    found = run_client(client, task(served, PINGAN, calls), tmp_path)
    registered, first, again, asked, unknown = found
    assert not [answer for answer in found if "fault" in answer]
    assert registered["FHM"] == "0000", registered
    assert first["FHM"] == "0000", first
    assert first["JGLB"]["JG"][0]["FHM"] == "0000", first
    assert again["PCH"] == asked["PCH"] == first["PCH"]
    assert again["HZ"] == asked["HZ"] == first["HZ"]
    assert unknown["FHM"] == "3001"
    assert name in names_kept(served, database)


@pytest.mark.parametrize("client", CLIENTS)
def test_the_signed_door(served: Served, database: TestDatabase, tmp_path: Path, client: str) -> None:
    need(client)
    name = NAMES[client] + "户"
    first_17 = f"33019919700101{CLIENTS.index(client):03d}"
    id_no = first_17 + check_character(first_17)
    now = datetime.now(BEIJING)
    quarter = (now.replace(day=1) - timedelta(days=92)).replace(day=1)
    member = {
        "IdNo": id_no, "Name": name, "Head": True,
        "Consent": [{"Purpose": "LoanMapping", "GivenAt": "2026-01-05T09:00:00+08:00", "TextVersion": "v1"}],
    }  # fmt: skip
    household = {
        "HouseholdCode": f"H-{client}",
        "Village": f"试村{client}",
        "MemberSince": "2025-01-01",
        "Member": [member],
    }
    board = {
        "ListNo": f"L-{client}",
        "Village": f"试村{client}",
        "Quarter": f"{quarter.year}Q{(quarter.month + 2) // 3}",
        "RuleBookVersion": RULE_BOOK,
        "PostedAt": (now - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S+08:00"),
        "Households": {
            "Household": [
                {
                    "HouseholdCode": f"H-{client}",
                    "PostedScore": "7.5",
                    "Line": [{"ItemCode": "G01", "Points": "7.5"}],
                }
            ]
        },
    }
    calls = [
        ["RegisterHouseholds", {"Household": [household]}],
        ["SubmitScoreboard", board],
        ["SubmitScoreboard", board],
        ["GetReceipt", {"ListNo": f"L-{client}"}],
        ["GetReceipt", {"ListNo": "never-sent"}],
    ]
    found = run_client(client, task(served, WUHE, calls), tmp_path)
    registered, first, again, asked, unknown = found
    assert not [answer for answer in found[:4] if "fault" in answer]
    assert "accepted" in json.dumps(registered), registered
    assert "accepted" in json.dumps(first["Results"]), first
    assert again["BatchId"] == asked["BatchId"] == first["BatchId"]
    assert again["Receipt"] == asked["Receipt"] == first["Receipt"]
    assert "fault" in unknown
    assert name in names_kept(served, database)
