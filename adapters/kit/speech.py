"""How a town's documents are made from items and taken apart again, so that a scenario can change one word of one item.

An item is a mapping from the town's own field names to what stands there. Nothing here is the adapter's code: the suite must
not read a message with what it checks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

Item = dict[str, Any]


class Speech(Protocol):
    """A town's way of writing a push."""

    @property
    def words(self) -> Words: ...
    def items_of(self, document: bytes) -> list[Item]: ...
    def document(self, items: Sequence[Any]) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Words:
    """What the town calls what the suite changes."""

    reference: str
    activity: str
    points: str
    person: str
    place: str = "/{listed}/{item_no}/{field}"  # where a fault of a field stands; {number} counts from 1
    listed: str = "items"
    reference_like: str = "{}"  # how a reference looks, around letters and digits of the suite's
    personal: tuple[
        str, ...
    ] = ()  # fields that name a person: masked in reports, beside resident ids and phones


@dataclass(frozen=True, slots=True)
class JsonSpeech:
    """A batch is an object whose only key holds the array of items."""

    words: Words

    def items_of(self, document: bytes) -> list[Item]:
        """The items of a batch, or of a single item."""
        read = orjson.loads(document)
        return list(read[self.words.listed]) if self.words.listed in read else [read]

    def document(self, items: Sequence[Any]) -> bytes:
        """A batch of these; an item may be anything JSON can write."""
        return orjson.dumps({self.words.listed: list(items)})


def changed(item: Mapping[str, Any], **changes: Any) -> Item:
    """The item with some fields changed; `...` takes a field out."""
    made = {**item, **changes}
    return {name: value for name, value in made.items() if value is not ...}
