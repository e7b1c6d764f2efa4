"""A served gateway with the two invented SOAP towns, their clients registered, and a sender that posts raw bytes."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree  # type: ignore[import-untyped]

from adapters import registry
from gateway.flows.register_soap_client import register_soap_client
from schemas.oauth import SCOPES
from schemas.soap import SigningIdentity, SoapRegistration
from schemas.values import TownCode
from tests import soap_town
from tests.conftest import TestDatabase
from tests.served import Served, served_gateway
from tests.soap_keys import der_of, signing_identity
from tests.soap_messages import ATTACKS, NS, Maker, Signing
from tests.soap_town import SIGNED, TOKEN

REFUSAL = "urn:gateway:refusal:1"
KEPT = ("contribution", "contribution_batch", "record", "person", "consent", "quarantined_item")
USERNAME, PASSWORD = "points-town", "an invented secret of many characters"


@dataclass
class SoapStage:
    """The served gateway, and who may speak to its SOAP doors."""

    served: Served
    database: TestDatabase
    maker: Maker
    client_certificate: tuple[Path, Path]
    other_certificate: tuple[Path, Path]
    sessions: dict[tuple[Path, Path] | None, requests.Session] = field(default_factory=dict)  # by certificate

    @property
    def x5t(self) -> str:
        """Of the token town's connections."""
        return x5t(self.client_certificate[0])

    def address(self, town: TownCode) -> str:
        return f"{self.served.url}/towns/{town}/soap"

    def post(
        self,
        town: TownCode,
        body: bytes | Iterator[bytes],
        *,
        certificate: tuple[Path, Path] | None = None,
        **headers: str,
    ) -> requests.Response:
        """POST as a client of the town would; headers are given with '_' for '-'."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if town == SIGNED:
            sent = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{NS}/Push"', **sent}
        else:
            sent = {"Content-Type": "application/soap+xml; charset=GB18030", **sent}
        session = self.sessions.get(certificate)
        if session is None:
            session = self.sessions[certificate] = requests.Session()
            session.trust_env = False
            session.verify = str(self.served.certificates.ca_cert)
            session.cert = None if certificate is None else (str(certificate[0]), str(certificate[1]))
        headers = {name: value for name, value in sent.items() if value}
        return session.post(self.address(town), data=body, timeout=60, headers=headers)

    def message(self, town: TownCode, signing: Signing | None = None, **places: str) -> bytes:
        """A right message of the town, from its template."""
        name, encoding = ("valid-signed.xml", "utf-8") if town == SIGNED else ("valid-token.xml", "gb18030")
        return self.maker.fill((ATTACKS / name).read_text("utf-8"), signing, **places).encode(encoding)

    def send(self, town: TownCode, body: bytes, operation: str = "Push", **headers: str) -> requests.Response:
        """Post a message as the town's client does."""
        certificate = None if town == SIGNED else self.client_certificate
        if town == SIGNED:
            headers = {"SOAPAction": f'"{NS}/{operation}"', **headers}
        return self.post(town, body, certificate=certificate, **headers)

    def push(
        self, town: TownCode, signing: Signing | None = None, operation: str = "Push", **places: str
    ) -> requests.Response:
        """Make a right message and post it."""
        return self.send(town, self.message(town, signing, **places), operation)

    def stored(self) -> dict[str, int]:
        """How many rows a message may have left behind."""
        counts = ", ".join(f"(select count(*) from {table})" for table in KEPT)
        (row,) = self.database.sql(f"select {counts}")
        return dict(zip(KEPT, (int(str(n)) for n in row), strict=True))


def statuses(answer: requests.Response) -> list[str]:
    """The status of each item of an answer."""
    return [e.text for e in etree.fromstring(answer.content).iter(f"{{{NS}}}Status")]


def refusal(answer: requests.Response) -> Mapping[str, str]:
    """What a Fault says: Code, What, Where, Remedy, CorrelationId; {} when the answer is no Fault."""
    root = etree.fromstring(answer.content)
    found = root.find(f".//{{{REFUSAL}}}Refusal")
    return {} if found is None else {str(e.tag).rpartition("}")[2]: e.text or "" for e in found}


def x5t(path: Path) -> str:
    """The x5t#S256 of the first certificate of a PEM file."""
    der = x509.load_pem_x509_certificates(path.read_bytes())[0].public_bytes(Encoding.DER)
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


@contextmanager
def joined() -> Iterator[None]:
    """The invented towns on the registry's list, in this process, and off again."""
    before = registry.TOWNS
    soap_town.join()
    try:
        yield
    finally:
        registry.TOWNS = before  # type: ignore[misc]


@contextmanager
def soap_stage(database: TestDatabase, folder: Path, **settings: Any) -> Iterator[SoapStage]:
    """Serve, register both clients and a household with consents, and hand over."""
    with joined(), served_gateway(database, folder, ("-m", "tests.soap_town"), **settings) as served:
        made = served.certificates
        keys: dict[str, SigningIdentity] = {
            "town": signing_identity("town"),
            "next": signing_identity("town next"),
            "stranger": signing_identity("stranger"),
            "expired": signing_identity("town old", days=1, age_days=3),
        }
        now = datetime.now(UTC)
        scopes = tuple(SCOPES)
        listed = tuple(der_of(keys[name]) for name in ("town", "next", "expired"))
        register_soap_client(served.house, SoapRegistration("signed-town", SIGNED, scopes, listed), now=now)
        certificate = made.client("lijiayuan")
        register_soap_client(
            served.house,
            SoapRegistration("token-town", TOKEN, scopes, (), (x5t(certificate[0]),), USERNAME, PASSWORD),
            now=now,
        )
        stage = SoapStage(served, database, Maker(keys, USERNAME, PASSWORD), certificate, made.client("bank"))
        yield stage
        for session in stage.sessions.values():
            session.close()
