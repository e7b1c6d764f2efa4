"""五和众联 (Wuhe Zhonglian), the points platform of Heshang town, 330109101: households, and a list a quarter.

Speaks: SOAP 1.1, signed both ways (WS-Security X.509). In: lists, corrections after an objection, receipts, households with their
consents, withdrawals (contract/gateway.wsdl). Out: freezes, inquiry, balance, day statement (contract/platform.wsdl).
Version: wuhe_zhonglian/1. The list is the truth: a second one of the same quarter replaces the first by difference.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificates

from adapters.soap_client import Reach, SoapAccess
from adapters.ws_security_calls import SignedExchange
from adapters.wuhe_zhonglian.answers import create_service
from adapters.wuhe_zhonglian.client import WuheClient
from adapters.wuhe_zhonglian.mapping import CAPABILITIES, CONTRACT, PLATFORM, PROFILE, WuheReader
from schemas.errors import InvalidError
from schemas.soap import SigningIdentity, SoapTown

__all__ = ["CAPABILITIES", "PROFILE", "Config", "create_client", "create_reader", "create_soap"]


@dataclass(frozen=True, slots=True)
class Config:
    """How the town is reached. Times in seconds; paths are files."""

    address: str  # https://host:port, without a path at the end
    signing_cert: Path  # what our requests are signed with (PEM)
    signing_key: Path = field(repr=False)
    answers_from: (
        Path  # the town's certificates, that its answers are signed with: two in one file during rollover
    )
    ca_file: Path | None = None  # authorities of the town's server certificate; None: the system's
    client_cert: Path | None = None
    client_key: Path | None = field(default=None, repr=False)
    path: str = "/services/points"
    connect_timeout_s: float = 3.0
    answer_timeout_s: float = 10.0
    total_timeout_s: float = 20.0
    sandbox: bool = False  # a simulator; refused in production


def create_reader() -> WuheReader:
    """Their words to ours: pure, one for all threads."""
    return WuheReader()


def create_soap(signing: SigningIdentity) -> SoapTown:
    """The town's SOAP service at our door; the WSDL is read now, once."""
    return create_service(signing)


def create_client(config: Config) -> WuheClient:
    """Calls out to the town. The WSDL and the certificates are read now; nothing is connected until the first call."""
    if not config.answers_from.is_file():
        raise InvalidError("the town's certificates are missing", code="neighbour-settings", where="wuhe_zhonglian.answers_from",
                           remedy="put the certificates that the town signs its answers with into one PEM file")  # fmt: skip
    listed = load_pem_x509_certificates(config.answers_from.read_bytes())[:2]
    exchange = SignedExchange(
        SigningIdentity(config.signing_key.read_bytes(), config.signing_cert.read_bytes()),
        [certificate.public_bytes(Encoding.DER) for certificate in listed],
    )
    client = (config.client_cert, config.client_key) if config.client_cert and config.client_key else None
    return WuheClient(
        SoapAccess(
            Reach(
                neighbour="wuhe_zhonglian",
                wsdl=Path(str(CONTRACT / "platform.wsdl")),
                schema=Path(str(CONTRACT / "platform.xsd")),
                binding=f"{{{PLATFORM}}}WuhePlatformBinding",
                address=config.address.rstrip("/") + config.path,
                ca_file=config.ca_file,
                client=client,
                connect_timeout_s=config.connect_timeout_s,
                answer_timeout_s=config.answer_timeout_s,
                total_timeout_s=config.total_timeout_s,
                sandbox=config.sandbox,
            ),
            lambda: exchange,
        )
    )
