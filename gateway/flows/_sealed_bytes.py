"""The bytes of a push as they were kept: read again, or with items cut out. A part of a stream is lines, all else a document."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from schemas.contributions import ReadPush
from schemas.errors import InvalidError
from schemas.ports import TownReader
from schemas.values import Category


def read_body(reader: TownReader, body: bytes, codes: Mapping[str, Category]) -> ReadPush:
    """What stands in the bytes. Raises InvalidError when they can be read neither way."""
    try:
        return reader.read_push(body, codes)
    except InvalidError:
        read = reader.read_lines(body, codes)
        if not read.items:
            raise
        return read


def cut_items(reader: TownReader, body: bytes, item_nos: Collection[int]) -> bytes:
    """The bytes without these items; the others keep their numbers. Raises InvalidError when they cannot be read."""
    try:
        reader.read_push(body, {})
        as_lines = False
    except InvalidError:
        as_lines = True
    return reader.without_items(body, item_nos, as_lines=as_lines)
