"""A SOAP contract: the WSDL and its schemas as files, the operations they name, validation, and serving them with our address."""

from __future__ import annotations

import re
import threading
from importlib.resources.abc import Traversable
from typing import Any, Final, NamedTuple

from lxml import etree  # type: ignore[import-untyped]

from adapters.soap_reading import Element, path_of
from schemas.errors import InvalidError

WSDL: Final = "http://schemas.xmlsoap.org/wsdl/"
WSDL_SOAP: Final = {
    "1.1": "http://schemas.xmlsoap.org/wsdl/soap/",
    "1.2": "http://schemas.xmlsoap.org/wsdl/soap12/",
}
XSD: Final = "http://www.w3.org/2001/XMLSchema"
MAX_TOLD: Final = 5  # faults of a document that are told at once
_NAME: Final = re.compile(r"[A-Za-z0-9_-]+\.xsd")
#: libxml2's name of a fault → what we say. Its own words repeat the value, which may be personal.
_WORDS: Final = {
    "SCHEMAV_CVC_DATATYPE_VALID_1_2_1": ("value-type", "the value is not of its type in the contract"),
    "SCHEMAV_CVC_PATTERN_VALID": ("value-pattern", "the value has not the form the contract asks for"),
    "SCHEMAV_CVC_ENUMERATION_VALID": ("value-unknown", "the value is not one of those in the contract"),
    "SCHEMAV_CVC_MINLENGTH_VALID": ("value-length", "the value is too short"),
    "SCHEMAV_CVC_MAXLENGTH_VALID": ("value-length", "the value is too long"),
    "SCHEMAV_CVC_LENGTH_VALID": ("value-length", "the value has not the length in the contract"),
    "SCHEMAV_CVC_MININCLUSIVE_VALID": ("value-range", "the value is too small"),
    "SCHEMAV_CVC_MAXINCLUSIVE_VALID": ("value-range", "the value is too large"),
    "SCHEMAV_CVC_TOTALDIGITS_VALID": ("value-digits", "the value has too many digits"),
    "SCHEMAV_CVC_FRACTIONDIGITS_VALID": ("value-digits", "the value has too many digits after the point"),
    "SCHEMAV_ELEMENT_CONTENT": ("element-unexpected", "elements stand otherwise than in the contract"),
    "SCHEMAV_CVC_COMPLEX_TYPE_3_2_1": ("attribute-unknown", "an attribute is not in the contract"),
    "SCHEMAV_CVC_COMPLEX_TYPE_3_2_2": ("attribute-unknown", "an attribute is not in the contract"),
    "SCHEMAV_CVC_COMPLEX_TYPE_2_3": ("text-unexpected", "text stands where only elements may"),
    "SCHEMAV_CVC_ELT_1": ("operation-unknown", "the contract has no such element"),
    "SCHEMAV_CVC_ELT_3_1": ("nil-refused", "the element may not be nil"),
}


class WireOperation(NamedTuple):
    """An operation as the WSDL has it."""

    name: str
    action: str
    element: str  # '{namespace}JFTS': the request's, what stands in the Body


