"""The zeep core over real TLS: each failure of a SOAP service means exactly one kind of error of ours."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from adapters.soap_client import Reach, SoapAccess
from certs import ensure_development
from certs.authority import Development
from gateway.config import load_config
from schemas.boundary import NeighbourCalledInTransactionError, transaction_open
from schemas.errors import ForbiddenError, InvalidError, OutcomeUnknownError, UnavailableError
from tests.contract.scripted_service import ScriptedService, answering, dripping, dropping, running, silent

pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)

NS = "urn:example:tiny"
RARE = "𠮷買買提·艾力㐂䶮"
SCHEMA = f"""<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" targetNamespace="{NS}" elementFormDefault="qualified">
<xsd:element name="DO"><xsd:complexType><xsd:sequence>
  <xsd:element name="XM" type="xsd:string"/>
</xsd:sequence></xsd:complexType></xsd:element>
<xsd:element name="DONE"><xsd:complexType><xsd:sequence>
  <xsd:element name="FHM" type="xsd:string"/><xsd:element name="XM" type="xsd:string"/>
</xsd:sequence></xsd:complexType></xsd:element>
</xsd:schema>"""
WSDL = f"""<?xml version="1.0" encoding="UTF-8"?>
<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap12/"
  xmlns:t="{NS}" targetNamespace="{NS}">
<wsdl:types>{SCHEMA}</wsdl:types>
<wsdl:message name="in"><wsdl:part name="p" element="t:DO"/></wsdl:message>
<wsdl:message name="out"><wsdl:part name="p" element="t:DONE"/></wsdl:message>
<wsdl:portType name="P"><wsdl:operation name="DO">
  <wsdl:input message="t:in"/><wsdl:output message="t:out"/>
</wsdl:operation></wsdl:portType>
<wsdl:binding name="B" type="t:P">
  <soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
  <wsdl:operation name="DO"><soap:operation soapAction="{NS}/DO"/>
    <wsdl:input><soap:body use="literal"/></wsdl:input><wsdl:output><soap:body use="literal"/></wsdl:output>
  </wsdl:operation>
</wsdl:binding>
<wsdl:service name="S"><wsdl:port name="P" binding="t:B">
  <soap:address location="https://example.invalid/"/>
