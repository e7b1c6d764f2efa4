"""The bank's client against the simulated bank and against servers that misbehave; the contract and its examples."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import requests
from lxml import etree  # type: ignore[import-untyped]

from adapters import bank_core
from adapters.bank_core import mapping, wire
from adapters.bank_core.mapping import Meaning
from adapters.bank_core.simulator import MESSAGES, create_server, create_simulator_app
from schemas.errors import (
    ConflictError,
    GatewayError,
    InvalidError,
    NotFoundError,
    OutcomeUnknownError,
    RefusedError,
    UnavailableError,
)
from schemas.ports import BankPort
from schemas.proposals import BankVerdict, BenefitProposal, BenefitRevocation
from schemas.values import Serial
from tests.bank_stage import Bank, bank_client, resident_id, simulated_bank

CONTRACT = Path(bank_core.__file__).parent / "contract"
ON = date(2026, 11, 23)
PERSON = resident_id(7)


def _proposal(number: int = 1, **changes: object) -> BenefitProposal:
    made = BenefitProposal(
        serial=Serial(f"P20261123{number:020d}"),
        business_on=ON,
        customer_id_no=PERSON,
        product="stage_loan",
        discount_bp=58,
        limit_increase_fen=0,
        valid_from_on=ON,
        valid_until_on=date(2027, 11, 23),
        reason_codes=("score",),
        decision_sha256="0" * 64,
    )
    return replace(made, **changes)


def _revocation(number: int = 1, original: int = 1) -> BenefitRevocation:
    return BenefitRevocation(
        Serial(f"R20261123{number:020d}"), ON, Serial(f"P20261123{original:020d}"), "consent_withdrawn"
    )


@pytest.fixture
def bank() -> Iterator[Bank]:
    with simulated_bank() as found:
        found.say_of(
            PERSON, base_rate_bp=480, base_limit_fen=20_000_000, vetoes=[], honours=["star_household"]
        )
        yield found


@pytest.fixture
def client(bank: Bank) -> BankPort:
    return bank_client(bank.address)


def test_proposed_twice_is_once_and_the_first_answer_comes_again(bank: Bank, client: BankPort) -> None:
    first, second = client.propose_benefit(_proposal()), client.propose_benefit(_proposal())
    assert (first.verdict, second.verdict) == (BankVerdict.DONE, BankVerdict.DUPLICATE)
    assert first.bank_reference == second.bank_reference is not None
    assert len(bank.benefits()) == 1


def test_same_serial_other_content_is_a_conflict(client: BankPort) -> None:
    client.propose_benefit(_proposal())
    with pytest.raises(ConflictError):
        client.propose_benefit(_proposal(discount_bp=59))


def test_too_much_is_refused_and_refused_again(client: BankPort) -> None:
    for _ in range(2):
        with pytest.raises(RefusedError) as refused:
            client.propose_benefit(_proposal(discount_bp=500))
        assert refused.value.code == "bank-2004"
    assert client.query_proposal(Serial("Q" * 20), _proposal().serial).verdict is BankVerdict.REFUSED


def test_revoked_once_and_then_already_reversed(bank: Bank, client: BankPort) -> None:
    client.propose_benefit(_proposal())
    assert client.revoke_benefit(_revocation(1)).verdict is BankVerdict.DONE
    assert client.revoke_benefit(_revocation(1)).verdict is BankVerdict.DUPLICATE
    assert client.revoke_benefit(_revocation(2)).verdict is BankVerdict.ALREADY_REVERSED
    assert [b["state"] for b in bank.benefits().values()] == ["revoked"]


def test_what_was_never_there_is_not_found(client: BankPort) -> None:
    with pytest.raises(NotFoundError):
        client.revoke_benefit(_revocation(1, original=99))
    with pytest.raises(NotFoundError):
        client.query_proposal(Serial("Q" * 20), Serial("P" * 20))


def test_inquiry_finds_proposals_and_revocations(client: BankPort) -> None:
    done = client.propose_benefit(_proposal())
    client.revoke_benefit(_revocation())
    asked = client.query_proposal(Serial("Q" * 20), _proposal().serial)
    assert (asked.verdict, asked.bank_reference) == (BankVerdict.DONE, done.bank_reference)
    assert client.query_proposal(Serial("Q" * 21), _revocation().serial).verdict is BankVerdict.DONE


def test_a_facility_is_read_whole(client: BankPort) -> None:
    found = client.query_facility(Serial("F" * 20), PERSON, "stage_loan")
    assert (found.base_rate_bp, found.base_limit_fen, found.vetoes, found.honours) == (
        480,
        20_000_000,
        (),
        ("star_household",),
    )


def test_lpr_and_spread_make_the_base_rate(bank: Bank, client: BankPort) -> None:
    bank.say_of(PERSON, lpr_bp=300, lpr_spread_bp=-15, vetoes=["related_person"])
    found = client.query_facility(Serial("F" * 20), PERSON, "stage_loan")
    assert (found.base_rate_bp, found.vetoes) == (285, ("related_person",))


def test_an_unknown_customer_is_not_found(bank: Bank, client: BankPort) -> None:
    bank.say_of(PERSON, unknown=True)
    with pytest.raises(NotFoundError):
        client.query_facility(Serial("F" * 20), PERSON, "stage_loan")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("busy", UnavailableError),
        ("refuse", RefusedError),
        ("unknown", OutcomeUnknownError),
        ("drop", OutcomeUnknownError),
        ("drop_before", OutcomeUnknownError),
        ("garbage", OutcomeUnknownError),
        ("error", OutcomeUnknownError),
        ("slow", OutcomeUnknownError),
    ],
)
def test_each_failure_says_what_the_caller_can_do(
    bank: Bank, client: BankPort, fault: str, error: type[GatewayError]
) -> None:
    bank.fail(fault, seconds=0.8)
    with pytest.raises(error) as raised:
        client.propose_benefit(_proposal())
    assert type(raised.value) is error
    assert PERSON not in str(raised.value)
    assert bank.books()["received"][_proposal().serial] == 1, "the client sent it again by itself"


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "https://no-such-host.invalid"])
def test_nobody_there_means_nothing_happened(address: str) -> None:
    sandbox = bank_core.create_client(bank_core.Config("http://127.0.0.1:9", sandbox=True))
    sandbox._config = replace(sandbox._config, address=address)
    with pytest.raises(UnavailableError):
        sandbox.propose_benefit(_proposal())


@contextmanager
def _raw_server(answer: Callable[[bytes], bytes]) -> Iterator[str]:
    """Answers every connection with the given bytes, then closes."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.2)
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(2)
                asked = b""
                while b"</SERVICE>" not in asked:
                    asked += connection.recv(65536)
                connection.sendall(answer(asked))

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stop.set()
        thread.join()
        listener.close()


