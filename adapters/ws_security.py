"""WS-Security with X.509 certificates (WSS SOAP Message Security 1.1, X.509 Certificate Token Profile 1.1): signing and proving.

One narrow profile, checked by itself and not by a general verifier with options (docs/decisions, SOAP signatures). One Security
header with one Timestamp and one Signature; Body and Timestamp both signed; every reference is `#id` to an element at its own
place, through exclusive canonicalization and nothing else; SHA-256 with RSA or ECDSA. The key comes from the town's list: what
the message says about its certificate only picks one from there. What is read afterwards is what was digested, to the byte.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from lxml import etree  # type: ignore[import-untyped]

from adapters.soap_reading import ENVELOPES, Element, canonical, local_name
from adapters.soap_time import check_fresh, read_instant, wire_instant
from schemas.errors import UnauthenticatedError
from schemas.soap import FRESH_S, SigningIdentity

WSSE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
DS: Final = "http://www.w3.org/2000/09/xmldsig#"
EXC_C14N: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
SHA256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"
RSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
ECDSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
_TOKENS: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0"
X509V3: Final = _TOKENS + "#X509v3"
BASE64: Final = (
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
)
ID: Final = f"{{{WSU}}}Id"
MAX_REFERENCES: Final = 8
#: Elements of which a message has at most one, wherever it may stand: a second one is how signatures are wrapped.
_SINGLE: Final = ((WSSE, "Security"), (WSU, "Timestamp"), (DS, "Signature"), (WSSE, "BinarySecurityToken"))
_IDS: Final = (
    "//@*[local-name() = 'Id' or local-name() = 'ID' or local-name() = 'id' or local-name() = 'AssertionID']"
)


class Proven(NamedTuple):
    """A message whose signature stands."""

    body: bytes  # the Body element, canonical, exactly the bytes that were digested
    certificate: bytes  # DER; on the list
    replay_id: bytes  # 32 bytes: what was signed, by whom
    replay_until: datetime


def refused(what: str, code: str, where: str = "Security", remedy: str | None = None) -> UnauthenticatedError:
    """A security refusal. It says which rule was broken; it repeats nothing of the message."""
    return UnauthenticatedError(what, code=code, where=where, remedy=remedy)


def single_security(root: Element) -> Element:
    """The one Security header, or a refusal. Nothing that must be single stands twice anywhere; no id stands twice."""
    envelope = root.tag.partition("}")[0][1:]
    for namespace, name in (*_SINGLE, (envelope, "Body"), (envelope, "Header"), (envelope, "Envelope")):
        found = root.xpath("count(//n:*[local-name() = $name])", namespaces={"n": namespace}, name=name)
        if found > 1:
            raise refused(f"the message has {int(found)} elements {name}", "element-twice", name, "send one")
    for other in ENVELOPES.values():
        if other != envelope and root.xpath("boolean(//n:*)", namespaces={"n": other}):
            raise refused("the message mixes two versions of SOAP", "soap-version-mixed", "Envelope")
    ids = root.xpath(_IDS)
    if len(set(ids)) != len(ids):
        raise refused("an id stands at two elements", "id-twice", "Id", "give every element an id of its own")
    found = root.findall(f"{{{envelope}}}Header/{{{WSSE}}}Security")
    if not found:
        raise refused("the message has no Security header", "security-missing", "Header")
    return found[0]


def timestamp_of(security: Element) -> Element:
    """The Timestamp directly below the Security header."""
    found = security.find(f"{{{WSU}}}Timestamp")
    if found is None:
        raise refused(
            "the Security header has no Timestamp", "timestamp-missing", remedy="add one and sign it"
        )
    return found


def prove(root: Element, listed: Sequence[bytes], now: datetime) -> Proven:
    """Prove that the message was signed with one of the `listed` certificates (DER), and lately.

    Raises UnauthenticatedError with a code of its own for each rule; docs/soap.md has the list."""
    security = single_security(root)
    timestamp = timestamp_of(security)
    created = check_fresh(
        timestamp.findtext(f"{{{WSU}}}Created"), timestamp.findtext(f"{{{WSU}}}Expires"), now
    )
    signature = security.find(f"{{{DS}}}Signature")
    if signature is None:
        raise refused(
            "the Security header has no Signature", "signature-missing", remedy="sign Body and Timestamp"
        )
    signed = _child(signature, "SignedInfo")
    _check_shape(signature, signed)
    envelope = root.tag.partition("}")[0]
    body = root.find(f"{envelope}}}Body")
    if body is None:
        raise refused("the message has no Body", "body-missing", "Body")
    places = _signed_places(root, security)
    digested: dict[Element, bytes] = {}
    for reference in signed.findall(f"{{{DS}}}Reference"):
        target, data = _dereference(reference, places)
        digested[target] = data
    for needed, name in ((body, "Body"), (timestamp, "Timestamp")):
        if needed not in digested:
            raise refused(
                f"the {name} is not signed", f"{name.lower()}-unsigned", name, "sign Body and Timestamp"
            )
    info = canonical(signed, _prefixes(_child(signed, "CanonicalizationMethod")))
    certificate = _pick_certificate(security, signature, listed, now)
    _check_signature(signed, signature, info, certificate)
    der = certificate.public_bytes(Encoding.DER)
    # What was signed, not the signature's value: an ECDSA value has a twin that verifies too.
    replay_id = hashlib.sha256(der + hashlib.sha256(info).digest()).digest()
    return Proven(digested[body], der, replay_id, created + timedelta(seconds=FRESH_S + 60))


def _check_shape(signature: Element, signed: Element) -> None:
    names = [local_name(child) for child in signature if child.tag.startswith(f"{{{DS}}}")]
    if names != ["SignedInfo", "SignatureValue", "KeyInfo"] or len(names) != len(signature):
        raise refused(
            "the Signature has other parts than SignedInfo, SignatureValue and KeyInfo",
            "signature-shape",
            "Signature",
        )
    references = signed.findall(f"{{{DS}}}Reference")
    if not 1 <= len(references) <= MAX_REFERENCES:
        raise refused(f"a signature has 1 to {MAX_REFERENCES} references", "signature-shape", "SignedInfo")
    if len(signed) != len(references) + 2:
        raise refused("SignedInfo has parts that are not known here", "signature-shape", "SignedInfo")
    if _algorithm(signed, "CanonicalizationMethod") != EXC_C14N:
        raise refused("SignedInfo is not in exclusive canonical XML", "algorithm-refused", "CanonicalizationMethod",
                      f"use {EXC_C14N}")  # fmt: skip
    if _algorithm(signed, "SignatureMethod") not in (RSA_SHA256, ECDSA_SHA256):
        raise refused("this signature algorithm is not taken", "algorithm-refused", "SignatureMethod",
                      "use rsa-sha256 or ecdsa-sha256")  # fmt: skip


def _signed_places(root: Element, security: Element) -> dict[str, Element]:
    """Id → element, for the only places a reference may point to: Body, the header's blocks, and what Security holds."""
    places = [*root, *root[0], *security]
    found: dict[str, Element] = {}
    for element in places:
        for name in (ID, "Id"):
            if (value := element.get(name)) is not None:
                found[value] = element
    return found


