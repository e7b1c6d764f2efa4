"""What the door answers to 平安共富积分, in the contract's words: every element stands, empty for none, a code for each item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lxml import etree  # type: ignore[import-untyped]

from adapters.pingan_gongfu import wire
from adapters.pingan_gongfu.mapping import CONTRACT, ITEM_CODES, NAMESPACE
from adapters.soap_contract import SoapContract
from adapters.soap_reading import Element
from adapters.soap_server import Operation, SoapService, text_element
from schemas.contributions import ItemAnswer, PushAnswer
from schemas.errors import GatewayError, OutcomeUnknownError, UnavailableError
from schemas.soap import SigningIdentity, SoapCall, SoapSecurity
from schemas.values import TownCode

#: where the items of a message stand; answers name a place in the town's own words
_ITEMS: Final = {"JFTS": "/JFTS/HDLB/HD", "RYDJ": "/RYDJ/RYLB/RY", "TYCH": "/TYCH/CHLB/CH"}
LONGEST_TEXT: Final = 256

#: kebab-case codes and kinds of our errors → FHM; the first that fits. What is not here is 4002.
_MESSAGE_CODES: Final[Mapping[str, str]] = {
    "idempotency-key-reused": "1002",
    "idempotency-in-progress": "9001",
    "not-found": "3001",
    "unavailable": "9001",
    "outcome-unknown": "9999",
}


def create_service(town: TownCode, signing: SigningIdentity) -> SoapService:
    """The town's SOAP service (contract/gateway.wsdl). UsernameToken over mutual TLS; answers are not signed."""
    return SoapService(
        town,
        SoapContract(CONTRACT, "gateway.wsdl", "1.2"),
        {
            "JFTS": Operation("push", "contributions.write", _push_answer, _serial, _refusal),
            "JFCX": Operation("receipt", "contributions.read", _push_answer, _serial, _refusal),
            "RYDJ": Operation("households", "households.write", _items_answer, _serial, _refusal),
            "TYCH": Operation("withdrawals", "consents.write", _items_answer, _serial, _refusal),
        },
        security=SoapSecurity.USERNAME_DIGEST,
        signing=signing,
        encodings=(
            "GB18030",
            "UTF-8",
        ),  # the platform writes GB18030; libraries of today write UTF-8 and nothing else
    )


def _serial(payload: Element) -> str:
    """LSH of a message. An unusable one is refused by the service: 1 to 128 characters."""
    return payload.findtext(f"{{{NAMESPACE}}}LSH") or ""


def _push_answer(call: SoapCall, answer: PushAnswer) -> Element:
    root = _begun(call, "0000", "")
    _add(root, "LSH", call.reference)
    _add(root, "PCH", str(answer.batch_id))
    _add(root, "JSSJ", wire.instant_of(answer.received_at))
    _add(root, "HZ", answer.receipt)
    return _with_results(root, "JFTS", answer.items)


def _items_answer(call: SoapCall, answers: Sequence[ItemAnswer]) -> Element:
    root = _begun(call, "0000", "")
    _add(root, "LSH", call.reference)
    return _with_results(root, call.operation, answers)


def _refusal(call: SoapCall, error: GatewayError) -> Element:
    """A message that failed as a whole, in the contract's way: HTTP 200 and a return code. What to do stands in FHXX."""
    code = _MESSAGE_CODES.get(error.code) or _MESSAGE_CODES.get(error.kind) or "4002"
    told = f"{error.code}: {error.what}" + (f"; {error.remedy}" if error.remedy else "")
    if isinstance(error, (UnavailableError, OutcomeUnknownError)):
        told += "; send the same again under the same LSH"
    root = _begun(call, code, told)
    _add(root, "LSH", call.reference)
    if call.operation in ("JFTS", "JFCX"):
        for name in ("PCH", "JSSJ", "HZ"):
            _add(root, name, "")
    return _with_results(root, call.operation, ())


def _with_results(root: Element, operation: str, answers: Sequence[ItemAnswer]) -> Element:
    listed = _add(root, "JGLB", None)
    place = _ITEMS.get(operation, "")
    for answer in answers:
        result = _add(listed, "JG", None)
        number = answer.item_no + 1
        _add(result, "XH", str(number))
        _add(result, "LSH", answer.reference)
        _add(result, "FHM", ITEM_CODES[answer.status])
        _add(result, "YYM", answer.code)
        _add(result, "WZ", _place(answer.where, f"{place}[{number}]"))
        _add(result, "FHXX", answer.detail)
    return root


def _place(where: str | None, item: str) -> str:
    """Ours ('/items/3') becomes theirs; what the reader said ('/JFTS/HDLB/HD[4]/JF') is theirs already."""
    return item if where and (where.startswith("/items/") or where.strip("/").isdigit()) else where or ""


def _begun(call: SoapCall, code: str, told: str) -> Element:
    root = etree.Element(f"{{{NAMESPACE}}}{call.operation}FH", nsmap={None: NAMESPACE})
    _add(root, "FHM", code)
    _add(root, "FHXX", told)
    return root


def _add(parent: Element, name: str, text: Any) -> Element:
    return text_element(
        parent, f"{{{NAMESPACE}}}{name}", text if name == "HZ" or text is None else text[:LONGEST_TEXT]
    )
