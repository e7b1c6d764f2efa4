"""An invented Nanyang: residents and a year of town tasks. The same seed makes the same town.

Nobody here exists: names begin with 测试, the county code 330199 was never given to a county, villages carry 示例 in their name.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

TOWN_TIME = timezone(timedelta(hours=8))
COUNTY = "330199"
VILLAGES = tuple(f"示例{name}社区" for name in ("靖江", "龙虎", "赭山", "永利", "坞里"))
STEMS = "甲乙丙丁戊己庚辛壬癸"
#: task, how often, fewest and most half points
TASKS = (
    ("waste_sorting", 30, 2, 6), ("clean_lane", 10, 4, 10), ("river_watch", 4, 10, 30), ("night_patrol", 8, 10, 20),
    ("blood_donation", 1, 100, 200), ("volunteer_shift", 10, 10, 40), ("airport_guide", 4, 15, 30),
    ("night_school", 6, 3, 9), ("fraud_quiz", 5, 2, 7), ("help_neighbour", 4, 5, 20), ("residents_meeting", 3, 10, 20),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Town:
    """Who lives there, and what they did, in order."""

    members: list[dict[str, str]]
    changes: list[dict[str, Any]]


def invent_town(
    seed: int, today: date, *, members: int = 300, known: Iterable[Mapping[str, str]] = ()
) -> Town:
    """`known` are residents (id_no, name) who live here too, so that one person can have points in several towns."""
    chance = random.Random(f"nanyang {seed}")  # noqa: S311  an invented town, not a secret
    people = [dict(person) for person in known][:members]
    people += [_person(chance, number) for number in range(len(people), members)]
    found = [{**person, "openid": f"o_young{number:06d}"} for number, person in enumerate(people)]
    return Town(found, _year(chance, found, today))


def _person(chance: random.Random, number: int) -> dict[str, str]:
    born = date(1990 - chance.randint(0, 45) + 10, chance.randint(1, 12), chance.randint(1, 28))
    first = f"{COUNTY}{born:%Y%m%d}{number % 1000:03d}"
    return {"id_no": first + _check(first), "name": f"测试南{STEMS[number % 10]}{number:04d}"}


def _check(first: str) -> str:
    """ISO 7064 MOD 11-2 over 17 digits, digit by digit."""
    rest = 0
    for digit in first:
        rest = (rest + int(digit)) * 2 % 11
    return "0123456789X"[(12 - rest) % 11]


def _year(chance: random.Random, members: list[dict[str, str]], today: date) -> list[dict[str, Any]]:
    weights = [weight for _, weight, _, _ in TASKS]
    moments = sorted(
        (chance.randrange(365 * 900), place)
        for place in range(len(members))
        for _ in range(chance.randint(0, 60))
    )
    changes: list[dict[str, Any]] = []
    earned: dict[int, int] = {}
    for moment, place in moments:
        day, minute = today - timedelta(days=365 - moment // 900), moment % 900
        at = datetime.combine(day, time(6 + minute // 60, minute % 60), TOWN_TIME)
        task, _, least, most = chance.choices(TASKS, weights)[0]
        halves, kind = chance.randint(least, most), "award"
        luck = chance.random()
        if luck < 0.04 and earned.get(place, 0) > 100:
            task, kind, halves = (
                ("littering", "deduction", 10) if luck < 0.02 else ("shop_purchase", "spend", 40)
            )
        earned[place] = earned.get(place, 0) + (halves if kind == "award" else -halves)
        changes.append(
            {
                "change_id": f"ny_s{len(changes) + 1:09d}",
                "openid": members[place]["openid"],
                "task": task,
                "kind": kind,
                "points": f"{halves // 2}.5" if halves % 2 else str(halves // 2),
                "occurred_at": int(at.timestamp()) * 1000,
                "village": VILLAGES[place % len(VILLAGES)],
            }
        )
    return changes
