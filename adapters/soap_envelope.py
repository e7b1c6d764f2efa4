"""Envelopes: a received one taken apart, ours written, and Faults in both versions of SOAP.

SOAP 1.1 (W3C Note, 2000) with the WS-I Basic Profile's readings; SOAP 1.2 (W3C Recommendation, second edition, 2007)."""

from __future__ import annotations

from typing import Final, NamedTuple

from lxml import etree  # type: ignore[import-untyped]

from adapters.soap_reading import ENVELOPES, Element, local_name
from adapters.ws_security import WSSE, WSU
from schemas.errors import GatewayError, InvalidError
from schemas.soap import SoapForm

REFUSAL: Final = "urn:gateway:refusal:1"
XML: Final = "http://www.w3.org/XML/1998/namespace"
_SENDERS_FAULT: Final = frozenset(
    {"invalid", "not-found", "conflict", "refused", "unauthenticated", "forbidden"}
)
#: Our code → the standard's own (WSS SOAP Message Security 1.1 section 12, SOAP 1.1 section 4.4.1).
_WSS_CODES: Final = {
    "security-missing": (WSSE, "wsse", "InvalidSecurity"),
    "timestamp-missing": (WSSE, "wsse", "InvalidSecurity"),
    "signature-missing": (WSSE, "wsse", "InvalidSecurity"),
    "element-twice": (WSSE, "wsse", "InvalidSecurity"),
    "id-twice": (WSSE, "wsse", "InvalidSecurity"),
    "algorithm-refused": (WSSE, "wsse", "UnsupportedAlgorithm"),
    "transform-refused": (WSSE, "wsse", "UnsupportedAlgorithm"),
    "certificate-unknown": (WSSE, "wsse", "InvalidSecurityToken"),
    "certificate-expired": (WSSE, "wsse", "InvalidSecurityToken"),
    "message-expired": (WSU, "wsu", "MessageExpired"),
    "password-mismatch": (WSSE, "wsse", "FailedAuthentication"),
    "certificate-mismatch": (WSSE, "wsse", "FailedAuthentication"),
}


class Parts(NamedTuple):
    """A received envelope."""

    header: Element | None
    body: Element


def take_apart(root: Element, version: str) -> Parts:
    """Header and Body of an envelope that has nothing else. Raises InvalidError.

    Header blocks that must be understood and are not WS-Security are refused (SOAP 1.1 section 4.2.3)."""
    space = ENVELOPES[version]
    if root.tag != f"{{{space}}}Envelope":
        other = any(root.tag == f"{{{known}}}Envelope" for known in ENVELOPES.values())
        raise InvalidError(
            f"the message is not a SOAP {version} envelope", code="soap-version" if other else "envelope-missing",
            where="/Envelope", remedy=f"send SOAP {version}",
        )  # fmt: skip
    names = [child.tag for child in root]
    header_tag, body_tag = f"{{{space}}}Header", f"{{{space}}}Body"
    if names not in ([body_tag], [header_tag, body_tag]):
        raise InvalidError(
            "an envelope has one Header at most and one Body, in this order",
            code="envelope-shape",
            where="/Envelope",
        )
    header = root[0] if len(names) == 2 else None
    for block in header if header is not None else ():
        needed = block.get(f"{{{space}}}mustUnderstand") in ("1", "true")
        if needed and block.tag != f"{{{WSSE}}}Security":
            raise InvalidError(
                f"the header block {local_name(block)[:60]} must be understood and is not", code="header-not-understood",
                where=f"/Envelope/Header/{local_name(block)[:60]}",
            )  # fmt: skip
    return Parts(header, root[-1])


def only_child(body: Element) -> Element:
    """The one element of a Body. Raises InvalidError when there is another number, or text beside it."""
    if len(body) != 1 or (body.text or "").strip() or (body[0].tail or "").strip():
        raise InvalidError(
            "a Body holds one element of the contract and nothing beside it",
            code="body-shape",
            where="/Envelope/Body",
        )
    return body[0]


def new_envelope(version: str, content: Element) -> Element:
    """An envelope around an answer or a Fault."""
    space = ENVELOPES[version]
    envelope = etree.Element(f"{{{space}}}Envelope", nsmap={"soap": space})
    etree.SubElement(envelope, f"{{{space}}}Body").append(content)
    return envelope


def written(envelope: Element, form: SoapForm) -> bytes:
    """Bytes in the form's encoding, declared. A character that the encoding lacks becomes a reference."""
    text: bytes = etree.tostring(envelope, xml_declaration=True, encoding=form.encoding)
    return text


def new_fault(version: str, error: GatewayError, correlation_id: str) -> tuple[int, Element]:
    """HTTP status and Fault element. The detail says code, what, where and what to do, and how to ask about it."""
    space = ENVELOPES[version]
    senders = error.kind in _SENDERS_FAULT
    hidden = not senders and error.kind not in ("unavailable", "outcome-unknown")
    what = "something went wrong on our side; nothing is known to be stored" if hidden else error.what
    code = "internal" if hidden else error.code
    fault = etree.Element(f"{{{space}}}Fault", nsmap={"soap": space})
    if version == "1.1":
        name = "Client" if senders else "Server"
        etree.SubElement(fault, "faultcode", nsmap=_PREFIXES).text = _standard_code(code, f"soap:{name}")
        etree.SubElement(fault, "faultstring").text = what
        detail = etree.SubElement(fault, "detail")
        status = 500  # WS-I Basic Profile 1.1, R1126
    else:
        name = "Sender" if senders else "Receiver"
        main = etree.SubElement(fault, f"{{{space}}}Code")
        value = _standard_code(code, f"soap:{name}")
        outer = value if value.startswith("soap:") else f"soap:{name}"
        etree.SubElement(main, f"{{{space}}}Value").text = outer
        if value != outer:
            sub = etree.SubElement(main, f"{{{space}}}Subcode")
            etree.SubElement(sub, f"{{{space}}}Value", nsmap=_PREFIXES).text = value
        reason = etree.SubElement(etree.SubElement(fault, f"{{{space}}}Reason"), f"{{{space}}}Text")
        reason.set(f"{{{XML}}}lang", "en")
        reason.text = what
        detail = etree.SubElement(fault, f"{{{space}}}Detail")
        status = 400 if senders else 500  # SOAP 1.2 part 2, table 20
    refusal = etree.SubElement(detail, f"{{{REFUSAL}}}Refusal", nsmap={None: REFUSAL})
    for tag, text in (
        ("Code", code), ("What", what), ("Where", None if hidden else error.where), ("Remedy", error.remedy),
        ("RetryAfter", str(error.retry_after_s) if error.retry_after_s else None), ("CorrelationId", correlation_id),
    ):  # fmt: skip
        if text:
            etree.SubElement(refusal, f"{{{REFUSAL}}}{tag}").text = _printable(text)
    return status, fault


_PREFIXES: Final = {"wsse": WSSE, "wsu": WSU}


def _standard_code(code: str, otherwise: str) -> str:
    if code == "soap-version":
        return "soap:VersionMismatch"
    if code == "header-not-understood":
        return "soap:MustUnderstand"
    found = _WSS_CODES.get(code)
    return otherwise if found is None else f"{found[1]}:{found[2]}"


def _printable(text: str) -> str:
    """XML 1.0 holds no control characters."""
    return "".join(c if c >= " " or c in "\t\n" else "�" for c in text)[:1000]
