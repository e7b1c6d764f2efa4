"""五和众联's words as they stand on the wire: PascalCase elements, nothing renamed. Straight walks over what the schema let pass.

The door has held a message to contract/gateway.xsd before; what is read again (from sealed bytes) is trusted in its shape only
as far as it is checked here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

from adapters.soap_reading import Element, local_name, parse_xml
from adapters.wire_fields import Day, Instant, ResidentId, Text, Word
from schemas.acceptor import Fault, WireField
from schemas.errors import InvalidError

NAMESPACE: Final = "urn:wuhe-zhonglian:gateway:1"
MAX_HOUSEHOLDS, MAX_LINES, MAX_REGISTERED, MAX_WITHDRAWALS = 5000, 100, 1000, 1000  # as in the schema
MAX_POINTS_CENTI: Final = 100_000 * 100
PURPOSES: Final = ("LoanMapping", "Redemption")

_POINTS: Final = re.compile(r"(-?)(0|[1-9][0-9]{0,6})(?:\.([0-9]{1,2}))?").fullmatch
_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}").fullmatch
_ITEM: Final = re.compile(r"[GBD][0-9]{2}").fullmatch
_QUARTER: Final = re.compile(r"20[0-9]{2}Q[1-4]").fullmatch

#: fields of a registration and a withdrawal, in the contract's order
MEMBER: Final[dict[str, WireField]] = {
    "IdNo": ResidentId(),
    "Name": Text(64),
    "Phone": Text(20, pattern=r"\+?[0-9]{5,19}"),
    "Head": Word(dict.fromkeys(("true", "false", "1", "0"))),
}
CONSENT: Final[dict[str, WireField]] = {
    "Purpose": Word(dict.fromkeys(PURPOSES)),
    "GivenAt": Instant(),
    "TextVersion": Text(32),
    "Evidence": Text(64),
    "Guardian": Word(dict.fromkeys(("true", "false", "1", "0"))),
}
HOUSEHOLD: Final[dict[str, WireField]] = {
    "HouseholdCode": Text(32, pattern=r"[A-Za-z0-9][A-Za-z0-9-]{0,31}"),
    "Village": Text(64),
    "MemberSince": Day(),
}
WITHDRAWAL: Final[dict[str, WireField]] = {
    "IdNo": ResidentId(),
    "Purpose": Word(dict.fromkeys(PURPOSES)),
    "WithdrawnAt": Instant(),
}
OPTIONAL: Final = frozenset({"Phone", "Evidence", "Guardian"})


class EntryFaultError(Exception):
    """An entry cannot be taken; the others can. Names a place, never a value."""

    def __init__(self, where: str, fault: Fault) -> None:
        super().__init__(str(fault))
        self.where, self.fault = where, fault


class Line(NamedTuple):
    """A line of a list: item and points in 1/100, both as written."""

    item_code: str
    points_centi: int


class Entry(NamedTuple):
    """A household's entry on a list, in the order of the message from 0."""

    household_code: str
    score_centi: int
    lines: list[Line]


def payload_of(body: bytes, operation: str) -> Element:
    """The operation's element. Raises InvalidError for anything else."""
    root = parse_xml(body, "payload")
    if root.tag != f"{{{NAMESPACE}}}{operation}":
        raise InvalidError(
            f"this is no {operation}", code="operation-unknown", where="/", value=local_name(root)[:60]
        )
    return root


def text_of(parent: Element, *steps: str) -> str:
    """The text of a child that must stand there."""
    found = parent
    for step in steps:
        found = found.find(f"{{{NAMESPACE}}}{step}")
        if found is None:
            raise _violated("/".join(steps), "is missing")
    return found.text or ""


def points_of(text: str, where: str) -> int:
    """Points in 1/100. Raises InvalidError."""
    found = _POINTS(text)
    if found is None:
        raise _violated(where, "is not a plain decimal with at most two places")
    sign, whole, part = found.groups()
    centi = int(whole) * 100 + (int(part.ljust(2, "0")) if part else 0)
    return -centi if sign else centi


def line_points_of(text: str, where: str) -> int:
    """Points of a line: the item's letter gives the direction, so never negative; at most 100 000."""
    centi = points_of(text, where)
    if not 0 <= centi <= MAX_POINTS_CENTI:
        raise _violated(where, "must be from 0 to 100000; the item says in which direction")
    return centi


def code_of(text: str, where: str) -> str:
    """A number of a list, a correction or an objection, or a household's code."""
    if not _CODE(text):
        raise _violated(where, "has a form the contract does not have")
    return text


def item_code_of(text: str, where: str) -> str:
    """G, B or D and two digits."""
    if not _ITEM(text):
        raise _violated(where, "is no item such as G01, B01 or D01")
    return text


def quarter_of(text: str) -> str:
    """2026Q3."""
    if not _QUARTER(text):
        raise _violated("Quarter", "is no quarter such as 2026Q3")
    return text


def instant_of(text: str, where: str) -> datetime:
    """An instant with its offset. Raises InvalidError."""
    field = Instant()
    found: datetime | None = field.quick(text)
    if found is None:
        raise _violated(where, str(field.explain(text)))
    return found


def entries_of(root: Element) -> Iterator[Entry | None]:
    """The entries of SubmitScoreboard, one walk, no path expression per line. None for one that was emptied (`without_items`);
    the schema takes no such entry at the door."""
    households = root.find(f"{{{NAMESPACE}}}Households")
    if households is None or not 0 < len(households) <= MAX_HOUSEHOLDS:
        raise _violated("Households", f"must hold 1 to {MAX_HOUSEHOLDS} entries")
    line_tag = f"{{{NAMESPACE}}}Line"
    for number, household in enumerate(households, 1):
        where = f"Household[{number}]"
        if len(household) == 0:
            yield None
            continue
        if len(household) < 2 or len(household) > 2 + MAX_LINES:
            raise _violated(where, f"must hold a code, a score and at most {MAX_LINES} lines")
        code = code_of(household[0].text or "", f"{where}/HouseholdCode")
        score_centi = points_of(household[1].text or "", f"{where}/PostedScore")
        lines = []
        for line in household[2:]:
            if line.tag != line_tag or len(line) != 2:
                raise _violated(where, "holds something other than lines")
            item = item_code_of(line[0].text or "", f"{where}/Line/ItemCode")
            lines.append(Line(item, line_points_of(line[1].text or "", f"{where}/Line/Points")))
        yield Entry(code, score_centi, lines)


def read_fields(element: Element, fields: dict[str, WireField], where: str) -> dict[str, Any]:
    """The named children, loaded. Raises EntryFaultError at the first that is wrong."""
    found: dict[str, Any] = {}
    for name, field in fields.items():
        child = element.find(f"{{{NAMESPACE}}}{name}")
        if child is None:
            if name not in OPTIONAL:
                raise EntryFaultError(f"{where}/{name}", Fault("field-missing", "this element is required"))
            found[name] = None
            continue
        text = child.text or ""
        loaded = field.quick(text)
        if loaded is None:
            raise EntryFaultError(f"{where}/{name}", field.explain(text))
        found[name] = loaded
    return found


def is_true(word: str | None) -> bool:
    """xsd:boolean."""
    return word in ("true", "1")


def _violated(where: str, what: str) -> InvalidError:
    return InvalidError(
        f"{where} {what}", code="contract-violated", where=where, remedy="check the message against the WSDL"
    )
