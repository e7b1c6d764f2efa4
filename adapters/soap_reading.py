"""Bytes that claim to be a SOAP message to a tree, without believing any of it.

No DTD, no entities, no network, a parser for each message (lxml's shared one serialises threads), bounded depth, and one
encoding: what the Content-Type says, what the XML declaration says and what the bytes are must be the same. Comments and
processing instructions are refused: canonical XML leaves comments out, so a signature does not cover them, and a comment inside
a value splits it for whoever reads only the first piece of text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from lxml import etree  # type: ignore[import-untyped]

from schemas.errors import InvalidError
from schemas.soap import SoapForm

Element: TypeAlias = Any  # an lxml element; lxml has no types

SOAP_11: Final = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12: Final = "http://www.w3.org/2003/05/soap-envelope"
ENVELOPES: Final = {"1.1": SOAP_11, "1.2": SOAP_12}
MEDIA_TYPES: Final = {"1.1": "text/xml", "1.2": "application/soap+xml"}
MAX_DEPTH: Final = 24  # elements below one another in a whole message
_CODECS: Final = {"UTF-8": "utf-8", "GB18030": "gb18030"}
_DECLARATION: Final = re.compile(
    rb"""<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:"1\.0"|'1\.0')"""
    rb"""(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(?:"([A-Za-z][A-Za-z0-9._-]{0,39})"|'([A-Za-z][A-Za-z0-9._-]{0,39})'))?"""
    rb"""(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\r\n]*\?>"""
)
_PARAMETER: Final = re.compile(r';\s*([A-Za-z0-9-]+)\s*=\s*(?:"([^"]*)"|([^\s;"]*))')


class MediaType(NamedTuple):
    """A Content-Type header taken apart; names in lower case."""

    name: str
    charset: str | None
    action: str | None


def read_media_type(content_type: str) -> MediaType:
    """`text/xml; charset=utf-8`, `application/soap+xml; charset=GB18030; action="urn:…"`."""
    found: dict[str, str] = {}
    for name, quoted, bare in _PARAMETER.findall(content_type[:1000]):
        found.setdefault(name.lower(), quoted or bare)
    return MediaType(
        content_type.partition(";")[0].strip().lower(), found.get("charset"), found.get("action")
    )


def form_of(body: bytes, content_type: str, version: str, encodings: Sequence[str]) -> SoapForm:
    """How to answer: in the encoding the message claims when the town may use it, else in the town's first. Never raises."""
    media = read_media_type(content_type)
    for claimed in (_declared(body), media.charset):
        if claimed and (known := _known(claimed)) in encodings:
            return SoapForm(version, known)
    return SoapForm(version, encodings[0])


def parse_message(body: bytes, content_type: str, encodings: Sequence[str]) -> Element:
    """The root element of a message. Raises InvalidError with what is wrong, and where when that is known."""
    encoding = _one_encoding(body, read_media_type(content_type).charset, encodings)
    try:
        text = body.decode(_CODECS[encoding])
    except UnicodeDecodeError as exc:
        raise InvalidError(
            f"the bytes are not {encoding}", code="character-outside-encoding", where=f"byte {exc.start}",
            remedy="write the message in the encoding it declares",
        ) from None  # fmt: skip
    return parse_xml(body if encoding == "UTF-8" else text.encode(), "message")


def parse_xml(utf8: bytes, what: str) -> Element:
    """UTF-8 bytes to a tree, hardened as the module says. Whatever encoding the declaration names is not looked at."""
    if b"<!DOCTYPE" in utf8 or b"<!ENTITY" in utf8:
        raise InvalidError(
            f"the {what} has a document type declaration", code="dtd-refused", remedy="leave <!DOCTYPE …> out"
        )
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False,
        huge_tree=False, collect_ids=False, recover=False,
    )  # fmt: skip
    try:
        root: Element = etree.fromstring(utf8, parser)
    except etree.XMLSyntaxError as exc:
        raise _not_well_formed(exc, what) from None
    tree = root.getroottree()
    if tree.docinfo.internalDTD is not None:
        raise InvalidError(f"the {what} has a document type declaration", code="dtd-refused")
    if tree.xpath("boolean(" + "/*" * (MAX_DEPTH + 1) + ")"):
        raise _too_deep(what)
    if tree.xpath("boolean(//comment() | //processing-instruction())"):
        raise InvalidError(
            f"the {what} has comments or processing instructions", code="comment-refused",
            remedy="leave <!-- … --> and <?…?> out: a signature does not cover comments",
        )  # fmt: skip
    return root