</wsdl:port></wsdl:service>
</wsdl:definitions>"""


def envelope(inside: str, encoding: str = "GB18030", written: str | None = None) -> bytes:
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope">'
        f"<e:Body>{inside}</e:Body></e:Envelope>"
    )
    return text.encode(written or encoding)


DONE = envelope(f'<DONE xmlns="{NS}"><FHM>0000</FHM><XM>{RARE}</XM></DONE>')


def fault(code: str, subcode: str = "") -> bytes:
    inner = f"<e:Subcode><e:Value xmlns:w='urn:w'>w:{subcode}</e:Value></e:Subcode>" if subcode else ""
    return envelope(
        f"<e:Fault><e:Code><e:Value>e:{code}</e:Value>{inner}</e:Code><e:Reason>"
        f"<e:Text xml:lang='zh'>{RARE}</e:Text></e:Reason></e:Fault>"
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Development:
    return ensure_development(load_config({"GATEWAY_STATE_DIR": str(tmp_path_factory.mktemp("soap"))}))


@pytest.fixture
def service(made: Development) -> Iterator[ScriptedService]:
    with running(made, client_ca=made.ca_cert) as found:
        found.scripts.append(answering(DONE))
        yield found


@pytest.fixture
def reach(made: Development, service: ScriptedService, tmp_path: Path) -> Reach:
    wsdl = tmp_path / "tiny.wsdl"
    wsdl.write_text(WSDL)
    schema = tmp_path / "tiny.xsd"
    schema.write_text(SCHEMA)
    return Reach(
        "tiny", wsdl, schema, f"{{{NS}}}B", service.address, made.ca_cert, made.client("gateway"), encoding="GB18030",
        connect_timeout_s=5.0, answer_timeout_s=10.0, total_timeout_s=20.0,
    )  # fmt: skip


@pytest.fixture
def access(reach: Reach) -> SoapAccess:
    return SoapAccess(reach)


def test_words_go_out_and_come_back_in_gb18030(access: SoapAccess, service: ScriptedService) -> None:
    assert access.act("DO", XM=RARE) == {"FHM": "0000", "XM": RARE}
    head, _, body = service.requests[0].partition(b"\r\n\r\n")
    assert b"charset=GB18030" in head
    assert b'application/soap+xml; charset=GB18030; action="urn:example:tiny/DO"' in head
    assert b"encoding='GB18030'" in body
    assert RARE.encode("gb18030") in body


@pytest.mark.parametrize("declared", ["GBK", "gb2312", "GB18030", "UTF-8"])
def test_older_names_of_the_encoding_are_read_as_what_was_written(
    declared: str, access: SoapAccess, service: ScriptedService
) -> None:
    body = envelope(f'<DONE xmlns="{NS}"><FHM>0000</FHM><XM>{RARE}</XM></DONE>', declared,
                    "utf-8" if declared == "UTF-8" else "gb18030")  # fmt: skip
    service.scripts[0] = answering(body)
    assert access.act("DO", XM="")["XM"] == RARE


def test_an_empty_string_is_sent_as_one(access: SoapAccess, service: ScriptedService) -> None:
    access.ask("DO", XM="")
    assert b"XM/>" in service.requests[0] or b"XM></" in service.requests[0]


NO_ANSWERS = {
    "silent": silent(3),
    "drops": dropping,
    "drips": dripping(0.05),
    "502": answering(DONE, status="502 Bad Gateway"),
    "fault 500": answering(fault("Receiver"), status="500 Oops"),
    "fault 200": answering(fault("Receiver")),
    "html": answering(b"<html>time-out</html>", "text/html"),
    "no soap": answering(b"<html/>"),
    "cut": answering(DONE[:-9]),
    "empty": answering(b""),
    "utf-16": answering(DONE.replace(b"GB18030", b"UTF-16")),
    "wrong bytes": answering(DONE.replace(b"GB18030", b"UTF-8")),
    "entity": answering(DONE.replace(b"?><e", b"?><!DOCTYPE e [<!ENTITY x 'y'>]><e")),
    "external": answering(DONE.replace(b"?><e", b"?><!DOCTYPE e SYSTEM 'https://example.invalid/x'><e")),
    "other answer": answering(envelope(f'<OTHER xmlns="{NS}"/>')),
    "word missing": answering(envelope(f'<DONE xmlns="{NS}"><FHM>0000</FHM></DONE>')),
    "two answers": answering(envelope(f'<DONE xmlns="{NS}"><FHM>0</FHM><XM/></DONE>' * 2)),
    "too long": answering(DONE + b" " * 300_000),
    "multipart": answering(DONE, "multipart/related"),
    "gzip": answering(DONE, "text/xml", "200 OK", "Content-Encoding: gzip"),
}


@pytest.mark.parametrize("script", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_an_act_without_a_readable_answer_is_unknown_and_a_question_unavailable(
    script: Any, reach: Reach, service: ScriptedService
) -> None:
    service.scripts[0] = script
    small = SoapAccess(
        dataclasses.replace(reach, longest_answer_bytes=200_000, answer_timeout_s=0.7, total_timeout_s=1.5)
    )
    with pytest.raises(OutcomeUnknownError) as lost:
        small.act("DO", XM=RARE)
    assert RARE not in str(lost.value)
    with pytest.raises(UnavailableError):
        small.ask("DO", XM=RARE)


def test_the_whole_exchange_has_an_end_however_it_drips(reach: Reach, service: ScriptedService) -> None:
    """Each byte comes well within the answer's time-out; the end of the exchange is what stops it."""
    service.scripts[0] = dripping(0.05)
    access = SoapAccess(dataclasses.replace(reach, total_timeout_s=1.0))
    ended = threading.Event()

    def call() -> None:
        with pytest.raises(OutcomeUnknownError):
            access.act("DO", XM="")
        ended.set()

    thread = threading.Thread(target=call)
    thread.start()
    assert ended.wait(8), "200 drips take 10 s; the exchange must have ended before"
    thread.join()


@pytest.mark.parametrize(
    ("script", "code", "wait_s"),
    [
        (answering(b"", "text/plain", "503 Busy", "Retry-After: 7"), "neighbour-busy", 7),
        (answering(b"", "text/plain", "429 Slow down"), "neighbour-busy", 5),
        (answering(b"", "text/plain", "404 Nobody"), "neighbour-http-404", None),
        (answering(b"", "text/plain", "302 Elsewhere", "Location: https://example.invalid/"), "neighbour-http-302", None),
        (answering(fault("Sender", "FailedAuthentication"), status="500 X"), "neighbour-credentials", 60),
        (answering(fault("Sender", "MessageExpired"), status="400 X"), "neighbour-credentials", 60),
    ],
)  # fmt: skip
def test_turned_away_means_nothing_happened(
    script: Any, code: str, wait_s: int | None, access: SoapAccess, service: ScriptedService
) -> None:
    service.scripts[0] = script
    with pytest.raises(UnavailableError) as turned_away:
        access.act("DO", XM="")
    assert turned_away.value.code == code
    assert turned_away.value.retry_after_s == wait_s


