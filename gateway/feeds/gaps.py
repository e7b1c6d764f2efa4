"""Which sequence numbers are missing after a page. Pure.

A number that was passed and did not come is a gap: its transaction at the town may commit later than one with a higher number
(django-hordak #142 lost exactly those). It stays a gap until it comes or the town says it will never be given.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple


class Gap(NamedTuple):
    """Missing numbers: `until_seq` is exclusive; `seen_at` is when they were first passed."""

    from_seq: int
    until_seq: int
    seen_at: datetime


class Passed(NamedTuple):
    """Where a feed stands after a page: the highest number met, and all that is missing below it."""

    high_seq: int
    gaps: list[Gap]


def pass_page(
    high_seq: int,
    gaps: Sequence[Gap],
    seqs: Iterable[int],
    void: Iterable[tuple[int, int]],
    *,
    now: datetime,
) -> Passed:
    """`gaps` are what was missing up to `high_seq`, ascending and apart; `seqs` come in any order and again."""
    had = _joined(seqs, void)
    new_high = max(high_seq, had[-1][1] - 1) if had else high_seq
    missing = list(gaps)
    if new_high > high_seq:
        missing.append(Gap(high_seq + 1, new_high + 1, now))
    return Passed(new_high, list(_without(missing, had)))


def _joined(seqs: Iterable[int], void: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The numbers that came, as ranges that are ascending and apart."""
    found: list[tuple[int, int]] = []
    for low, until in sorted([*((seq, seq + 1) for seq in set(seqs)), *void]):
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], until))
        else:
            found.append((low, until))
    return found


def _without(missing: Iterable[Gap], had: Sequence[tuple[int, int]]) -> Iterable[Gap]:
    """`missing` less `had`; both ascending and apart."""
    at = 0
    for first, until, seen_at in missing:
        low = first
        while at < len(had) and had[at][1] <= low:
            at += 1
        look = at
        while low < until:
            if look == len(had) or had[look][0] >= until:
                yield Gap(low, until, seen_at)
                break
            if had[look][0] > low:
                yield Gap(low, had[look][0], seen_at)
            low = had[look][1]
            look += 1