def _dereference(reference: Element, places: dict[str, Element]) -> tuple[Element, bytes]:
    """The element a reference points to, and its canonical bytes, digested and found equal."""
    uri = reference.get("URI", "")
    target = places.get(uri[1:]) if uri.startswith("#") and len(uri) > 1 else None
    if target is None:
        raise refused("a reference points to no signed place of the message", "reference-refused", "Reference",
                      "refer to Body, Timestamp and header blocks as #id")  # fmt: skip
    if reference.get("Type") is not None or len(reference) != 3:
        raise refused("a reference has parts that are not known here", "reference-refused", "Reference")
    transforms = _child(reference, "Transforms")
    if len(transforms) != 1 or transforms[0].get("Algorithm") != EXC_C14N:
        raise refused("a reference goes through other transforms than exclusive canonicalization", "transform-refused",
                      "Transforms", f"use {EXC_C14N} alone")  # fmt: skip
    if _algorithm(reference, "DigestMethod") != SHA256:
        raise refused("this digest algorithm is not taken", "algorithm-refused", "DigestMethod", "use sha256")
    data = canonical(target, _prefixes(transforms[0]))
    if not hmac.compare_digest(hashlib.sha256(data).digest(), _bytes(_child(reference, "DigestValue"))):
        raise refused(f"{local_name(target)} is not what was signed", "digest-mismatch", local_name(target))
    return target, data