def _http(body: bytes, status: str = "200 OK", extra: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{extra}Connection: close\r\n\r\n"
    return head.encode() + body


GOOD = (CONTRACT / "propose_benefit.answer.xml").read_bytes()
SERIAL_OF_GOOD = Serial("P2026112300000000000000000001")
BILLION = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "xxxxxxxxxx"><!ENTITY c "&b;&b;&b;&b;">]><SERVICE>&c;</SERVICE>'
OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><SERVICE>&x;</SERVICE>'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00\xff\xfe",
        b"<html>gateway timeout</html>",
        b"<SERVICE/>",
        BILLION,
        OUTSIDE,
        b"<SERVICE>" + b"<a>" * 5000 + b"</a>" * 5000 + b"</SERVICE>",
        b" " * (wire.MAX_BYTES + 10),
        GOOD[:-30],
        GOOD.replace(SERIAL_OF_GOOD.encode(), b"P2026112300000000000000000002"),
        GOOD.replace(b"ProposeBenefit", b"RevokeBenefit"),
        GOOD.replace(b"<RET_STATUS>S", b"<RET_STATUS>X"),
        GOOD.replace(b"0000</RET_CODE>", b"7777</RET_CODE>"),
        GOOD.replace(b"<RET_STATUS>S", b"<RET_STATUS>F"),
        GOOD.replace(b"<RESULT><BANK_REFERENCE>B00000001</BANK_REFERENCE></RESULT>", b""),
        GOOD.replace(b"B00000001", b"<![CDATA[" + b"x" * 100 + b"]]>"),
        GOOD.replace(b"\xe4\xba\xa4", b"\xc4\xe3"),
        GOOD.decode().encode("utf-16"),
    ],
    ids=range(18),
)
def test_an_answer_that_cannot_be_read_is_unknown(body: bytes) -> None:
    with _raw_server(lambda _: _http(body)) as address, pytest.raises(OutcomeUnknownError):
        bank_client(address).propose_benefit(_proposal(serial=SERIAL_OF_GOOD))


def test_the_example_answer_is_an_answer() -> None:
    with _raw_server(lambda _: _http(GOOD)) as address:
        assert (
            bank_client(address).propose_benefit(_proposal(serial=SERIAL_OF_GOOD)).verdict is BankVerdict.DONE
        )


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("500 Internal Server Error", OutcomeUnknownError),
        ("502 Bad Gateway", OutcomeUnknownError),
        ("503 Service Unavailable", OutcomeUnknownError),
        ("302 Found", OutcomeUnknownError),
        ("401 Unauthorized", UnavailableError),
        ("404 Not Found", UnavailableError),
        ("429 Too Many Requests", UnavailableError),
    ],
)
def test_the_http_status_alone_says_how_sure_we_are(status: str, error: type[GatewayError]) -> None:
    """Even with a good answer inside: a proxy's page is no answer of the bank."""
    with _raw_server(lambda _: _http(GOOD, status, "Location: /x\r\n")) as address, pytest.raises(error):
        bank_client(address).propose_benefit(_proposal(serial=SERIAL_OF_GOOD))


def test_an_answer_that_drips_is_given_up() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    with _raw_server(lambda _: head + b"<SERVICE>") as address, pytest.raises(OutcomeUnknownError):
        bank_client(address).propose_benefit(_proposal())


