"""A SOAP service by itself: scopes, serials, contracts that do not fit, and encodings that must not be confused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from adapters.soap_contract import SoapContract
from adapters.soap_server import Operation, SoapService
from schemas.errors import ForbiddenError, InvalidError
from schemas.oauth import SCOPES
from schemas.soap import SoapForm, SoapParty, SoapRequest, SoapSecurity
from tests.soap_keys import der_of, signing_identity
from tests.soap_messages import ATTACKS, NS, Maker
from tests.soap_town import FOLDER, OPERATIONS, SIGNED, TOKEN, make_service

KEYS = {"town": signing_identity("town")}
PARTY = SoapParty("town", frozenset(SCOPES), (der_of(KEYS["town"]),))


def message() -> SoapRequest:
    text = Maker(KEYS).fill((ATTACKS / "valid-signed.xml").read_text("utf-8"))
    return SoapRequest(text.encode(), "text/xml; charset=utf-8", f'"{NS}/Push"', None)


def test_what_is_handed_on_is_what_was_signed() -> None:
    service, asked = make_service(SIGNED, signing_identity("gateway")), message()
    call = service.open(asked, [PARTY], datetime.now(UTC))
    assert call.payload in asked.body  # the template is canonical already
    assert call.payload.startswith(b"<PushRequest")
    assert (call.client_id, call.operation, call.kind) == ("town", "Push", "push")


def test_a_client_may_do_what_its_scopes_say() -> None:
    service = make_service(SIGNED, signing_identity("gateway"))
    reader = replace(PARTY, scopes=frozenset({"contributions.read"}))
    with pytest.raises(ForbiddenError) as refusal:
        service.open(message(), [reader], datetime.now(UTC))
    assert refusal.value.code == "scope-missing"


@pytest.mark.parametrize("serial", ["", "x" * 129])
def test_a_serial_has_its_length(serial: str) -> None:
    push = Operation("push", "contributions.write", OPERATIONS["Push"].answer, lambda payload: serial)
    contract = SoapContract(FOLDER, "signed.wsdl", "1.1")
    ours = signing_identity("gateway")
    service = SoapService(
        SIGNED, contract, {**OPERATIONS, "Push": push}, security=SoapSecurity.X509, signing=ours
    )
    with pytest.raises(InvalidError) as refusal:
        service.open(message(), [PARTY], datetime.now(UTC))
    assert refusal.value.code == "serial-unusable"


def test_operations_and_wsdl_must_be_the_same() -> None:
    contract = SoapContract(FOLDER, "signed.wsdl", "1.1")
    ours = signing_identity("gateway")
    with pytest.raises(ValueError, match="the WSDL has"):
        SoapService(SIGNED, contract, {}, security=SoapSecurity.X509, signing=ours)
    with pytest.raises(ValueError, match=r"one binding of SOAP 1\.2"):
        SoapContract(FOLDER, "signed.wsdl", "1.2")


@pytest.mark.parametrize(
    ("body", "content_type", "form"),
    [
        (b'<?xml version="1.0" encoding="utf-8"?><a/>', "text/xml", ("1.2", "UTF-8")),
        (b'<?xml version="1.0" encoding="gb18030"?><a/>', "text/xml; charset=utf-8", ("1.2", "GB18030")),
        (b"<a/>", 'application/soap+xml;charset="UTF-8"', ("1.2", "UTF-8")),
        (b"\xff\xfe\x00", "nonsense;;;charset", ("1.2", "GB18030")),
        (b"", "", ("1.2", "GB18030")),
    ],
)
def test_how_to_answer_is_known_whatever_is_wrong(
    body: bytes, content_type: str, form: tuple[str, str]
) -> None:
    service = make_service(TOKEN, signing_identity("gateway"))
    assert service.form_of(SoapRequest(body, content_type, None, None)) == SoapForm(*form)
