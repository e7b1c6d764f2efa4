"""A day's items against the caps the town itself states for that day. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple

from schemas.contributions import Contribution
from schemas.values import ContributionKind, beijing_date


class OverCap(NamedTuple):
    """Somebody reached more with an activity than the cap: `reference` is the item that crossed it."""

    reference: str
    activity: str
    points_centi: int  # what they reached in all
    cap_centi: int


def list_over_caps(items: Iterable[Contribution], caps_centi: Mapping[str, int], on: date) -> list[OverCap]:
    """One entry a person and activity. Awards of that day (Beijing) count; one that the same file takes back does not."""
    day = [item for item in items if item.activity in caps_centi and beijing_date(item.occurred_at) == on]
    taken_back = {item.reverses for item in day if item.kind is ContributionKind.REVERSAL}
    reached: dict[tuple[str, str], int] = {}
    crossed: dict[tuple[str, str], str] = {}
    for item in day:
        if item.kind is not ContributionKind.AWARD or item.reference in taken_back:
            continue
        key = (item.id_no or item.household_code or item.openid or "", item.activity)
        reached[key] = reached.get(key, 0) + item.points_centi
        if reached[key] > caps_centi[item.activity]:
            crossed.setdefault(key, item.reference)
    return [
        OverCap(reference, key[1], reached[key], caps_centi[key[1]]) for key, reference in crossed.items()
    ]
