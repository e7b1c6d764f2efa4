"""The SOAP doors over a real connection: pushes, receipts, the same push twice, households, Faults, the contract."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from lxml import etree  # type: ignore[import-untyped]
from signxml.verifier import SignatureConfiguration, XMLVerifier

from gateway.db.embedded import Embedded
from gateway.flows.authorize_soap import PARTIES_FRESH_S, authorize_soap
from gateway.flows.switch_soap_client import switch_soap_client
from schemas.errors import UnauthenticatedError
from schemas.soap import SoapRequest
from schemas.values import TownCode
from tests.plain_town import invented_id_no
from tests.served import scratch_database
from tests.soap_messages import NS, Signing
from tests.soap_stage import SoapStage, refusal, soap_stage, statuses
from tests.soap_town import SIGNED, TOKEN

BOTH = [SIGNED, TOKEN]


@pytest.fixture(scope="module")
def stage(postgres: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoapStage]:
    with (
        scratch_database(postgres) as database,
        soap_stage(database, tmp_path_factory.mktemp("soap")) as running,
    ):
        for town in BOTH:
            assert statuses(running.push(town, PAYLOAD=family(), operation="Register")) == ["accepted"]
        yield running


def family() -> str:
    return (
        f'<RegisterRequest xmlns="{NS}"><Household><Code>F1</Code><Village>试村</Village><Since>2025-01-01</Since>'
        + "".join(
            f"<Member><IdNo>{invented_id_no(n)}</IdNo><Name>𠮷田·买买提</Name>"
            f"<ConsentAt>2025-06-01T08:00:00+08:00</ConsentAt></Member>"
            for n in (1, 2)
        )
        + "</Household></RegisterRequest>"
    )


def tree(answer: requests.Response) -> Any:
    return etree.fromstring(answer.content)


def text(answer: requests.Response, name: str) -> str | None:
    found: str | None = tree(answer).findtext(f".//{{{NS}}}{name}")
    return found


def ask_receipt(stage: SoapStage, town: TownCode, serial: str) -> requests.Response:
    payload = f'<ReceiptRequest xmlns="{NS}"><Serial>{serial}</Serial></ReceiptRequest>'
    return stage.push(town, PAYLOAD=payload, operation="Receipt")


@pytest.mark.parametrize("town", BOTH)
def test_a_push_is_stored_once_and_its_answer_can_be_asked_for(stage: SoapStage, town: TownCode) -> None:
    payload = stage.maker.payload(serial=f"once-{town}")
    before = stage.stored()
    first = stage.push(town, PAYLOAD=payload)
    assert statuses(first) == ["accepted"], first.text
    again = stage.push(town, PAYLOAD=payload)  # made and signed anew, as a town does whose answer was lost
    asked = ask_receipt(stage, town, f"once-{town}")
    for answer in (again, asked):
        assert [text(answer, n) for n in ("Batch", "Receipt", "Status")] == [
            text(first, n) for n in ("Batch", "Receipt", "Status")
        ]
    after = stage.stored()
    assert after["contribution"] - before["contribution"] == 1
    assert after["contribution_batch"] - before["contribution_batch"] == 1
    other = stage.push(town, PAYLOAD=stage.maker.payload("13", serial=f"once-{town}"))
    assert refusal(other)["Code"] == "idempotency-key-reused"
    assert refusal(ask_receipt(stage, town, "never-sent"))["Code"] == "serial-unknown"


@pytest.mark.parametrize("town", BOTH)
def test_the_answer_is_in_the_contract(stage: SoapStage, town: TownCode) -> None:
    schema = etree.XMLSchema(etree.parse("tests/data/soap/points.xsd"))
    body = tree(stage.push(town))[-1]
    schema.assertValid(body[0])


def test_the_answer_is_in_the_encoding_of_the_request(stage: SoapStage) -> None:
    wrong = stage.maker.payload(name="𠮷" * 65)
    answer = stage.push(TOKEN, PAYLOAD=wrong)
    assert answer.headers["Content-Type"] == "application/soap+xml; charset=GB18030"
    assert b"encoding='GB18030'" in answer.content
    assert answer.status_code == 400
    told = refusal(answer)
    assert told["Code"] == "contract-violated"
    assert told["Where"] == "/PushRequest/Item/Name"
    assert "𠮷" not in answer.content.decode("gb18030")  # where it stands, never what stands there
    utf8 = stage.message(TOKEN).decode("gb18030").replace('encoding="GB18030"', 'encoding="UTF-8"').encode()
    answer = stage.send(TOKEN, utf8, Content_Type="application/soap+xml; charset=utf-8")
    assert statuses(answer) == ["accepted"]
    assert answer.headers["Content-Type"] == "application/soap+xml; charset=UTF-8"


@pytest.mark.parametrize("town", BOTH)
def test_the_same_message_again_is_a_replay_in_every_process(stage: SoapStage, town: TownCode) -> None:
    message = stage.message(town)
    assert statuses(stage.send(town, message)) == ["accepted"]
    for _ in range(4):  # two workers, new connections
        assert refusal(stage.send(town, message))["Code"] == "message-replayed"
    house = stage.served.house  # a third process: nothing of it was there when the message came first
    if town == SIGNED:
        asked = SoapRequest(message, "text/xml; charset=utf-8", f'"{NS}/Push"', None)
    else:
        asked = SoapRequest(message, "application/soap+xml; charset=GB18030", None, stage.x5t)
    with pytest.raises(UnauthenticatedError) as caught:
        authorize_soap(house, town, asked, now=house.clock())
    assert caught.value.code == "message-replayed"


def test_answers_and_faults_are_signed_with_our_certificate(stage: SoapStage) -> None:
    certificate = stage.served.config.soap_cert.read_text()
    for answer in (stage.push(SIGNED), stage.push(SIGNED, Signing(made_s=-400))):
        config = SignatureConfiguration(location=".//", expect_references=2)
        found = XMLVerifier().verify(answer.content, x509_cert=certificate, expect_config=config)
        assert isinstance(found, list)
        assert {etree.QName(result.signed_xml).localname for result in found} == {"Timestamp", "Body"}


def test_during_rollover_both_certificates_sign(stage: SoapStage) -> None:
    for key in ("town", "next"):
        assert statuses(stage.push(SIGNED, Signing(key=key))) == ["accepted"]
    for kind in ("token", "x509", "serial"):
        assert statuses(stage.push(SIGNED, Signing(key="next", key_info=kind))) == ["accepted"]


def test_a_bad_item_is_rejected_and_the_others_stand(stage: SoapStage) -> None:
    good, bad = stage.maker.payload(), stage.maker.payload()
    item = bad[bad.index("<Item>") : bad.index("</Item>") + 7].replace(
        invented_id_no(1), "990000198005170019"
    )
    answer = stage.push(SIGNED, PAYLOAD=good.replace("</PushRequest>", item + "</PushRequest>"))
    assert statuses(answer) == ["accepted", "rejected"]


def test_a_consent_is_withdrawn_once(stage: SoapStage) -> None:
    payload = (
        f'<WithdrawRequest xmlns="{NS}"><IdNo>{invented_id_no(2)}</IdNo>'
        f"<WithdrawnAt>2026-06-01T08:00:00Z</WithdrawnAt></WithdrawRequest>"
    )
    assert statuses(stage.push(SIGNED, PAYLOAD=payload, operation="Withdraw")) == ["accepted"]
    assert statuses(stage.push(SIGNED, PAYLOAD=payload, operation="Withdraw")) == ["duplicate"]


@pytest.mark.parametrize("town", BOTH)
def test_the_contract_is_served_with_the_real_address(stage: SoapStage, town: TownCode) -> None:
    def get(query: str) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            return session.get(
                stage.address(town) + query, verify=str(stage.served.certificates.ca_cert), timeout=20
            )

    wsdl = etree.fromstring(get("?wsdl").content)
    assert wsdl.xpath("//*[local-name() = 'address']/@location") == [stage.address(town)]
    assert etree.fromstring(get("?WSDL").content).tag == wsdl.tag
    (place,) = wsdl.xpath("//@schemaLocation")
    assert place == stage.address(town) + "?xsd=points.xsd"
    etree.XMLSchema(etree.fromstring(get("?xsd=points.xsd").content))
    for query in ("", "?xsd=../../../../etc/passwd", "?xsd=signed.wsdl", "?xsd=nothing.xsd"):
        assert get(query).status_code == 404


def test_the_token_door_wants_the_clients_own_certificate(stage: SoapStage) -> None:
    without = stage.post(TOKEN, stage.message(TOKEN))
    assert refusal(without)["Code"] == "certificate-missing"
    other = stage.post(TOKEN, stage.message(TOKEN), certificate=stage.other_certificate)
    assert refusal(other)["Code"] == "certificate-mismatch"


def test_a_disabled_client_is_refused_and_comes_back(stage: SoapStage) -> None:
    house = stage.served.house

    def until(code: str | None) -> None:
        deadline = datetime.now(UTC).timestamp() + PARTIES_FRESH_S * 5
        while refusal(answer := stage.push(SIGNED)).get("Code") != code:
            assert datetime.now(UTC).timestamp() < deadline, answer.text

    assert switch_soap_client(house, "signed-town", False, now=datetime.now(UTC))
    assert not switch_soap_client(house, "signed-town", False, now=datetime.now(UTC))
    until("certificate-unknown")
    assert switch_soap_client(house, "signed-town", True, now=datetime.now(UTC))
    until(None)


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_of_200_mb_is_refused_before_it_is_sent(stage: SoapStage, announced: bool) -> None:
    """The refusal comes while the client has sent a head and, without a length, a little more than the limit."""
    before = stage.stored()
    host, port = stage.served.url.removeprefix("https://").split(":")
    context = ssl.create_default_context(cafile=str(stage.served.certificates.ca_cert))
    with (
        socket.create_connection((host, int(port)), 20) as plain,
        context.wrap_socket(plain, server_hostname=host) as line,
    ):
        length = f"Content-Length: {200 * 1024 * 1024}" if announced else "Transfer-Encoding: chunked"
        head = f"POST /towns/{SIGNED}/soap HTTP/1.1\r\nHost: {host}\r\nContent-Type: text/xml\r\n{length}\r\n\r\n"
        line.sendall(head.encode())
        if not announced:
            piece = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
            for _ in range(stage.served.config.body_limit_bytes // 0x100000 + 1):
                line.sendall(piece)
        answer = b""
        while b"Envelope>" not in answer and (piece := line.recv(65536)):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"body-too-large" in answer
    assert stage.stored() == before


def test_what_comes_compressed_or_as_another_type_is_refused(stage: SoapStage) -> None:
    assert refusal(stage.send(SIGNED, stage.message(SIGNED), Content_Encoding="gzip"))["Code"] == (
        "content-encoding-unsupported"
    )
    answer = stage.send(SIGNED, stage.message(SIGNED), Content_Type="application/json")
    assert refusal(answer)["Code"] == "content-type-unsupported"


def test_a_fault_can_be_found_in_the_log_by_its_number(stage: SoapStage) -> None:
    told = refusal(stage.push(SIGNED, Signing(key="stranger")))
    lines = [line for line in stage.served.log.read_text().splitlines() if told["CorrelationId"] in line]
    assert any("certificate-unknown" in line for line in lines)
    assert not any(
        "990000" in line for line in stage.served.log.read_text().splitlines()
    )  # no id number in any line
