"""SOAP 1.1 envelopes as this town makes and checks them: lxml and signxml only, nothing of the gateway's."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from lxml import etree  # type: ignore[import-untyped]
from signxml.algorithms import DigestAlgorithm, SignatureConstructionMethod, SignatureMethod
from signxml.exceptions import InvalidInput, InvalidSignature
from signxml.signer import XMLSigner
from signxml.verifier import SignatureConfiguration, XMLVerifier

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
LIVES = timedelta(minutes=5)


class EnvelopeError(Exception):
    """A message that is not to be believed, or not to be read."""


@dataclass(frozen=True, slots=True)
class Signing:
    """A key and its certificate (PEM files), and the certificates the other side signs with."""

    key: Path = field(repr=False)
    certificate: Path
    others: tuple[Path, ...]


def envelope_of(content: Any, signing: Signing, *, made_at: datetime | None = None) -> bytes:
    """Content in an envelope, Body and Timestamp signed."""
    made_at = made_at or datetime.now(UTC)
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP, "wsu": WSU})
    header = etree.SubElement(envelope, f"{{{SOAP}}}Header")
    security = etree.SubElement(header, f"{{{WSSE}}}Security", nsmap={"wsse": WSSE})
    security.set(f"{{{SOAP}}}mustUnderstand", "1")
    timestamp = etree.SubElement(security, f"{{{WSU}}}Timestamp")
    etree.SubElement(timestamp, f"{{{WSU}}}Created").text = _instant(made_at)
    etree.SubElement(timestamp, f"{{{WSU}}}Expires").text = _instant(made_at + LIVES)
    body = etree.SubElement(envelope, f"{{{SOAP}}}Body")
    body.append(content)
    names = []
    for element in (timestamp, body):
        name = f"id-{uuid.uuid4()}"
        element.set(f"{{{WSU}}}Id", name)
        names.append(f"#{name}")
    key = load_pem_private_key(signing.key.read_bytes(), None)
    kind = "rsa" if isinstance(key, rsa.RSAPrivateKey) else "ecdsa"
    signer = XMLSigner(SignatureConstructionMethod.detached, f"{kind}-sha256", "sha256", EXCLUSIVE)
    first = x509.load_pem_x509_certificates(signing.certificate.read_bytes())[0]
    shown = first.public_bytes(Encoding.PEM).decode()
    security.append(signer.sign(envelope, key=key, cert=shown, reference_uri=names))  # type: ignore[arg-type]
    written: bytes = etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")
    return written


def content_of(message: bytes, signing: Signing) -> Any:
    """The element in the Body of a message that one of the others signed, lately. Raises EnvelopeError."""
    root = tree_of(message)
    for path in signing.others:
        for certificate in x509.load_pem_x509_certificates(path.read_bytes())[:1]:
            found = _signed_parts(root, certificate)
            if found is not None:
                return _checked(found)
    raise EnvelopeError("the signature is none of those we know")


def tree_of(message: bytes) -> Any:
    """A tree without entities and network. Raises EnvelopeError."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(message, parser)
    except etree.XMLSyntaxError as exc:
        raise EnvelopeError("no XML") from exc
    if root.getroottree().docinfo.internalDTD is not None or root.tag != f"{{{SOAP}}}Envelope":
        raise EnvelopeError("no SOAP 1.1 envelope")
    return root


def _signed_parts(root: Any, certificate: x509.Certificate) -> dict[str, Any] | None:
    methods = frozenset({SignatureMethod.RSA_SHA256, SignatureMethod.ECDSA_SHA256})
    config = SignatureConfiguration(
        location=".//", expect_references=2, signature_methods=methods, digest_algorithms=frozenset({DigestAlgorithm.SHA256})
    )  # fmt: skip
    try:
        found = XMLVerifier().verify(root, x509_cert=certificate, expect_config=config)
    except (InvalidSignature, InvalidInput, ValueError):
        return None
    parts = found if isinstance(found, list) else [found]
    return {etree.QName(part.signed_xml).localname: part.signed_xml for part in parts}


def _checked(parts: dict[str, Any]) -> Any:
    if set(parts) != {"Body", "Timestamp"}:
        raise EnvelopeError("Body and Timestamp must be signed")
    created = datetime.fromisoformat(parts["Timestamp"].findtext(f"{{{WSU}}}Created"))
    if abs(datetime.now(UTC) - created) > LIVES:
        raise EnvelopeError("the message is not of now")
    (content,) = parts["Body"]
    return content


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