@pytest.mark.parametrize(
    "address",
    [
        "https://localhost:8455", "https://127.0.0.1", "https://127.9.9.9:1", "https://[::1]", "https://0.0.0.0",
        "https://[::ffff:127.0.0.1]", "https://bank.localhost", "https://LOCALHOST.", "http://bank.example",
        "ftp://bank.example", "bank.example",
    ],
)  # fmt: skip
def test_production_refuses_a_simulators_address(address: str, tmp_path: Path) -> None:
    file = tmp_path / "pem"
    file.write_text("x")
    with pytest.raises(InvalidError):
        bank_core.create_client(bank_core.Config(address, client_cert=file, client_key=file, ca_file=file))


def test_production_needs_mutual_tls() -> None:
    with pytest.raises(InvalidError, match="mutual TLS"):
        bank_core.create_client(bank_core.Config("https://bank.example"))


def test_a_sandbox_bank_stands_on_this_machine() -> None:
    with pytest.raises(InvalidError):
        bank_core.create_client(bank_core.Config("https://bank.example", sandbox=True))


def test_production_refuses_a_simulator_that_answers(bank: Bank) -> None:
    client = bank_core.create_client(bank_core.Config(bank.address, sandbox=True))
    client._config = replace(client._config, sandbox=False)
    with pytest.raises(InvalidError, match="simulator"):
        client.propose_benefit(_proposal())


@pytest.mark.parametrize("example", sorted(CONTRACT.glob("*.xml")), ids=lambda p: p.name)
def test_every_example_follows_the_contract(example: Path) -> None:
    schema = etree.XMLSchema(etree.parse(str(CONTRACT / "bank_core.xsd")))
    assert schema.validate(etree.parse(str(example))), schema.error_log


def test_what_we_write_follows_the_contract() -> None:
    schema = etree.XMLSchema(etree.parse(str(CONTRACT / "bank_core.xsd")))
    head = {
        "SERVICE_CODE": "ProposeBenefit", "SERVICE_VERSION": "1", "CONSUMER_ID": "GATEWAY",
        "CONSUMER_SEQ_NO": _proposal().serial, "TRAN_DATE": "20261123",
    }  # fmt: skip
    body = mapping.from_proposal(_proposal(supersedes_serial="P" * 20))
    raw = wire.write_message(head, {"BRANCH_NO": "0000", "TELLER_NO": "GATEWAY"}, "PROPOSE_BENEFIT", body)
    assert schema.validate(wire.parse(raw)), schema.error_log


def test_what_breaks_the_contract_is_told_so(bank: Bank, client: BankPort) -> None:
    with pytest.raises(InvalidError):
        client.propose_benefit(_proposal(product="wrong product!"))
    assert bank.benefits() == {}


@pytest.mark.parametrize("raw", [b"", b"not xml", BILLION, OUTSIDE])
def test_the_simulator_refuses_what_is_no_message(bank: Bank, raw: bytes) -> None:
    answer = requests.post(bank.address + "/services", data=raw, timeout=5)
    assert answer.status_code == 400
    assert "root:" not in answer.text


def test_every_code_of_the_simulator_has_a_meaning() -> None:
    known = {code for _, code in mapping.CODES}
    assert set(MESSAGES) == known
    assert mapping.meaning_of("S", "9001") is Meaning.UNKNOWN
    assert mapping.meaning_of("F", "0000") is Meaning.UNKNOWN


def test_the_simulators_books_survive_a_restart(tmp_path: Path) -> None:
    journal = tmp_path / "bank.jsonl"
    for expected in (BankVerdict.DONE, BankVerdict.DUPLICATE):
        app = create_simulator_app(journal)
        app.extensions["books"].facilities[PERSON] = {"vetoes": []}
        server = create_server(app)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            client = bank_client(f"http://127.0.0.1:{server.server_port}")
            assert client.propose_benefit(_proposal()).verdict is expected
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def test_mutual_tls_is_real(tmp_path: Path) -> None:
    from certs import ensure_development
    from gateway.config import load_config

    made = ensure_development(load_config({"GATEWAY_STATE_DIR": str(tmp_path)}))
    cert, key = made.simulator("bank_core")
    ours, our_key = made.client("gateway")
    app = create_simulator_app()
    app.extensions["books"].facilities[PERSON] = {"vetoes": []}
    server = create_server(app, cert=cert, key=key, client_ca=made.ca_cert)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        address = f"https://localhost:{server.server_port}"
        config = bank_core.Config(
            address, client_cert=ours, client_key=our_key, ca_file=made.ca_cert, sandbox=True
        )
        clock = lambda: datetime(2026, 11, 23, tzinfo=UTC)  # noqa: E731
        assert bank_core.create_client(config, clock).propose_benefit(_proposal()).verdict is BankVerdict.DONE
        without = replace(config, client_cert=None, client_key=None)
        with pytest.raises((OutcomeUnknownError, UnavailableError)):
            bank_core.create_client(without).propose_benefit(_proposal(2))
        with pytest.raises(UnavailableError) as refused:
            bank_core.create_client(replace(config, ca_file=None)).propose_benefit(_proposal(2))
        assert refused.value.code == "bank-certificate"
        assert len(app.extensions["books"].benefits) == 1
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
