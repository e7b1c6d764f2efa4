"""Canonical JSON (RFC 8785, JCS) for records, digests and signatures.

Restricted on purpose to what JCS and sorted compact JSON agree on: strings, integers within ±(2^53 − 1), booleans, null,
arrays, and objects with ASCII keys. Floats are refused: points, fen and basis points are integers in this house.
"""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

MAX_INTEGER = 2**53 - 1

JsonValue = Any  # str | int | bool | None | list[JsonValue] | dict[str, JsonValue]


def canonical_json(value: JsonValue) -> bytes:
    """The RFC 8785 form of `value`, UTF-8. Raises ValueError on floats, huge integers and non-ASCII keys."""
    _check(value, "$")
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def sorted_json(value: JsonValue) -> bytes:
    """The same bytes for a value known to have a canonical form; nothing is checked. For comparing, never for storing."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def canonical_sha256(value: JsonValue) -> bytes:
    """SHA-256 (32 bytes) over `canonical_json(value)`."""
    return hashlib.sha256(canonical_json(value)).digest()


def _check(value: JsonValue, path: str) -> None:
    if value is None or isinstance(value, (str, bool)):
        return
    if isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise ValueError(f"integer beyond 2^53 − 1 at {path}: write it as a string")
        return
    if isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            _check(item, f"{path}[{index}]")
        return
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str) or not key.isascii():
                raise ValueError(f"object key {key!r} at {path} is not an ASCII string")
            _check(item, f"{path}.{key}")
        return
    raise ValueError(f"{type(value).__name__} at {path} has no canonical form here")
