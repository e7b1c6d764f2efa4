"""Their words: the envelope as bytes and back, nothing renamed. The contract is `contract/bank_core.xsd`.

Parsing is hardened: no DTD, no entities, no network, a limit on size; a parser for each call, because lxml's shared parser
lock would make threads wait for one another.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from lxml import etree  # type: ignore[import-untyped]
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

MAX_BYTES = 256 * 1024
_FORBIDDEN = re.compile(rb"<!DOCTYPE|<!ENTITY", re.IGNORECASE)

Words = Mapping[str, "str | Sequence[str] | None"]  # element → text, or a list of CODEs; None: left out


class UnreadableError(ValueError):
    """The bytes are not an answer of this contract. The message names what is wrong, never a value."""


class HeadForm(Schema):
    """SYS_HEAD of an answer."""

    class Meta:
        unknown = EXCLUDE

    SERVICE_CODE = fields.String(required=True)
    CONSUMER_SEQ_NO = fields.String(required=True)
    RET_STATUS = fields.String(required=True, validate=validate.OneOf(["S", "F"]))
    RET_CODE = fields.String(required=True, validate=validate.Regexp(r"^[0-9]{4}$"))
    RET_MSG = fields.String(load_default="", validate=validate.Length(max=256))


class FacilityForm(Schema):
    """BODY/FACILITY."""

    PRODUCT = fields.String(required=True)
    BASE_LIMIT_FEN = fields.Integer(required=True, validate=validate.Range(0, 10**14))
    ASSET_LIMIT_FEN = fields.Integer(validate=validate.Range(0, 10**14))
    BASE_RATE_BP = fields.Integer(validate=validate.Range(0, 10_000))
    LPR_BP = fields.Integer(validate=validate.Range(0, 10_000))
    LPR_SPREAD_BP = fields.Integer(validate=validate.Range(-10_000, 10_000))
    VETOES = fields.List(fields.String(validate=validate.Length(1, 64)), required=True)
    HONOURS = fields.List(fields.String(validate=validate.Length(1, 64)), required=True)
    AGE_MIN = fields.Integer(validate=validate.Range(0, 150))
    AGE_MAX = fields.Integer(validate=validate.Range(0, 150))


class ResultForm(Schema):
    """BODY/RESULT."""

    BANK_REFERENCE = fields.String(validate=validate.Regexp(r"^[A-Za-z0-9_.\-]{1,64}$"))
    ORIG_RET_STATUS = fields.String(validate=validate.OneOf(["S", "F"]))
    ORIG_RET_CODE = fields.String(validate=validate.Regexp(r"^[0-9]{4}$"))


def write_message(head: Words, app: Words, body_name: str, body: Words) -> bytes:
    """A request, UTF-8 with declaration. Order of words is the order of the mappings, which the contract fixes."""
    root = etree.Element("SERVICE")
    _write(etree.SubElement(root, "SYS_HEAD"), head)
    _write(etree.SubElement(root, "APP_HEAD"), app)
    _write(etree.SubElement(etree.SubElement(root, "BODY"), body_name), body)
    return bytes(etree.tostring(root, encoding="UTF-8", xml_declaration=True))


def _write(parent: Any, words: Words) -> None:
    for name, value in words.items():
        if value is None:
            continue
        element = etree.SubElement(parent, name)
        if isinstance(value, str):
            element.text = value
        else:
            for code in value:
                etree.SubElement(element, "CODE").text = code


def read_message(raw: bytes) -> tuple[dict[str, Any], str | None, dict[str, Any]]:
    """An answer: SYS_HEAD (validated), the name of what stands in BODY (None: empty), and its words (not yet validated).

    Raises UnreadableError.
    """
    root = parse(raw)
    if root.tag != "SERVICE" or [child.tag for child in root] != ["SYS_HEAD", "APP_HEAD", "BODY"]:
        raise UnreadableError("the answer is not SERVICE with SYS_HEAD, APP_HEAD and BODY")
    head = _checked(HeadForm(), {child.tag: child.text or "" for child in root[0]})
    inside = list(root[2])
    if len(inside) > 1:
        raise UnreadableError("BODY holds more than one thing")
    if not inside:
        return head, None, {}
    return head, str(inside[0].tag), {child.tag: _words(child) for child in inside[0]}


def _words(element: Any) -> Any:
    if element.tag in ("VETOES", "HONOURS", "REASONS"):
        return [code.text or "" for code in element]
    return element.text or ""


def read_facility(words: Mapping[str, Any]) -> dict[str, Any]:
    """BODY/FACILITY, validated. Raises UnreadableError."""
    return _checked(FacilityForm(), words)


def read_result(words: Mapping[str, Any]) -> dict[str, Any]:
    """BODY/RESULT, validated. Raises UnreadableError."""
    return _checked(ResultForm(), words)


def _checked(form: Schema, words: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return dict(form.load(words))
    except ValidationError as exc:
        names = sorted(exc.messages) if isinstance(exc.messages, dict) else []
        raise UnreadableError("not as the contract says: " + ", ".join(map(str, names))) from None


def parse(raw: bytes) -> Any:
    """The root element. Raises UnreadableError for what is too large, carries a DTD or is not XML."""
    if len(raw) > MAX_BYTES:
        raise UnreadableError(f"more than {MAX_BYTES} bytes")
    if _FORBIDDEN.search(raw) or b"\x00" in raw:
        raise UnreadableError("a DTD, an entity or an encoding other than UTF-8")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
        remove_comments=True, remove_pis=True, encoding="utf-8",
    )  # fmt: skip
    try:
        return etree.fromstring(raw, parser)
    except etree.XMLSyntaxError:
        raise UnreadableError("not well-formed XML in UTF-8") from None