def test_a_fault_that_blames_us_is_ours_to_mend(access: SoapAccess, service: ScriptedService) -> None:
    service.scripts[0] = answering(fault("Sender"), status="400 Bad Request")
    with pytest.raises(InvalidError) as invalid:
        access.act("DO", XM="")
    assert invalid.value.code == "neighbour-fault"


@pytest.mark.parametrize("words", [{"XX": "1"}, {}, {"XM": None}, {"XM": "\x00"}, {"XM": "\ud800"}])
def test_words_outside_the_contract_are_not_sent(
    words: dict[str, Any], access: SoapAccess, service: ScriptedService
) -> None:
    with pytest.raises(InvalidError) as invalid:
        access.act("DO", **words)
    assert invalid.value.code == "message-invalid"
    assert service.requests == []


def test_nobody_listening_means_nothing_happened(reach: Reach) -> None:
    for address in ("https://127.0.0.1:9/", "https://nobody.invalid/"):
        with pytest.raises(UnavailableError) as away:
            SoapAccess(dataclasses.replace(reach, address=address)).act("DO", XM="")
        assert away.value.code == "neighbour-unreachable"


def test_their_certificate_is_checked(reach: Reach, service: ScriptedService) -> None:
    with pytest.raises(UnavailableError) as untrusted:
        SoapAccess(dataclasses.replace(reach, ca_file=None)).act("DO", XM="")
    assert untrusted.value.code == "neighbour-certificate"
    assert service.requests == []


def test_without_our_certificate_nothing_is_served(reach: Reach, service: ScriptedService) -> None:
    """In TLS 1.3 the refusal comes after our first bytes; when the alert itself is lost, unknown is the honest answer."""
    with pytest.raises((UnavailableError, OutcomeUnknownError)):
        SoapAccess(dataclasses.replace(reach, client=None)).act("DO", XM="")
    assert service.requests == []


def test_threads_have_a_connection_each_and_keep_it(access: SoapAccess, service: ScriptedService) -> None:
    with ThreadPoolExecutor(3) as pool:
        names = [f"{n}{RARE}" for n in range(24)]
        assert len(list(pool.map(lambda name: access.act("DO", XM=name), names))) == 24
    assert service.connections <= 3
    assert len(service.requests) == 24


def test_a_connection_the_service_closed_is_not_used_again(
    access: SoapAccess, service: ScriptedService
) -> None:
    def answer_and_close(connection: Any, request: bytes) -> None:
        answering(DONE)(connection, request)
        connection.unwrap()

    service.scripts[0] = answer_and_close
    access.act("DO", XM="1")
    time.sleep(0.1)
    access.act("DO", XM="2")
    assert service.connections == 2


def test_no_call_inside_a_transaction(access: SoapAccess, service: ScriptedService) -> None:
    with transaction_open(), pytest.raises(NeighbourCalledInTransactionError):
        access.ask("DO", XM="")
    assert service.requests == []


def test_an_answer_whose_security_does_not_hold_is_no_answer(reach: Reach, service: ScriptedService) -> None:
    class Suspicious:
        def apply(self, envelope: Any, headers: dict[str, str]) -> tuple[Any, dict[str, str]]:
            return envelope, headers

        def verify(self, envelope: Any) -> None:
            raise ForbiddenError("the body is not signed", code="body-unsigned")

    access = SoapAccess(reach, Suspicious)
    with pytest.raises(OutcomeUnknownError) as unknown:
        access.act("DO", XM="")
    assert unknown.value.code == "body-unsigned"
    with pytest.raises(UnavailableError):
        access.ask("DO", XM="")


def test_a_simulator_is_not_believed_outside_the_sandbox(reach: Reach, service: ScriptedService) -> None:
    service.scripts[0] = answering(DONE, "application/soap+xml", "200 OK", "X-Simulator: tiny")
    with pytest.raises(InvalidError):
        SoapAccess(reach).ask("DO", XM="")
    assert SoapAccess(dataclasses.replace(reach, sandbox=True)).ask("DO", XM="")["FHM"] == "0000"
