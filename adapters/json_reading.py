"""How a JSON push is read: bytes to items, items through a schema's acceptor, refusals with a place and a reason.

Duplicated keys: orjson keeps the last of two equal keys and says nothing, other parsers keep the first. A message that two
readers understand differently must not move points, so an object with a key given twice is refused. Counting colons after quotes
proves the ordinary message free of them at almost no cost; only when the count does not prove it, the slow parser looks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
from marshmallow import ValidationError

from adapters.wire_fields import ExponentNumber
from schemas.acceptor import Fault, WireField, WireSchema
from schemas.contributions import FaultyItem
from schemas.errors import InvalidError

POINTS = "points"  # what most towns call their points
_SPACE_BEFORE_COLON = (b" :", b"\t:", b"\n:", b"\r:")
MAX_DEPTH = 100
_PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z_.-]{0,39}").fullmatch


class RepeatedKeys(dict[str, Any]):
    """An object in which a key stands twice. No acceptor takes it: its type is not dict."""

    key = ""


@dataclass(frozen=True, slots=True)
class Form:
    """One kind of item: its schema, which field is the reference (None: none), and the fields in the contract's order."""

    schema: WireSchema
    reference: str | None
    fields: tuple[str, ...]


def form_of(schema: WireSchema, reference: str | None = None) -> Form:
    """The form of a schema; made once, at import."""
    return Form(schema, reference, tuple(schema.fields))


@cache
def _exponent_search(points: str) -> Callable[[bytes], Any]:
    """Finds points written with an exponent, which orjson reads as a plain number. After a literal: quick."""
    return re.compile(rb'"%b"[ \t\r\n]*:[ \t\r\n]*[-0-9.]+[eE]' % re.escape(points.encode())).search


def parse_json(body: bytes, points: str = POINTS) -> Any:
    """The document, or InvalidError with line and column. Objects with a repeated key come as RepeatedKeys, and the number of
    a field called `points` as ExponentNumber when it was written with an exponent."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        raise _syntax_error(body, exc) from None
    if _may_repeat_keys(body, document) or _exponent_search(points)(body):
        _refuse_depth(document)
        return _parse_slowly(body)
    return document


def _refuse_depth(document: Any) -> None:
    """The slow parser recurses, so nothing deeper than MAX_DEPTH reaches it. No contract nests deeper than six."""
    level = [document] if isinstance(document, (dict, list)) else []
    for _ in range(MAX_DEPTH):
        inside = [value.values() if isinstance(value, dict) else value for value in level]
        level = [inner for values in inside for inner in values if isinstance(inner, (dict, list))]
    if level:
        raise InvalidError(
            f"the JSON is nested deeper than {MAX_DEPTH}",
            code="json-depth",
            where="/",
            remedy="send flat items",
        )


def _may_repeat_keys(body: bytes, document: Any) -> bool:
    """False only when it is certain that no key stands twice: as many `":` in the bytes as keys in a flat batch."""
    return body.count(b'":') != _count_flat_keys(document) or any(
        mark in body for mark in _SPACE_BEFORE_COLON
    )


def _count_flat_keys(document: Any) -> int:
    """Keys of an object and of the objects in its arrays. What lies deeper is not counted: then the slow parser looks."""
    if type(document) is not dict:
        return -1
    found = len(document)
    for items in document.values():
        if type(items) is list and set(map(type, items)) == {dict}:
            found += sum(map(len, items))
    return found


def _parse_slowly(body: bytes) -> Any:
    try:
        return json.loads(body, object_pairs_hook=_object, parse_float=_float)
    except RecursionError:
        raise InvalidError(
            "the JSON is nested too deeply", code="json-depth", remedy="send flat items"
        ) from None


def _float(text: str) -> float:
    return ExponentNumber(text) if "e" in text or "E" in text else float(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    repeated = RepeatedKeys(made)
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            repeated.key = key
            break
        seen.add(key)
    return repeated


def _syntax_error(body: bytes, exc: orjson.JSONDecodeError) -> InvalidError:
    try:
        body.decode()
    except UnicodeDecodeError as bad:
        line = body.count(b"\n", 0, bad.start) + 1
        column = bad.start - body.rfind(b"\n", 0, bad.start)
        return InvalidError(
            "the body is not UTF-8",
            code="json-encoding",
            where=f"line {line} byte {column}",
            remedy="send UTF-8; GBK and GB18030 are not taken at this door",
        )
    code = "json-depth" if "depth" in exc.msg else "json-syntax"
    return InvalidError(
        f"the body is not JSON: {exc.msg}",
        code=code,
        where=f"line {exc.lineno} column {exc.colno}",
        remedy="send one JSON document (RFC 8259) without byte order mark, comments or NaN",
    )


def list_items(document: Any, listed: str, max_items: int) -> tuple[Sequence[Any], str]:
    """The items of a single or batch document, and the pointer they stand under.

    A batch is an object whose only key is `listed`; any other object is a single item. Raises InvalidError.
    """
    if isinstance(document, RepeatedKeys) and listed in document:
        raise InvalidError("a key stands twice", code="key-twice", where="/" + safe_token(document.key))
    if not isinstance(document, dict):
        raise InvalidError(
            "the document must be a JSON object",
            code="document-not-an-object",
            where="/",
            remedy=f'send one item, or {{"{listed}": [...]}}',
        )
    if listed not in document:
        return [document], ""
    others = sorted(safe_token(key) for key in document if key != listed)
    if others:
        raise InvalidError(
            f"beside {listed} nothing else may stand",
            code="field-unknown",
            where="/" + others[0],
            remedy="remove it",
        )
    items = document[listed]
    if not isinstance(items, list):
        raise InvalidError("must be an array", code="items-not-an-array", where="/" + listed)
    if not items:
        raise InvalidError(
            "holds no item", code="items-empty", where="/" + listed, remedy="send nothing instead"
        )
    if len(items) > max_items:
        raise InvalidError(
            f"holds {len(items)} items; at most {max_items} are taken",
            code="items-too-many",
            where="/" + listed,
            remedy="split the batch",
        )
    return items, "/" + listed


def split_lines(body: bytes) -> list[bytes]:
    """The lines that hold anything. Blank lines carry no item and no number."""
    return [line for line in body.split(b"\n") if line and not line.isspace()]


def judge(form: Form, item: Any, item_no: int, pointer: str) -> Mapping[str, Any] | FaultyItem:
    """marshmallow's verdict on an item at `pointer`: what it loaded, or the first fault with its place."""
    twice = _find_repeated(item)
    if twice is not None:
        fault = Fault(
            "key-twice", "this key stands twice in one object; readers would disagree which one counts"
        )
        return _refuse(form, item, item_no, pointer + twice, fault)
    try:
        loaded: Mapping[str, Any] = form.schema.load(item)
    except ValidationError as exc:
        place, fault = first_fault(exc.messages, form.fields)
        return _refuse(form, item, item_no, pointer + place, fault)
    return loaded