class SoapContract:
    """One WSDL with one binding (document/literal) and the schemas beside it. Parsed once; used by all threads."""

    def __init__(self, folder: Traversable, wsdl: str, version: str) -> None:
        """Raises ValueError when the WSDL is not what this server can keep."""
        self.version = version
        self._folder, self._wsdl = folder, wsdl
        root = _load(folder / wsdl)
        self.namespace = str(root.get("targetNamespace"))
        self._files = [
            name
            for i in root.iter(f"{{{XSD}}}import", f"{{{XSD}}}include")
            if (name := i.get("schemaLocation"))
        ]
        if not self._files or not all(_NAME.fullmatch(name) for name in self._files):
            raise ValueError(f"{wsdl}: its schema stands in .xsd files beside it")
        self.operations = {o.element: o for o in self._list_operations(root)}
        self._schemas = threading.local()
        self._schema()

    def validate(self, payload: Element) -> None:
        """Raises InvalidError `contract-violated` naming where (never which value) the payload leaves the contract."""
        schema = self._schema()
        if schema.validate(payload):
            return
        faults = list(schema.error_log)[:MAX_TOLD]
        told = [_say(fault, payload) for fault in faults]
        raise InvalidError(
            "; ".join(f"{where}: {words}" for where, _, words in told), code="contract-violated",
            where=told[0][0] if told else None, value=", ".join(sorted({code for _, code, _ in told})),
            remedy="check the message against the WSDL and its schema",
        )  # fmt: skip

    def served(self, name: str, address: str) -> bytes | None:
        """The file as a client fetches it: every address in it is absolute and ours."""
        if name == "wsdl":
            return self._at(self._folder / self._wsdl, address)
        if _NAME.fullmatch(name) and (self._folder / name).is_file() and name in self._all_files():
            return self._at(self._folder / name, address)
        return None

    def _list_operations(self, root: Element) -> list[WireOperation]:
        soap = WSDL_SOAP[self.version]
        bindings = [b for b in root.findall(f"{{{WSDL}}}binding") if b.find(f"{{{soap}}}binding") is not None]
        if len(bindings) != 1:
            raise ValueError(f"{self._wsdl}: one binding of SOAP {self.version} is needed")
        elements = {
            m.get("name"): _resolve(m.find(f"{{{WSDL}}}part"), "element")
            for m in root.findall(f"{{{WSDL}}}message")
        }
        inputs = {
            o.get("name"): (o.find(f"{{{WSDL}}}input").get("message") or "").rpartition(":")[2]
            for o in root.iterfind(f"{{{WSDL}}}portType/{{{WSDL}}}operation")
        }
        found = []
        for operation in bindings[0].findall(f"{{{WSDL}}}operation"):
            name = operation.get("name")
            action = operation.find(f"{{{soap}}}operation").get("soapAction", "")
            found.append(WireOperation(name, action, elements[inputs[name]]))
        return found

    def _schema(self) -> etree.XMLSchema:
        """A compiled schema of this thread: the error log of one is not for two threads."""
        known = getattr(self._schemas, "schema", None)
        if known is None:
            entry = etree.Element(f"{{{XSD}}}schema", nsmap={"xsd": XSD})
            for name in self._files:
                space = _load(self._folder / name).get("targetNamespace")
                etree.SubElement(
                    entry, f"{{{XSD}}}import", namespace=space, schemaLocation=str(self._folder / name)
                )
            known = self._schemas.schema = etree.XMLSchema(entry)
        return known

    def _all_files(self) -> set[str]:
        found, open_ones = set(self._files), list(self._files)
        while open_ones:
            root = _load(self._folder / open_ones.pop())
            for place in root.iter(f"{{{XSD}}}import", f"{{{XSD}}}include"):
                name = place.get("schemaLocation")
                if name and _NAME.fullmatch(name) and name not in found:
                    found.add(name)
                    open_ones.append(name)
        return found

    def _at(self, file: Traversable, address: str) -> bytes:
        root = _load(file)
        for place in root.iter(f"{{{XSD}}}import", f"{{{XSD}}}include"):
            if place.get("schemaLocation"):
                place.set("schemaLocation", f"{address}?xsd={place.get('schemaLocation')}")
        for soap in WSDL_SOAP.values():
            for place in root.iter(f"{{{soap}}}address"):
                place.set("location", address)
        written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
        return written


def _say(fault: Any, payload: Element) -> tuple[str, str, str]:
    """Where, a code and words for one fault that libxml2 found; never the value."""
    code, words = _WORDS.get(fault.type_name, ("contract", "this is not as in the contract"))
    if fault.type_name == "SCHEMAV_ELEMENT_CONTENT":  # names of elements only, no value
        words = re.sub(r"\{[^}]*\}", "", str(fault.message).partition(": ")[2]).strip() or words
    return _place(str(fault.path or ""), payload) or f"line {fault.line}", code, words[:300]


def _place(path: str, payload: Element) -> str:
    """libxml2's path from the payload on ('/*/*[2]/*[4]') in names, or '' when it leads nowhere."""
    steps = path.split("/")[2:]
    spaces = {prefix: uri for prefix, uri in payload.nsmap.items() if prefix}
    try:
        found = payload.xpath("/".join([".", *steps]), namespaces=spaces)
    except etree.XPathError:
        return ""
    return path_of(found[0], payload)[:200] if len(found) == 1 and hasattr(found[0], "tag") else ""


def _load(file: Traversable) -> Element:
    """A contract file of ours. Unlike a message it may hold comments."""
    return etree.fromstring(file.read_bytes(), etree.XMLParser(resolve_entities=False, no_network=True))


def _resolve(part: Element, attribute: str) -> str:
    if part is None or not part.get(attribute):
        raise ValueError("document/literal is needed: each message has one part with an element")
    prefix, _, name = part.get(attribute).rpartition(":")
    return f"{{{part.nsmap[prefix or None]}}}{name}"
