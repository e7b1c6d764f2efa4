"""A town's SOAP service (`schemas.soap.SoapTown`): the parts that every SOAP town shares.

A town's adapter gives its contract and one `Operation` for each operation of the WSDL; reading, security, validation, Faults and
the writing of envelopes are here. Everything is pure: the list of who may speak and the instant are arguments.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from lxml import etree  # type: ignore[import-untyped]

from adapters.soap_contract import SoapContract, WireOperation
from adapters.soap_envelope import new_envelope, new_fault, only_child, take_apart, written
from adapters.soap_reading import (
    MEDIA_TYPES,
    Element,
    canonical,
    form_of,
    local_name,
    parse_message,
    parse_xml,
    read_media_type,
)
from adapters.username_token import know
from adapters.ws_security import Signer, prove
from schemas.errors import ForbiddenError, GatewayError, InvalidError, NotFoundError
from schemas.soap import SigningIdentity, SoapCall, SoapForm, SoapParty, SoapRequest, SoapSecurity
from schemas.values import TownCode

REFERENCE_CHARACTERS: Final = 128
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]").search
_BODY_SAYS: Final = {
    "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd}Id",
    "Id",
}


@dataclass(frozen=True, slots=True)
class Operation:
    """What an operation of the WSDL means here.

    `answer` writes the response element from what the corridor gave. `reference` reads their serial (or what a question asks
    about) out of the payload; without it the payload's digest stands for it, so that the same content is the same push.
    `refusal` writes a response element that carries a failure as the contract does (HTTP 200 with a code), or says None: a Fault.
    """

    kind: str  # which corridor the door calls
    scope: str  # what the client must be allowed (schemas.oauth.SCOPES)
    answer: Callable[[SoapCall, Any], Element]
    reference: Callable[[Element], str] | None = None
    refusal: Callable[[SoapCall, GatewayError], Element | None] | None = None


class SoapService:
    """See module. Raises ValueError when operations and WSDL are not the same."""

    def __init__(
        self,
        town: TownCode,
        contract: SoapContract,
        operations: Mapping[str, Operation],
        *,
        security: SoapSecurity,
        signing: SigningIdentity,
        encodings: Sequence[str] = ("UTF-8",),
    ) -> None:
        named = {o.name for o in contract.operations.values()}
        if named != set(operations):
            raise ValueError(f"the WSDL has {sorted(named)}, the adapter {sorted(operations)}")
        self.town, self.security = town, security
        self._contract, self._operations, self._encodings = contract, operations, tuple(encodings)
        self._signer = Signer.of(signing) if security is SoapSecurity.X509 else None

    def kinds(self) -> set[str]:
        """See SoapTown."""
        return {operation.kind for operation in self._operations.values()}

    def form_of(self, request: SoapRequest) -> SoapForm:
        """See SoapTown."""
        return form_of(request.body, request.content_type, self._contract.version, self._encodings)

    def open(self, request: SoapRequest, parties: Sequence[SoapParty], now: datetime) -> SoapCall:
        """See SoapTown. Cheap checks first; the contract last, and only for somebody on the list."""
        media = read_media_type(request.content_type)
        wanted = MEDIA_TYPES[self._contract.version]
        if media.name != wanted:
            raise InvalidError(
                f"SOAP {self._contract.version} travels as {wanted}", code="content-type-unsupported",
                where="Content-Type", remedy=f"send Content-Type: {wanted}; charset={self._encodings[0]}",
            )  # fmt: skip
        root = parse_message(request.body, request.content_type, self._encodings)
        parts = take_apart(root, self._contract.version)
        if not set(parts.body.keys()) <= _BODY_SAYS:
            raise InvalidError(
                "the Body has attributes other than its Id", code="body-shape", where="/Envelope/Body"
            )
        element = only_child(parts.body)
        wire = self._contract.operations.get(element.tag)
        if wire is None:
            raise NotFoundError(
                "the contract has no such operation", code="operation-unknown", where="/Envelope/Body",
                value=local_name(element)[:60], remedy="the WSDL names the operations and their namespace",
            )  # fmt: skip
        self._check_action(request, media.action, wire)
        if self.security is SoapSecurity.X509:
            party, body, replay_id, replay_until = self._prove(root, parties, now)
            payload_bytes, payload = _content(body)
        else:
            known = know(root, parties, request.certificate, now)
            party, replay_id, replay_until = known
            payload_bytes = canonical(element)
            payload = element
        operation = self._operations[wire.name]
        if operation.scope not in party.scopes:
            raise ForbiddenError(
                "this client may not call the operation", code="scope-missing", where=wire.name, value=operation.scope,
                remedy="have the operator grant it",
            )  # fmt: skip
        self._contract.validate(payload)
        return SoapCall(
            self.town, party.client_id, wire.name, operation.kind, _reference(operation, payload, payload_bytes),
            payload_bytes, self.form_of(request), replay_id, replay_until,
        )  # fmt: skip

    def answer(self, call: SoapCall, outcome: object, now: datetime) -> bytes:
        """See SoapTown."""
        return self._sealed(self._operations[call.operation].answer(call, outcome), call.form, now)

    def refusal(self, call: SoapCall, error: GatewayError, now: datetime) -> bytes | None:
        """See SoapTown."""
        write = self._operations[call.operation].refusal
        element = None if write is None else write(call, error)
        return None if element is None else self._sealed(element, call.form, now)

    def fault(
        self, form: SoapForm, error: GatewayError, correlation_id: str, now: datetime
    ) -> tuple[int, bytes]:
        """See SoapTown. Faults are signed like answers: a client that checks every answer can read them."""
        status, element = new_fault(form.version, error, correlation_id)
        return status, self._sealed(element, form, now)

    def content_type(self, form: SoapForm) -> str:
        """See SoapTown."""
        return f"{MEDIA_TYPES[form.version]}; charset={form.encoding}"

    def contract_file(self, name: str, address: str) -> bytes | None:
        """See SoapTown."""
        return self._contract.served(name, address)

    def _prove(
        self, root: Element, parties: Sequence[SoapParty], now: datetime
    ) -> tuple[SoapParty, bytes, bytes, datetime]:
        listed = {der: party for party in parties for der in party.signing_certificates}
        proven = prove(root, tuple(listed), now)
        return listed[proven.certificate], proven.body, proven.replay_id, proven.replay_until

    def _check_action(self, request: SoapRequest, in_type: str | None, wire: WireOperation) -> None:
        """SOAP 1.1 needs the SOAPAction header; SOAP 1.2's action parameter may be left out. Either must be the operation's."""
        shown = in_type if self._contract.version == "1.2" else request.action
        if shown is None and self._contract.version == "1.2":
            return
        if shown is None or shown.strip().strip('"') != wire.action:
            raise InvalidError(
                "the action is not that of the operation in the Body", code="action-mismatch", where="SOAPAction",
                value=(shown or "")[:100], remedy=f'send SOAPAction: "{wire.action}"',
            )  # fmt: skip

    def _sealed(self, content: Element, form: SoapForm, now: datetime) -> bytes:
        envelope = new_envelope(form.version, content)
        if self._signer is not None:
            self._signer.sign(envelope, now)
        return written(envelope, form)


def _content(body: bytes) -> tuple[bytes, Element]:
    """The one element inside canonical Body bytes, as bytes and as a tree made of these bytes alone."""
    element = only_child(parse_xml(body, "Body"))
    begin = body.index(b">") + 1
    while body[:begin].count(b'"') % 2:  # a '>' inside an attribute's value: canonical XML leaves it as it is
        begin = body.index(b">", begin) + 1
    if body[:begin].count(b"xmlns") > 2:  # InclusiveNamespaces put prefixes of the content on the Body
        return canonical(element), element
    return body[begin : body.rindex(b"<")].strip(b" \t\n"), element


def _reference(operation: Operation, payload: Element, payload_bytes: bytes) -> str:
    if operation.reference is None:
        return hashlib.sha256(payload_bytes).hexdigest()
    found = operation.reference(payload)
    if not 1 <= len(found) <= REFERENCE_CHARACTERS:
        raise InvalidError(f"a serial has 1 to {REFERENCE_CHARACTERS} characters", code="serial-unusable")
    return found


def text_element(parent: Element, tag: str, text: str | None) -> Element:
    """Append an element with text; for writers of answers. Control characters that XML lacks are left out."""
    element = etree.SubElement(parent, tag)
    if text is not None:
        element.text = (
            text if _CONTROL(text) is None else "".join(c for c in text if c >= " " or c in "\t\n\r")
        )
    return element