def _refuse(form: Form, item: Any, item_no: int, pointer: str, fault: Fault) -> FaultyItem:
    """Keeps the item's reference when that could be read, and nothing else of it."""
    reference = None
    if form.reference is not None and isinstance(item, dict):
        field = form.schema.fields[form.reference]
        reference = field.quick(item.get(form.reference)) if isinstance(field, WireField) else None
    return FaultyItem(item_no, reference, fault.code, pointer or "/", str(fault))


def _find_repeated(item: Any) -> str | None:
    """The pointer of a key that stands twice, anywhere inside."""
    waiting = [(item, "")]
    while waiting:
        value, pointer = waiting.pop()
        if isinstance(value, RepeatedKeys):
            return f"{pointer}/{safe_token(value.key)}"
        if isinstance(value, dict):
            waiting += [(inner, f"{pointer}/{safe_token(key)}") for key, inner in value.items()]
        elif isinstance(value, list):
            waiting += [(inner, f"{pointer}/{at}") for at, inner in enumerate(value)]
    return None


def first_fault(messages: Any, order: Sequence[str]) -> tuple[str, Fault]:
    """The first fault in the contract's order of fields, with its pointer; says how many more there are."""
    found = list(_walk(messages, ""))
    rank = {name: at for at, name in enumerate(order)}
    found.sort(key=lambda pair: rank.get(pair[0].split("/")[1] if pair[0] else "", len(rank)))
    pointer, fault = found[0]
    if len(found) > 1:
        fault = Fault(fault.code, f"{fault} (and {len(found) - 1} more in this item)")
    return pointer, fault


def _walk(messages: Any, pointer: str) -> list[tuple[str, Fault]]:
    if isinstance(messages, Mapping):
        found = []
        for key, inner in messages.items():
            step = "" if key == "_schema" else "/" + safe_token(key)
            found += _walk(inner, pointer + step)
        return found
    if isinstance(messages, str):
        messages = [messages]
    return [
        (pointer, text if isinstance(text, Fault) else Fault("item-unreadable", str(text)))
        for text in messages
    ]


def safe_token(key: Any) -> str:
    """A JSON pointer token; a name that could carry something personal or unprintable is shown as '?'."""
    if isinstance(key, int):
        return str(key)
    return key if isinstance(key, str) and _PLAIN_NAME(key) else "?"


def parse_line(line: bytes, points: str = POINTS) -> Any:
    """One line of a stream. Raises InvalidError like `parse_json`; quicker, since an item is flat."""
    try:
        item = orjson.loads(line)
    except orjson.JSONDecodeError as exc:
        raise _syntax_error(line, exc) from None
    if (
        type(item) is not dict
        or line.count(b'":') != len(item)
        or b" :" in line
        or b"\t:" in line
        or b"\r:" in line
    ):
        return parse_json(line, points)
    if float in map(type, item.values()) and _exponent_search(points)(line):
        return _parse_slowly(line)
    return item


def without_items(body: bytes, item_nos: frozenset[int], listed: str, *, as_lines: bool) -> bytes:
    """A readable push with some items replaced by null; numbers count as in `list_items` and `split_lines`."""
    if as_lines:
        lines = [b"null" if at in item_nos else line for at, line in enumerate(split_lines(body))]
        return b"\n".join([*lines, b""])
    document = orjson.loads(body)
    if isinstance(document, dict) and listed in document:
        items = [None if at in item_nos else item for at, item in enumerate(document[listed])]
        return orjson.dumps({listed: items})
    return b"null" if 0 in item_nos else body
