"""平安共富积分 over the real door: SOAP 1.2 in GB18030, UsernameToken over mutual TLS, sent by the simulated town's client."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import zeep
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from zeep.wsse.username import UsernameToken

from adapters.pingan_gongfu.simulator import (
    DoorAccess,
    Pusher,
    Town,
    invent_town,
    results_of,
)
from adapters.pingan_gongfu.simulator.pusher import NAMESPACE, DoorRefusedError
from adapters.pingan_gongfu.simulator.speech import element, envelope, username_token
from gateway import subjects
from gateway.db.embedded import Embedded
from gateway.flows.register_soap_client import register_soap_client
from gateway.flows.verify_log import verify_log
from schemas.resident_id import check_character
from schemas.soap import SoapRegistration
from schemas.values import TownCode
from tests.conftest import TestDatabase
from tests.served import ALL_SCOPES, Served, scratch_database, served_gateway

pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)

TOWN = TownCode("pingan_gongfu")
USERNAME, PASSWORD = "pingan-platform", "an invented secret of many characters"
NOW = datetime.now(UTC)
STRANGER = "33019919800517099" + check_character("33019919800517099")


@dataclass
class Stage:
    """The served gateway with the town's client on its list."""

    served: Served
    database: TestDatabase

    @property
    def url(self) -> str:
        return f"{self.served.url}/towns/{TOWN}/soap"

    def access(self, **changes: Any) -> DoorAccess:
        made = self.served.certificates
        cert, key = made.client(TOWN)
        return replace(DoorAccess(self.url, USERNAME, PASSWORD, cert, key, made.ca_cert), **changes)

    def pusher(self, **changes: Any) -> Pusher:
        return Pusher(self.access(**changes))

    def post(
        self, body: bytes, content_type: str = "application/soap+xml; charset=GB18030"
    ) -> requests.Response:
        access = self.access()
        with requests.Session() as session:
            session.trust_env = False
            return session.post(
                self.url, data=body, headers={"Content-Type": content_type}, timeout=30, verify=str(access.ca_file),
                cert=(str(access.client_cert), str(access.client_key)),
            )  # fmt: skip

    def stored(self) -> tuple[int, ...]:
        tables = ("contribution", "contribution_batch", "person", "consent", "quarantined_item")
        return tuple(int(str(self.database.sql(f"select count(*) from {table}")[0][0])) for table in tables)


