"""Messages of the invented SOAP towns, made here and by no code of the gateway: templates filled in, and signed in every way,
right and wrong, that a template asks for.

A template is a whole message with places: {{PAYLOAD}} {{BODY}} {{TOKEN}} {{TIMESTAMP}} {{SIGNATURE}} {{EVIL}} … The signature is
always made over the valid message; an attack then puts its parts somewhere else, or something else in their place.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from lxml import etree  # type: ignore[import-untyped]

from schemas.soap import SigningIdentity
from tests.plain_town import invented_id_no

ATTACKS = Path(__file__).parent / "data" / "attacks" / "soap"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
DS = "http://www.w3.org/2000/09/xmldsig#"
EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
NS = "urn:example:points:1"
OPEN = {
    "1.1": f'<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}">',
    "1.2": f'<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope" xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}">',
}
X509V3 = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3"
DIGEST_URI = {
    "sha1": DS + "sha1",
    "sha256": "http://www.w3.org/2001/04/xmlenc#sha256",
    "sha512": "http://www.w3.org/2001/04/xmlenc#sha512",
}
SIGNATURE_URI = {
    "rsa-sha1": DS + "rsa-sha1",
    "rsa-sha256": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "rsa-sha512": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
    "hmac-sha256": "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
    "hmac-sha1": DS + "hmac-sha1",
    "ecdsa-sha256": "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
}
HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),
    "sha256": hashes.SHA256(),
    "sha512": hashes.SHA512(),
}
PASSWORD_DIGEST = (
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest"
)


@dataclass(frozen=True)
class Signing:
    """How a message is signed; the defaults are right, an attack changes one thing."""

    key: str = "town"  # whose key: a name in `keys`
    digest: str = "sha256"
    method: str = "rsa-sha256"
    canonicalization: str = EXC
    transforms: tuple[str, ...] = (EXC,)
    transform_inside: str = ""  # XML inside the first Transform
    references: tuple[str, ...] = ("#ts", "#body")
    key_info: str = "token"  # 'token' | 'x509' | 'serial' | 'key-value' | 'none'
    shown: str = ""  # whose certificate is shown, when not the key's
    made_s: int = 0  # Created, seconds from now
    ends_s: int = 300  # Expires, from Created
    zone: str = "Z"


@dataclass
class Maker:
    """Makes messages with these keys (by name) and these credentials."""

    keys: dict[str, SigningIdentity]
    username: str = ""
    password: str = ""
    serials: int = field(default=0)

    def payload(self, points: str = "12.5", name: str = "𠮷田·买买提", serial: str | None = None) -> str:
        """A push of one item with a serial nobody used, in no namespace prefix."""
        self.serials += 1
        serial = serial or f"S{self.serials}-{os.urandom(4).hex()}"
        at = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        return (
            f'<PushRequest xmlns="{NS}"><Serial>{serial}</Serial><Item><Reference>R-{serial}</Reference>'
            f"<Household>F1</Household><IdNo>{invented_id_no(1)}</IdNo><Name>{name}</Name><Activity>sorting</Activity>"
            f"<Points>{points}</Points><At>{at}</At></Item></PushRequest>"
        )

    def fill(self, template: str, signing: Signing | None = None, **places: str) -> str:
        """The message a template describes, signed as `signing` says."""
        signing = signing or Signing()
        made = datetime.now(UTC) + timedelta(seconds=signing.made_s)
        found = {
            "PAYLOAD": self.payload(),
            "EVIL": self.payload("9999"),
            "CREATED": _instant(made, signing.zone),
            "EXPIRES": _instant(made + timedelta(seconds=signing.ends_s), signing.zone),
            "OPEN11": OPEN["1.1"],
            "OPEN12": OPEN["1.2"],
            **places,
        }
        found["TIMESTAMP"] = (
            f'<wsu:Timestamp wsu:Id="ts"><wsu:Created>{found["CREATED"]}</wsu:Created>'
            f"<wsu:Expires>{found['EXPIRES']}</wsu:Expires></wsu:Timestamp>"
        )
        found["BODY"] = f'<soap:Body wsu:Id="body">{found["PAYLOAD"]}</soap:Body>'
        shown = self.keys[signing.shown or signing.key]
        found["TOKEN"] = (
            f'<wsse:BinarySecurityToken wsu:Id="cert" ValueType="{X509V3}">{_der64(shown)}</wsse:BinarySecurityToken>'
        )
        if "{{SIGNATURE}}" in template:
            found["SIGNATURE"] = self._signature(found, signing, shown)
        found.update(self._username(found["CREATED"], places))
        for _ in range(2):  # a place may hold a place
            for name, text in found.items():
                template = template.replace("{{" + name + "}}", text)
        return template

    def _signature(self, found: dict[str, str], signing: Signing, shown: SigningIdentity) -> str:
        """ds:Signature over the valid message: OPEN11, Security with TOKEN and TIMESTAMP, BODY."""
        whole = etree.fromstring(
            f"{OPEN['1.1']}<soap:Header><wsse:Security>{found['TOKEN']}{found['TIMESTAMP']}</wsse:Security></soap:Header>"
            f"{found['BODY']}</soap:Envelope>"
        )
        places = {"#ts": whole[0][0][1], "#body": whole[1], "#cert": whole[0][0][0], "": whole}
        references = ""
        for uri in signing.references:
            target = places.get(uri, whole)
            digest = hashlib.new(signing.digest, _canonical(target)).digest()
            transforms = "".join(
                f'<ds:Transform Algorithm="{t}">{signing.transform_inside if not n else ""}</ds:Transform>'
                for n, t in enumerate(signing.transforms)
            )
            references += (
                f'<ds:Reference URI="{uri}"><ds:Transforms>{transforms}</ds:Transforms><ds:DigestMethod Algorithm='
                f'"{DIGEST_URI[signing.digest]}"/><ds:DigestValue>{_64(digest)}</ds:DigestValue></ds:Reference>'
            )
        info = (
            f'<ds:SignedInfo xmlns:ds="{DS}"><ds:CanonicalizationMethod Algorithm="{signing.canonicalization}"/>'
            f'<ds:SignatureMethod Algorithm="{SIGNATURE_URI[signing.method]}"/>{references}</ds:SignedInfo>'
        )
        value = self._value(_canonical(etree.fromstring(info)), signing, shown)
        return (
            f'<ds:Signature xmlns:ds="{DS}">{info}<ds:SignatureValue>{_64(value)}</ds:SignatureValue>'
            f"{_key_info(signing.key_info, shown)}</ds:Signature>"
        )

    def _value(self, info: bytes, signing: Signing, shown: SigningIdentity) -> bytes:
        if signing.method.startswith("hmac"):  # the confusion: the public certificate as a shared secret
            return hmac.digest(base64.b64decode(_der64(shown)), info, signing.method.partition("-")[2])
        key: Any = load_pem_private_key(self.keys[signing.key].key_pem, None)
        algorithm = HASHES[signing.method.split("-")[1]]
        assert isinstance(key, rsa.RSAPrivateKey)
        return key.sign(info, padding.PKCS1v15(), algorithm)

    def _username(self, created: str, places: dict[str, str]) -> dict[str, str]:
        nonce = base64.b64decode(places["NONCE"]) if "NONCE" in places else os.urandom(16)
        password = places.get("SECRET", self.password)
        digest = hashlib.sha1(nonce + created.encode() + password.encode()).digest()
        return {
            "NONCE": _64(nonce), "PASSWORD": _64(digest), "USERNAME": places.get("USERNAME", self.username),
            "DIGEST": PASSWORD_DIGEST, "SECRET": password,
        }  # fmt: skip


def _canonical(element: Any) -> bytes:
    written: bytes = etree.tostring(element, method="c14n", exclusive=True, with_comments=False)
    return written


def _key_info(kind: str, shown: SigningIdentity) -> str:
    certificate = x509.load_pem_x509_certificate(shown.certificate_pem)
    if kind == "token":
        inside = f'<wsse:SecurityTokenReference><wsse:Reference URI="#cert" ValueType="{X509V3}"/></wsse:SecurityTokenReference>'
    elif kind == "x509":
        inside = f"<ds:X509Data><ds:X509Certificate>{_der64(shown)}</ds:X509Certificate></ds:X509Data>"
    elif kind == "serial":
        inside = (
            f"<ds:X509Data><ds:X509IssuerSerial><ds:X509IssuerName>{certificate.issuer.rfc4514_string()}</ds:X509IssuerName>"
            f"<ds:X509SerialNumber>{certificate.serial_number}</ds:X509SerialNumber></ds:X509IssuerSerial></ds:X509Data>"
        )
    elif kind == "key-value":
        key: Any = certificate.public_key()
        numbers = key.public_numbers()
        modulus = numbers.n.to_bytes(256, "big")
        inside = (
            f"<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>{_64(modulus)}</ds:Modulus>"
            f"<ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>"
        )
    else:
        inside = ""
    return f"<ds:KeyInfo>{inside}</ds:KeyInfo>"


def _der64(identity: SigningIdentity) -> str:
    return _64(x509.load_pem_x509_certificate(identity.certificate_pem).public_bytes(Encoding.DER))


def _64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _instant(at: datetime, zone: str) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}{zone}"