def _pick_certificate(
    security: Element, signature: Element, listed: Sequence[bytes], now: datetime
) -> x509.Certificate:
    """The listed certificate that the message names, within its dates. Nothing from the message is trusted."""
    der = _named_certificate(security, signature, listed)
    if der is None or not any(hmac.compare_digest(der, known) for known in listed):
        raise refused("the certificate is not on the town's list", "certificate-unknown", "KeyInfo",
                      "sign with the certificate that was registered; during rollover two may be")  # fmt: skip
    certificate = x509.load_der_x509_certificate(der)
    if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
        raise refused("the certificate is outside its dates", "certificate-expired", "KeyInfo")
    return certificate


def _named_certificate(security: Element, signature: Element, listed: Sequence[bytes]) -> bytes | None:
    key_info = _child(signature, "KeyInfo")
    if len(key_info) != 1:
        raise refused("KeyInfo says more or less than one certificate", "key-info-refused", "KeyInfo")
    only = key_info[0]
    if only.tag == f"{{{WSSE}}}SecurityTokenReference" and len(only) == 1:
        only = only[0]
        if only.tag == f"{{{WSSE}}}Reference":
            token = security.find(f"{{{WSSE}}}BinarySecurityToken")
            if token is None or token.get(ID) is None or only.get("URI") != "#" + token.get(ID):
                raise refused("KeyInfo refers to no token of the message", "key-info-refused", "KeyInfo")
            return _bytes(token)
    if only.tag == f"{{{DS}}}X509Data":
        whole = only.find(f"{{{DS}}}X509Certificate")
        if whole is not None:
            return _bytes(whole)
        serial = only.findtext(f"{{{DS}}}X509IssuerSerial/{{{DS}}}X509SerialNumber")
        for der in listed:
            if serial is not None and serial.strip() == str(
                x509.load_der_x509_certificate(der).serial_number
            ):
                return der
        return None
    raise refused("KeyInfo names no certificate", "key-info-refused", "KeyInfo",
                  "use a BinarySecurityToken, X509Certificate or X509IssuerSerial")  # fmt: skip


def _check_signature(signed: Element, signature: Element, info: bytes, certificate: x509.Certificate) -> None:
    value = _bytes(_child(signature, "SignatureValue"))
    method, key = _algorithm(signed, "SignatureMethod"), certificate.public_key()
    try:
        if method == RSA_SHA256 and isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048:
            key.verify(value, info, padding.PKCS1v15(), hashes.SHA256())
            return
        if method == ECDSA_SHA256 and isinstance(key, ec.EllipticCurvePublicKey):
            size = (key.key_size + 7) // 8
            if len(value) == 2 * size:  # XML Signature 1.1 section 6.4.3: r and s, each as long as the field
                pair = int.from_bytes(value[:size], "big"), int.from_bytes(value[size:], "big")
                key.verify(encode_dss_signature(*pair), info, ec.ECDSA(hashes.SHA256()))
                return
        else:
            raise refused("the algorithm is not the certificate's", "algorithm-refused", "SignatureMethod")
    except InvalidSignature:
        pass
    raise refused("the signature does not stand", "signature-mismatch", "SignatureValue")


def _child(parent: Element, name: str) -> Element:
    found = parent.findall(f"{{{DS}}}{name}")
    if len(found) != 1:
        raise refused(f"{local_name(parent)} needs one {name}", "signature-shape", local_name(parent))
    return found[0]


def _algorithm(parent: Element, name: str) -> str:
    return str(_child(parent, name).get("Algorithm", ""))


def _prefixes(method: Element) -> list[str] | None:
    """InclusiveNamespaces of an exclusive canonicalization; nothing else may stand there."""
    if not len(method):
        return None
    if len(method) == 1 and method[0].tag == f"{{{EXC_C14N}}}InclusiveNamespaces":
        return str(method[0].get("PrefixList", "")).split()[:16]
    raise refused(
        "a canonicalization has parameters that are not known here", "transform-refused", "Transforms"
    )