def _x5t(path: Path) -> str:
    der = x509.load_pem_x509_certificate(path.read_bytes()).public_bytes(Encoding.DER)
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def stage(postgres: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with (
        scratch_database(postgres) as database,
        served_gateway(database, tmp_path_factory.mktemp("pingan")) as served,
    ):
        listed = (_x5t(served.certificates.client(TOWN)[0]),)
        scopes = tuple(ALL_SCOPES.split())
        asked = SoapRegistration("pingan", TOWN, scopes, (), listed, USERNAME, PASSWORD)
        register_soap_client(served.house, asked, now=NOW)
        yield Stage(served, database)


@pytest.fixture(scope="module")
def town(stage: Stage) -> Town:
    """Forty invented persons, those with a consent registered."""
    made = invent_town(5, 40, NOW.date(), days=40)
    assert set(stage.pusher().register(made.registrations())) == {"0000"}
    return made


def someone(town: Town) -> str:
    return str(town.registrations()[0]["SFZH"])


def item(who: str, serial: str, **changes: str) -> dict[str, str]:
    at = (NOW - timedelta(hours=1) + timedelta(hours=8)).strftime("%Y%m%d%H%M%S")
    said = {
        "LSH": serial,
        "SFZH": who,
        "XM": "测试𠮷",
        "HDLX": "PAXF",
        "LX": "01",
        "JF": "2.50",
        "FSSJ": at,
        "YLSH": "",
    }
    return {**said, **changes}


def test_a_month_goes_through_and_the_books_agree(stage: Stage, town: Town) -> None:
    pushed = stage.pusher().push_all(town.items, label="month")
    assert dict(pushed.counts) == {"0000": len(town.items)}
    assert all(receipt.count(".") == 2 for receipt in pushed.receipts.values())
    again = stage.pusher().push_all(town.items, label="month")
    assert again.receipts == pushed.receipts
    anew = stage.pusher().push_all(town.items, label="anew")
    assert dict(anew.counts) == {"1001": len(town.items)}
    spendable = stage.database.sql(
        "select sum(balance_centi) from account where town = 'pingan_gongfu' and kind in ('available', 'owed')"
    )
    asked = {p["SFZH"] for p in town.registrations()}
    assert spendable == [(sum(person.balance for person in town.persons if person.id_no in asked),)]


def test_names_arrive_character_by_character(stage: Stage, town: Town) -> None:
    rare = {p["SFZH"]: p["XM"] for p in town.registrations() if any(ord(c) > 0xFFFF for c in p["XM"])}
    assert rare
    house = stage.served.house
    with house.db.transaction(read_only=True) as tx:
        for id_no, name in rare.items():
            person = subjects.find_person(tx, house.keys, id_no)
            assert person is not None
            assert subjects.get_identity(tx, house.keys, person).name == name


def test_the_same_serial_is_the_same_answer_and_it_can_be_asked_for(stage: Stage, town: Town) -> None:
    pusher = stage.pusher()
    first = pusher.push([item(someone(town), "S1")], serial="ONCE-1")
    assert first["FHM"] == "0000"
    assert pusher.push([item(someone(town), "S1")], serial="ONCE-1") == first
    asked = pusher.ask("ONCE-1")
    assert (asked["PCH"], asked["HZ"], results_of(asked)) == (first["PCH"], first["HZ"], results_of(first))
    with pytest.raises(DoorRefusedError, match="1002 idempotency-key-reused"):
        pusher.push([item(someone(town), "S1", JF="9")], serial="ONCE-1")
    with pytest.raises(DoorRefusedError, match="3001"):
        pusher.ask("NEVER-SENT")


def test_each_item_is_answered_as_what_it_is(stage: Stage, town: Town) -> None:
    who = someone(town)
    answer = stage.pusher().push(
        [
            item(who, "M1"), item(who, "M1"), item(who, "M1", JF="3"), item(who, "M2", HDLX="WRJF"), item(STRANGER, "M3"),
            item(who[:-1] + ("0" if who[-1] != "0" else "1"), "M4"), item(who, "M5", FSSJ="20260230000000"), item(who, "M6"),
        ],
        serial="MIXED-1",
    )  # fmt: skip
    said = [(r["XH"], r["FHM"], r["YYM"], r["WZ"]) for r in results_of(answer)]
    assert said == [
        ("1", "0000", "", ""),
        ("2", "1001", "", ""),
        ("3", "1002", "reference-conflict", "/JFTS/HDLB/HD[3]"),
        ("4", "4001", "unknown-activity", "/JFTS/HDLB/HD[4]"),
        ("5", "4002", "no-consent", "/JFTS/HDLB/HD[5]"),
        ("6", "4002", "id-checksum", "/JFTS/HDLB/HD[6]/SFZH"),
        ("7", "4002", "time-unreal", "/JFTS/HDLB/HD[7]/FSSJ"),
        ("8", "0000", "", ""),
    ]
    assert not any(STRANGER in str(r) or who in str(r) for r in results_of(answer))


def test_after_a_withdrawal_nothing_is_taken(stage: Stage, town: Town) -> None:
    person = next(p for p in town.registrations()[5:] if len(p["TYLB"]) == 1)
    at = (NOW + timedelta(hours=8)).strftime("%Y%m%d%H%M%S")
    withdrawal = {"SFZH": person["SFZH"], "YT": person["TYLB"][0]["YT"], "CHSJ": at}
    assert stage.pusher().withdraw([withdrawal]) == {"0000": 1}
    assert stage.pusher().withdraw([withdrawal]) == {"1001": 1}
    [result] = results_of(stage.pusher().push([item(person["SFZH"], "W1")], serial="WITHDRAWN-1"))
    assert (result["FHM"], result["YYM"]) == ("4002", "no-consent")


def _push_body(who: str, count: int = 1) -> str:
    items = [item(who, f"H{n}") for n in range(count)]
    return element("JFTS", NAMESPACE, {"LSH": f"HOSTILE-{count}", "HDLB": {"HD": items}})


TOKENS: dict[str, dict[str, Any]] = {
    "old": {"created": (NOW - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")},
    "ahead": {"created": (NOW + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")},
    "no instant": {"created": "yesterday"},
    "short nonce": {"nonce": b"1"},
}


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
def test_a_token_that_is_not_right_is_refused(token: dict[str, Any], stage: Stage, town: Town) -> None:
    before = stage.stored()
    status, answer = stage.pusher().exchange("JFTS", _push_body(someone(town)), **token)
    assert (status in (400, 401, 403), answer) == (True, None)
    assert stage.stored() == before


def test_who_is_not_on_the_list_is_refused(stage: Stage, town: Town) -> None:
    before, body = stage.stored(), _push_body(someone(town))
    made = stage.served.certificates
    cert, key = made.client("lijiayuan")
    for changes in (
        {"password": "guess"},
        {"username": "somebody"},
        {"client_cert": cert, "client_key": key},
    ):
        assert stage.pusher(**changes).exchange("JFTS", body) == (400, None)
    assert stage.stored() == before
    guess = stage.post(envelope(body, username_token(USERNAME, "guess")))
    assert b"password-mismatch" in guess.content
    header = username_token(USERNAME, PASSWORD)
    assert stage.post(envelope(body, header)).status_code == 200
    replayed = stage.post(envelope(body, header))
    assert (replayed.status_code, b"message-replayed" in replayed.content) == (400, True)
    assert stage.stored()[1] == before[1] + 1


def test_a_message_that_is_built_otherwise_is_refused_whole(stage: Stage, town: Town) -> None:
    before, who = stage.stored(), someone(town)
    right = _push_body(who)
    wrong = {
        "501 items": _push_body(who, 501),
        "missing": right.replace("<YLSH></YLSH>", ""),
        "unknown": right.replace("<YLSH></YLSH>", "<YLSH></YLSH><X/>"),
        "order": right.replace("<LX>01</LX><JF>2.50</JF>", "<JF>2.50</JF><LX>01</LX>"),
        "twice": right.replace("<JF>2.50</JF>", "<JF>2.50</JF><JF>250</JF>"),
        "other": right.replace("JFTS", "XXXX"),
        "space": right.replace(NAMESPACE, "urn:other"),
        "comment": right.replace("2.50", "2<!-- -->50"),
    }
    for name, body in wrong.items():
        answer = stage.post(envelope(body, username_token(USERNAME, PASSWORD)))
        assert (answer.status_code // 100, b"Fault" in answer.content) == (4, True), name
        assert answer.headers["Content-Type"].startswith("application/soap+xml"), name
        assert who.encode() not in answer.content, name
    gbk = envelope(right, username_token(USERNAME, PASSWORD)).replace(b'"GB18030"', b'"GBK"')
    for content_type in (
        "application/soap+xml; charset=GBK",
        "application/soap+xml; charset=GB18030",
        "text/xml",
    ):
        assert stage.post(gbk, content_type).status_code in (400, 415)
    dtd = envelope(right, username_token(USERNAME, PASSWORD)).replace(
        b"?><", b'?><!DOCTYPE x [<!ENTITY y "z">]><', 1
    )
    assert stage.post(dtd).status_code == 400
    assert stage.stored() == before


def test_a_client_nobody_here_wrote_pushes_by_the_served_wsdl(stage: Stage, town: Town) -> None:
    """zeep with its own defaults: it writes UTF-8 and is answered in UTF-8."""
    access = stage.access()
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(access.ca_file)
        session.cert = (str(access.client_cert), str(access.client_key))
        client = zeep.Client(
            f"{stage.url}?wsdl",
            transport=zeep.Transport(session=session),
            wsse=UsernameToken(USERNAME, PASSWORD, use_digest=True, zulu_timestamp=True),
        )
        answer = client.service.JFTS(
            LSH="ZEEP-1", HDLB={"HD": [item(someone(town), "Z1", XM="买買提·艾力𠮷")]}
        )
        assert (answer.FHM, answer.JGLB.JG[0].FHM, answer.JGLB.JG[0].LSH) == ("0000", "0000", "Z1")
        assert client.service.JFCX(LSH="ZEEP-1").PCH == answer.PCH


def test_the_log_verifies_after_all_this(stage: Stage) -> None:
    assert verify_log(stage.served.house, now=datetime.now(UTC)).ok
