"""What two rulesets say differently, path by path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from gateway.policy.language import Ruleset

NOTHING = "—"


class Change(NamedTuple):
    """One path that differs; NOTHING where a side does not have it."""

    where: str
    before: Any
    after: Any


def compare(before: Ruleset, after: Ruleset) -> list[Change]:
    """Every leaf that differs, ordered by path."""
    return list(_changes(before.document, after.document, ""))


def _changes(before: Any, after: Any, path: str) -> Iterator[Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            where = f"{path}.{key}" if path else key
            yield from _changes(before.get(key, NOTHING), after.get(key, NOTHING), where)
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            left = before[index] if index < len(before) else NOTHING
            right = after[index] if index < len(after) else NOTHING
            yield from _changes(left, right, f"{path}[{index}]")
    elif before != after:
        yield Change(path, before, after)