def _bytes(element: Element) -> bytes:
    try:
        return base64.b64decode("".join((element.text or "").split()), validate=True)
    except (binascii.Error, ValueError):
        raise refused(
            f"{local_name(element)} is not Base64", "signature-shape", local_name(element)
        ) from None


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs envelopes with one key; made once, used by all threads."""

    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    token: str  # the certificate, Base64 of DER

    @classmethod
    def of(cls, identity: SigningIdentity) -> Signer:
        """Raises ValueError when the key is neither RSA nor on a curve."""
        key = load_pem_private_key(identity.key_pem, None)
        if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
            raise ValueError("a signing key is RSA or elliptic curve")
        certificate = x509.load_pem_x509_certificate(identity.certificate_pem)
        return cls(key, base64.b64encode(certificate.public_bytes(Encoding.DER)).decode())

    def sign(self, envelope: Element, now: datetime) -> None:
        """Add a Security header with certificate, Timestamp and a Signature over both Body and Timestamp, in place."""
        space = envelope.tag.partition("}")[0] + "}"
        body = envelope.find(f"{space}Body")
        header = envelope.find(f"{space}Header")
        if header is None:
            header = etree.Element(f"{space}Header")
            envelope.insert(0, header)
        marks = {name: f"{name}-{secrets.token_hex(8)}" for name in ("body", "time", "cert")}
        body.set(ID, marks["body"])
        security = etree.SubElement(header, f"{{{WSSE}}}Security", nsmap={"wsse": WSSE, "wsu": WSU})
        security.set(f"{space}mustUnderstand", "1")
        token = etree.SubElement(
            security, f"{{{WSSE}}}BinarySecurityToken", EncodingType=BASE64, ValueType=X509V3
        )
        token.set(ID, marks["cert"])
        token.text = self.token
        timestamp = etree.SubElement(security, f"{{{WSU}}}Timestamp")
        timestamp.set(ID, marks["time"])
        etree.SubElement(timestamp, f"{{{WSU}}}Created").text = wire_instant(now)
        etree.SubElement(timestamp, f"{{{WSU}}}Expires").text = wire_instant(now + timedelta(seconds=FRESH_S))
        signature = etree.SubElement(security, f"{{{DS}}}Signature", nsmap={"ds": DS})
        signed = etree.SubElement(signature, f"{{{DS}}}SignedInfo")
        etree.SubElement(signed, f"{{{DS}}}CanonicalizationMethod", Algorithm=EXC_C14N)
        method = RSA_SHA256 if isinstance(self.key, rsa.RSAPrivateKey) else ECDSA_SHA256
        etree.SubElement(signed, f"{{{DS}}}SignatureMethod", Algorithm=method)
        for target, mark in ((timestamp, marks["time"]), (body, marks["body"])):
            reference = etree.SubElement(signed, f"{{{DS}}}Reference", URI=f"#{mark}")
            transforms = etree.SubElement(reference, f"{{{DS}}}Transforms")
            etree.SubElement(transforms, f"{{{DS}}}Transform", Algorithm=EXC_C14N)
            etree.SubElement(reference, f"{{{DS}}}DigestMethod", Algorithm=SHA256)
            digest = hashlib.sha256(canonical(target)).digest()
            etree.SubElement(reference, f"{{{DS}}}DigestValue").text = base64.b64encode(digest).decode()
        value = etree.SubElement(signature, f"{{{DS}}}SignatureValue")
        value.text = base64.b64encode(self._value(canonical(signed))).decode()
        key_info = etree.SubElement(signature, f"{{{DS}}}KeyInfo")
        pointer = etree.SubElement(key_info, f"{{{WSSE}}}SecurityTokenReference")
        etree.SubElement(pointer, f"{{{WSSE}}}Reference", URI=f"#{marks['cert']}", ValueType=X509V3)

    def _value(self, info: bytes) -> bytes:
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(info, padding.PKCS1v15(), hashes.SHA256())
        size = (self.key.key_size + 7) // 8
        r, s = decode_dss_signature(self.key.sign(info, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")


__all__ = [
    "DS",
    "ID",
    "WSSE",
    "WSU",
    "Proven",
    "Signer",
    "prove",
    "read_instant",
    "refused",
    "single_security",
    "timestamp_of",
]
