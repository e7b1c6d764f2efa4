"""The port of towns that speak SOAP: what the door hands to a town's adapter, and what it gets back.

One message goes this way. The door reads the bytes; `authorize_soap` has the town's adapter open them (`SoapTown.open`: parse,
security, contract) and remembers the replay id; the door calls the corridor of the operation's kind with the payload exactly as
it was signed; `SoapTown.answer` writes what the corridor answered. `TownReader.read_push` & co then read `SoapCall.payload`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from schemas.errors import GatewayError
from schemas.values import TownCode

FRESH_S = 300  # a message is taken for so long after it was made (towns.md)
AHEAD_S = 60  # a sender's clock may go so far ahead of ours


class SoapSecurity(StrEnum):
    """How the sender of a message is known."""

    X509 = "x509"  # WSS X.509 Certificate Token Profile 1.1: Body and Timestamp signed
    USERNAME_DIGEST = "username-digest"  # WSS UsernameToken Profile 1.0, over mutual TLS


class SoapForm(NamedTuple):
    """How a message is written, and so how its answer is."""

    version: str  # '1.1' | '1.2'
    encoding: str  # 'UTF-8' | 'GB18030', as an XML declaration names it


@dataclass(frozen=True, slots=True)
class SoapRequest:
    """One POST at a town's SOAP door. `action` is the SOAPAction header as sent (SOAP 1.1), None when there was none."""

    body: bytes = field(repr=False)
    content_type: str
    action: str | None
    certificate: str | None  # x5t#S256 of the connection's client certificate


@dataclass(frozen=True, slots=True)
class SoapParty:
    """Somebody who may speak for a town: on its list, enabled. Certificates: two during rollover."""

    client_id: str
    scopes: frozenset[str]
    signing_certificates: tuple[bytes, ...] = ()  # DER; what messages are signed with
    tls_certificates: frozenset[str] = frozenset()  # x5t#S256; what connections are made with
    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class SoapRegistration:
    """Who is to be put on a town's list, as an operator asks for it."""

    client_id: str
    town: TownCode
    scopes: tuple[str, ...]
    signing_certificates: tuple[bytes, ...] = ()  # DER
    tls_certificates: tuple[str, ...] = ()  # x5t#S256
    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class SoapCall:
    """A message that passed: who sent it is proven, the payload stands in the contract and is exactly what was signed."""

    town: TownCode
    client_id: str
    operation: str  # as the WSDL names it: 'SubmitScoreboard', 'JFTS'
    kind: str  # which corridor: 'push', 'households', 'withdrawals', 'receipt', …
    reference: str  # their serial, or the digest of the payload: the idempotency key; for a question, what it asks about
    payload: bytes = field(repr=False)  # the operation's element in exclusive canonical XML, UTF-8
    form: SoapForm = field(repr=False)
    replay_id: bytes = field(repr=False)  # 32 bytes; a second message with the same is a replay
    replay_until: datetime  # until then the replay id must be remembered


@dataclass(frozen=True, slots=True)
class SigningIdentity:
    """What the gateway signs its answers with."""

    key_pem: bytes = field(repr=False)
    certificate_pem: bytes = field(repr=False)


class SoapTown(Protocol):
    """A town's SOAP service. Pure: no network, no database, no clock; one object for all threads."""

    town: TownCode
    security: SoapSecurity

    def kinds(self) -> set[str]:
        """The kinds of its operations: which corridors the door must know."""

    def form_of(self, request: SoapRequest) -> SoapForm:
        """How to answer this request, whatever is wrong with it. Never raises."""

    def open(self, request: SoapRequest, parties: Sequence[SoapParty], now: datetime) -> SoapCall:
        """Parse, prove the sender, validate against the contract.

        Raises InvalidError (the message), UnauthenticatedError (security), ForbiddenError (scope), NotFoundError (operation)."""

    def answer(self, call: SoapCall, outcome: object, now: datetime) -> bytes:
        """The answer's envelope: what the corridor of `call.kind` gave, in the contract's words, signed where the town's are."""

    def refusal(self, call: SoapCall, error: GatewayError, now: datetime) -> bytes | None:
        """The answer's envelope when the contract says failures inside an answer (HTTP 200 with a code); None: a Fault."""

    def fault(
        self, form: SoapForm, error: GatewayError, correlation_id: str, now: datetime
    ) -> tuple[int, bytes]:
        """A Fault of the request's SOAP version and encoding, with its HTTP status. What, where, what to do; no internals."""

    def content_type(self, form: SoapForm) -> str:
        """The Content-Type of answers and Faults."""

    def contract_file(self, name: str, address: str) -> bytes | None:
        """The WSDL ('wsdl') or one of its schemas by file name, with `address` as where the service and its files stand.
        None: the contract has no such file."""
