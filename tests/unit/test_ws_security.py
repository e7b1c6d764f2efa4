"""WS-Security X.509: what we sign others verify, what others sign we prove. signxml is the other: it shares no code with ours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree  # type: ignore[import-untyped]
from signxml.algorithms import DigestAlgorithm, SignatureConstructionMethod, SignatureMethod
from signxml.signer import XMLSigner
from signxml.verifier import SignatureConfiguration, XMLVerifier

from adapters.soap_envelope import new_envelope
from adapters.soap_reading import parse_xml
from adapters.ws_security import DS, ID, WSSE, WSU, Signer, prove
from adapters.ws_security_calls import SignedExchange
from schemas.errors import UnauthenticatedError
from schemas.soap import SigningIdentity
from schemas.values import BEIJING
from tests.soap_keys import der_of, signing_identity

NOW = datetime.now(UTC).replace(microsecond=0)
EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"


def content() -> etree._Element:
    element = etree.Element("{urn:example:points:1}PushRequest", nsmap={"t": "urn:example:points:1"})
    etree.SubElement(element, "{urn:example:points:1}Serial").text = "𠮷野·买买提"
    return element


def ours(identity: SigningIdentity, version: str = "1.1", at: datetime = NOW) -> etree._Element:
    """A message signed by our own signer, as it arrives."""
    envelope = new_envelope(version, content())
    Signer.of(identity).sign(envelope, at)
    return parse_xml(etree.tostring(envelope, encoding="UTF-8"), "message")


def theirs(identity: SigningIdentity) -> etree._Element:
    """A message signed by signxml, with the certificate in X509Data."""
    envelope = new_envelope("1.1", content())
    space = envelope.tag.partition("}")[0] + "}"
    header = etree.Element(f"{space}Header")
    envelope.insert(0, header)
    security = etree.SubElement(header, f"{{{WSSE}}}Security")
    timestamp = etree.SubElement(security, f"{{{WSU}}}Timestamp", nsmap={"wsu": WSU})
    timestamp.set(ID, "TS-1")
    etree.SubElement(timestamp, f"{{{WSU}}}Created").text = NOW.astimezone(BEIJING).isoformat()
    envelope[1].set(ID, "id-2")
    key = load_pem_private_key(identity.key_pem, None)
    kind = "rsa" if isinstance(key, rsa.RSAPrivateKey) else "ecdsa"
    signer = XMLSigner(SignatureConstructionMethod.detached, f"{kind}-sha256", "sha256", EXC)
    signature = signer.sign(
        envelope, key=key, cert=identity.certificate_pem.decode(), reference_uri=["#TS-1", "#id-2"]
    )
    security.append(signature)
    return parse_xml(etree.tostring(envelope, encoding="UTF-8"), "message")


@pytest.mark.parametrize("kind", ["rsa", "ec"])
@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_what_we_sign_signxml_verifies_and_we_prove(kind: str, version: str) -> None:
    identity = signing_identity("town", kind)
    message = ours(identity, version)
    proven = prove(message, [der_of(identity)], NOW)
    assert "𠮷野·买买提".encode() in proven.body
    assert proven.certificate == der_of(identity)
    found = XMLVerifier().verify(
        message,
        x509_cert=x509.load_pem_x509_certificate(identity.certificate_pem),
        expect_config=SignatureConfiguration(
            location=".//",
            expect_references=2,
            signature_methods=frozenset({SignatureMethod.RSA_SHA256, SignatureMethod.ECDSA_SHA256}),
            digest_algorithms=frozenset({DigestAlgorithm.SHA256}),
            verification_time=NOW,
        ),
    )
    assert isinstance(found, list)
    assert proven.body in [result.signed_data for result in found]


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_what_signxml_signs_we_prove(kind: str) -> None:
    identity = signing_identity("town", kind)
    proven = prove(theirs(identity), [der_of(signing_identity("other")), der_of(identity)], NOW)
    assert proven.body.startswith(b"<soap:Body")
    assert proven.replay_until > NOW + timedelta(seconds=300)


def test_an_answer_must_be_the_towns_and_not_ours() -> None:
    us, town = signing_identity("us"), signing_identity("town", "ec")
    exchange = SignedExchange(us, [der_of(town)], clock=lambda: NOW)
    exchange.verify(ours(town))
    with pytest.raises(
        UnauthenticatedError
    ) as refusal:  # zeep #822: checked with the caller's own certificate
        exchange.verify(ours(us))
    assert refusal.value.code == "certificate-unknown"
    with pytest.raises(UnauthenticatedError) as refusal:
        exchange.verify(ours(town, at=NOW - timedelta(minutes=6)))
    assert refusal.value.code == "message-expired"
    with pytest.raises(UnauthenticatedError) as refusal:
        exchange.verify(new_envelope("1.1", content()))
    assert refusal.value.code == "security-missing"


def test_our_call_is_signed_in_place() -> None:
    us = signing_identity("us")
    envelope, headers = SignedExchange(us, [], clock=lambda: NOW).apply(
        new_envelope("1.2", content()), {"a": "b"}
    )
    assert headers == {"a": "b"}
    assert envelope.find(f".//{{{DS}}}Signature") is not None
    prove(parse_xml(etree.tostring(envelope, encoding="UTF-8"), "message"), [der_of(us)], NOW)


def test_another_message_has_another_replay_id_and_the_same_has_the_same() -> None:
    identity = signing_identity("town", "ec")
    message = ours(identity)
    listed = [der_of(identity)]
    assert prove(message, listed, NOW).replay_id == prove(message, listed, NOW).replay_id
    assert prove(message, listed, NOW).replay_id != prove(ours(identity), listed, NOW).replay_id
