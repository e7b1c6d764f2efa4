"""平安共富积分 (Ping'an Gongfu), the points platform of Yaqian town, 330109108. An older vendor; persons hold the points.

Speaks: SOAP 1.2 in GB18030 over mutual TLS with UsernameToken digest. In: pushes of up to 500 items, queries, persons with their
consents, withdrawals (contract/gateway.wsdl). Out: freezes, inquiry, balance, day statement, day file (contract/platform.wsdl).
Version: pingan_gongfu/1. The platform acts and sometimes does not answer, so its inquiry is asked before anything is sent again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from zeep.wsse.username import UsernameToken

from adapters.pingan_gongfu.answers import create_service
from adapters.pingan_gongfu.client import PinganClient
from adapters.pingan_gongfu.mapping import CAPABILITIES, CONTRACT, PLATFORM, PROFILE, PinganReader
from adapters.soap_client import Reach, SoapAccess
from schemas.soap import SigningIdentity, SoapTown

__all__ = ["CAPABILITIES", "PROFILE", "Config", "create_client", "create_reader", "create_soap"]


@dataclass(frozen=True, slots=True)
class Config:
    """How the town is reached. Times in seconds; paths are files."""

    address: str  # https://host:port, without a path at the end
    username: str  # who we are in the UsernameToken
    password_file: Path = field(repr=False)  # its password, one line
    client_cert: Path
    client_key: Path = field(repr=False)
    ca_file: Path | None = None  # authorities of the town's server certificate; None: the system's
    path: str = "/services/jf"
    connect_timeout_s: float = 3.0
    answer_timeout_s: float = 10.0
    total_timeout_s: float = 20.0
    sandbox: bool = False  # a simulator; refused in production


def create_reader() -> PinganReader:
    """Their words to ours: pure, one for all threads."""
    return PinganReader()


def create_soap(signing: SigningIdentity) -> SoapTown:
    """The town's SOAP service at our door; the WSDL is read now, once."""
    return create_service(PROFILE.town, signing)


def create_client(config: Config) -> PinganClient:
    """Calls out to the town. The WSDL is read now; nothing is connected until the first call."""
    password = config.password_file.read_text("utf-8").strip()
    return PinganClient(
        SoapAccess(
            Reach(
                neighbour="pingan_gongfu",
                wsdl=Path(str(CONTRACT / "platform.wsdl")),
                schema=Path(str(CONTRACT / "platform.xsd")),
                binding=f"{{{PLATFORM}}}PinganPlatformBinding",
                address=config.address.rstrip("/") + config.path,
                ca_file=config.ca_file,
                client=(config.client_cert, config.client_key),
                encoding="GB18030",
                connect_timeout_s=config.connect_timeout_s,
                answer_timeout_s=config.answer_timeout_s,
                total_timeout_s=config.total_timeout_s,
                longest_answer_bytes=32 * 1024 * 1024,  # a day file of a hundred thousand items
                sandbox=config.sandbox,
            ),
            partial(UsernameToken, config.username, password, use_digest=True, zulu_timestamp=True),
        )
    )