def canonical(element: Element, prefixes: list[str] | None = None) -> bytes:
    """Exclusive XML Canonicalization 1.0 without comments, UTF-8 (https://www.w3.org/TR/xml-exc-c14n/)."""
    written: bytes = etree.tostring(
        element, method="c14n", exclusive=True, with_comments=False, inclusive_ns_prefixes=prefixes
    )
    return written


def path_of(element: Element, top: Element | None = None) -> str:
    """Where an element stands below (and with) `top`, in local names: '/JFTS/HDLB/HD[3]/JF'."""
    steps: list[str] = []
    at = element
    while at is not None:
        above = at.getparent() if at is not top else None
        same = [at] if above is None else [child for child in above if child.tag == at.tag]
        steps.append(local_name(at) + (f"[{same.index(at) + 1}]" if len(same) > 1 else ""))
        at = above
    return "/" + "/".join(reversed(steps))


def local_name(element: Element) -> str:
    """The name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def _one_encoding(body: bytes, charset: str | None, encodings: Sequence[str]) -> str:
    if body[:2] in (b"\xff\xfe", b"\xfe\xff") or body[:4] in (
        b"\x00\x00\xfe\xff",
        b"\x00<\x00?",
        b"<\x00?\x00",
    ):
        raise _encoding_refused("UTF-16 or UTF-32", encodings)
    if body.lstrip(b"\xef\xbb\xbf").startswith(b"<?xml") and _declaration(body) is None:
        raise InvalidError("the XML declaration cannot be read", code="not-well-formed", where="line 1",
                           remedy='write <?xml version="1.0" encoding="UTF-8"?>')  # fmt: skip
    claims = [("Content-Type", charset), ("XML declaration", _declared(body))]
    if body.startswith(b"\xef\xbb\xbf"):
        claims.append(("byte order mark", "UTF-8"))
    given = [(place, _known(claim)) for place, claim in claims if claim]
    for place, claim in given:
        if claim not in encodings:
            raise _encoding_refused(claim, encodings, place)
    if len({claim for _, claim in given}) > 1:
        said = ", ".join(f"{claim} in the {place}" for place, claim in given)
        raise InvalidError(
            f"the message names two encodings: {said}", code="encoding-mixed", where="Content-Type",
            remedy="name the same encoding in both places",
        )  # fmt: skip
    return given[0][1] if given else "UTF-8"  # XML 1.0 section 4.3.3


def _encoding_refused(claim: str, encodings: Sequence[str], place: str = "message") -> InvalidError:
    return InvalidError(
        "this encoding is not taken here", code="encoding-unsupported", where=place, value=claim,
        remedy=f"write the message in {' or '.join(encodings)}",
    )  # fmt: skip


def _declaration(body: bytes) -> re.Match[bytes] | None:
    return _DECLARATION.match(body[:300].removeprefix(b"\xef\xbb\xbf"))


def _declared(body: bytes) -> str | None:
    found = _declaration(body)
    return None if found is None else ((found[1] or found[2] or b"").decode() or None)


def _known(claim: str) -> str:
    upper = claim.strip().upper()
    return "UTF-8" if upper == "UTF8" else upper[:40]


def _too_deep(what: str) -> InvalidError:
    return InvalidError(f"the {what} has elements more than {MAX_DEPTH} deep", code="too-deep")


def _not_well_formed(exc: etree.XMLSyntaxError, what: str) -> InvalidError:
    """libxml2's own words may repeat what stands in the message, so only the place is told."""
    if "depth" in str(exc.msg).lower():
        return _too_deep(what)
    line, column = exc.position
    return InvalidError(
        f"the {what} is not well-formed XML", code="not-well-formed", where=f"line {line}, column {column}"
    )


__all__ = [
    "ENVELOPES",
    "MEDIA_TYPES",
    "SOAP_11",
    "SOAP_12",
    "Element",
    "MediaType",
    "canonical",
    "form_of",
    "local_name",
    "parse_message",
    "parse_xml",
    "path_of",
    "read_media_type",
]
