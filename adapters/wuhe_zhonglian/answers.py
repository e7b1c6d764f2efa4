"""What the door answers to 五和众联, in the contract's words (contract/gateway.wsdl); every answer is signed by the service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lxml import etree  # type: ignore[import-untyped]

from adapters.soap_contract import SoapContract
from adapters.soap_reading import Element
from adapters.soap_server import Operation, SoapService, text_element
from adapters.wuhe_zhonglian.mapping import CONTRACT, PROFILE
from adapters.wuhe_zhonglian.wire import NAMESPACE
from schemas.contributions import ItemAnswer
from schemas.scoreboards import ScoreAnswer
from schemas.soap import SigningIdentity, SoapCall, SoapSecurity
from schemas.values import instant_text


def create_service(signing: SigningIdentity) -> SoapService:
    """The town's SOAP service: SOAP 1.1, signed both ways."""
    return SoapService(
        PROFILE.town,
        SoapContract(CONTRACT, "gateway.wsdl", "1.1"),
        {
            "SubmitScoreboard": Operation(
                "scoreboard", "contributions.write", _score_answer, _first("ListNo")
            ),
            "SubmitCorrection": Operation(
                "correction", "contributions.write", _score_answer, _first("CorrectionNo")
            ),
            "GetReceipt": Operation("score-receipt", "contributions.read", _score_answer, _asked),
            "RegisterHouseholds": Operation("households", "households.write", _items_answer),
            "WithdrawConsent": Operation("withdrawals", "consents.write", _items_answer),
        },
        security=SoapSecurity.X509,
        signing=signing,
        encodings=("UTF-8",),
    )


def _first(name: str) -> Any:
    """Reads the document's own number."""
    return lambda payload: payload.findtext(f"{{{NAMESPACE}}}{name}") or ""


def _asked(payload: Element) -> str:
    """What GetReceipt asks about: 'list/NO' or 'correction/NO'."""
    kind = "list" if payload[0].tag == f"{{{NAMESPACE}}}ListNo" else "correction"
    return f"{kind}/{payload[0].text or ''}"


def _score_answer(call: SoapCall, answer: ScoreAnswer) -> Element:
    root = _begun(call)
    for name, text in (
        ("BatchId", str(answer.batch_id)),
        ("DocumentNo", answer.document_no),
        ("ReceivedAt", instant_text(answer.received_at)),
        ("Replayed", "true" if answer.replayed else "false"),
        ("LinesAdded", str(answer.stand.lines_added)),
        ("LinesReversed", str(answer.stand.lines_reversed)),
    ):
        _add(root, name, text)
    _results(root, answer.items)
    fallen = _add(root, "Fallen", None)
    for code in answer.stand.fallen:
        _add(fallen, "HouseholdCode", code)
    _add(root, "Receipt", answer.receipt)
    return root


def _items_answer(call: SoapCall, answers: Sequence[ItemAnswer]) -> Element:
    root = _begun(call)
    _results(root, answers)
    return root


def _results(root: Element, answers: Sequence[ItemAnswer]) -> None:
    listed = _add(root, "Results", None)
    for item_no, reference, status, code, where, detail in answers:
        result = _add(listed, "Result", None)
        _add(result, "No", str(item_no + 1))
        for name, text in (
            ("HouseholdCode", reference),
            ("Status", str(status)),
            ("Code", code),
            ("Where", where),
            ("Detail", detail),
        ):
            if text is not None:
                _add(result, name, text)


def _begun(call: SoapCall) -> Element:
    return etree.Element(f"{{{NAMESPACE}}}{call.operation}Response", nsmap={None: NAMESPACE})


def _add(parent: Element, name: str, text: str | None) -> Element:
    return text_element(parent, f"{{{NAMESPACE}}}{name}", text)
