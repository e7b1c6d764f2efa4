"""The bank's credit system (bank_core): XML over HTTPS with mutual TLS, `SYS_HEAD / APP_HEAD / BODY`, UTF-8.

Speaks to: the bank's service bus, contract version 1 (`contract/bank_core.xsd`, `contract/README.md`).
The client never retries and says which kind of failure it was; `CONSUMER_SEQ_NO` is the idempotency key.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from adapters.bank_core.client import Client
from schemas.errors import InvalidError

VERSION = "bank_core/1"


@dataclass(frozen=True, slots=True)
class Config:
    """Where the bank is and how we show who we are. Times in seconds."""

    address: str  # https://host:port, without a path at the end
    path: str = "/services"
    client_cert: Path | None = None
    client_key: Path | None = field(default=None, repr=False)
    ca_file: Path | None = None  # authorities of the bank's server certificate
    consumer_id: str = "GATEWAY"
    branch_no: str = "0000"
    teller_no: str = "GATEWAY"
    connect_timeout_s: float = 3.0
    answer_timeout_s: float = 10.0
    total_timeout_s: float = 20.0
    connections: int = 16
    sandbox: bool = False  # a simulator on this machine; refused in production


def create_client(config: Config, clock: Callable[[], datetime] | None = None) -> Client:
    """A client for the bank. `clock` gives the business date of inquiries.

    Raises InvalidError for an address or credentials that may not be used in this mode.
    """
    faults = list(_faults(config))
    if faults:
        raise InvalidError("the bank's settings cannot be used", where="bank_core", remedy="; ".join(faults))
    return Client(config, clock or (lambda: datetime.now(UTC)))


def _faults(config: Config) -> list[str]:
    faults = []
    parts = urlsplit(config.address)
    host = parts.hostname or ""
    if parts.scheme not in ("https", "http") or not host:
        faults.append("address must be an https address")
    if not config.sandbox:
        if parts.scheme != "https":
            faults.append("address must be https")
        if _is_loopback(host):
            faults.append(
                "address names this machine, where only a simulator answers: give the bank's address, or set sandbox"
            )
        if not (config.client_cert and config.client_key and config.ca_file):
            faults.append("client_cert, client_key and ca_file are needed: the bank asks for mutual TLS")
    elif not _is_loopback(host):
        faults.append("a sandbox bank stands on this machine; this address does not")
    if (config.client_cert is None) != (config.client_key is None):
        faults.append("client_cert and client_key are given together")
    for name in ("client_cert", "client_key", "ca_file"):
        path = getattr(config, name)
        if path is not None and not Path(path).is_file():
            faults.append(f"{name}: {path} is not a file")
    for name in ("connect_timeout_s", "answer_timeout_s", "total_timeout_s"):
        if not 0 < getattr(config, name) <= 60:
            faults.append(f"{name} must be above 0 and at most 60")
    return faults


def _is_loopback(host: str) -> bool:
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith((".localhost", ".localdomain")):
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return address.is_loopback or address.is_unspecified or bool(mapped and mapped.is_loopback)
