"""An invented Yaqian: persons, their consents and a year of what they did. The same seed makes the same town.

Nobody here exists: names begin with 测试, the county code 330199 was never given to a county. Some names have characters that
only GB18030 has, or a middle dot, as real ones do.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

from adapters.pingan_gongfu.simulator.books import points_of

TOWN_TIME = timezone(timedelta(hours=8))
COUNTY = "330199"
DAYS = 365
SETTLED_DAYS = 14  # only points this old are spent or taken back
STEMS = "甲乙丙丁戊己庚辛壬癸"
RARE = ("𠮷", "䶮", "㐂", "買買提·艾力", "𬭎", "龘")  # each in one name of twenty

#: activity, how often, fewest and most points, the town's cap a person and day (0: none)
ACTIVITIES = (
    ("PAXF", 24, 5, 10, 20), ("YXXL", 8, 8, 15, 30), ("XFYH", 3, 5, 15, 0), ("ZAXS", 1, 10, 30, 0), ("GYCS", 3, 10, 50, 0),
    ("WXJX", 0.5, 50, 100, 0), ("ZYFW", 8, 8, 20, 40), ("JTQD", 6, 5, 10, 20), ("FZXC", 5, 3, 8, 16), ("AQSP", 20, 1, 3, 6),
    ("ZSJS", 8, 2, 10, 20), ("AQPX", 2, 5, 10, 0), ("MDTJ", 1, 10, 30, 0), ("LLHZ", 3, 5, 10, 0), ("CZSB", 2, 5, 10, 0),
)  # fmt: skip
OFFENCES = (("WFXW", 10, 30), ("XFWG", 5, 20))
_WEIGHTS = [weight for _, weight, _, _, _ in ACTIVITIES]

Item = dict[str, Any]


@dataclass(slots=True)
class Person:
    """One account as the town keeps it."""

    id_no: str
    name: str
    registration: Item
    zeal: float  # 0 to 1
    settled: int = 0  # hundredths old enough to be spent
    fresh: list[tuple[date, int]] = field(default_factory=list)
    today: dict[tuple[date, str], int] = field(
        default_factory=dict
    )  # (day, activity) → hundredths, for the cap
    takeable: list[tuple[date, str, int]] = field(default_factory=list)  # not yet reversed

    def settle(self, on: date) -> None:
        while self.fresh and (on - self.fresh[0][0]).days >= SETTLED_DAYS:
            self.settled += self.fresh.pop(0)[1]

    @property
    def balance(self) -> int:
        return self.settled + sum(centi for _, centi in self.fresh)


@dataclass(slots=True)
class Town:
    """Everything the town sends in a year, in order."""

    persons: list[Person]
    items: list[Item]
    withdrawals: list[Item]

    def registrations(self) -> list[Item]:
        return [person.registration for person in self.persons if person.registration["TYLB"]]

    def balances(self) -> dict[str, int]:
        """What each person can spend at the end, in hundredths."""
        return {person.id_no: max(person.balance, 0) for person in self.persons}

    def days(self) -> dict[str, list[Item]]:
        """What the town enters on which day: yyyyMMdd → items."""
        found: dict[str, list[Item]] = {}
        for item in self.items:
            found.setdefault(item["FSSJ"][:8], []).append(item)
        return found

    @staticmethod
    def caps() -> dict[str, int]:
        """The town's caps in hundredths a person and day."""
        return {activity: cap * 100 for activity, _, _, _, cap in ACTIVITIES if cap}


def invent_town(
    seed: int, persons: int, today: date, *, days: int = DAYS, zeal: float = 1.0,
    residents: Sequence[Mapping[str, str]] = (),
) -> Town:  # fmt: skip
    """A town of `persons` with the `days` before `today`; about 40 items a person and year at zeal 1.

    `residents` ({"id_no", "name", "phone"}) come first: people who live on another town's platform too.
    """
    chance = random.Random(f"pingan_gongfu/{seed}")  # noqa: S311  invented people, not secrets
    begins = today - timedelta(days=days + 30)
    seen = {known["id_no"][:17] for known in residents}
    made = [_person(chance, known, begins, number, zeal) for number, known in enumerate(residents)]
    for number in range(len(made), max(persons, len(made))):
        made.append(_person(chance, _stranger(chance, number, today, seen), begins, number, zeal))
    items = list(_year(chance, [person for person in made if person.registration["TYLB"]], today, days))
    return Town(made, items, _withdrawals(chance, made, today))


def _stranger(chance: random.Random, number: int, today: date, seen: set[str]) -> dict[str, str]:
    first = ""
    while not first or first in seen:
        birth = date(today.year - chance.randint(20, 78), chance.randint(1, 12), chance.randint(1, 28))
        first = f"{COUNTY}{birth:%Y%m%d}{chance.randint(0, 999):03d}"
    seen.add(first)
    rare = RARE[number // 20 % len(RARE)] if number % 20 == 0 else ""
    name = f"测试{rare}{STEMS[number % 10]}{number:04d}"
    return {"id_no": first + _check(first), "name": name, "phone": f"001{number:08d}"}


def _person(
    chance: random.Random, known: Mapping[str, str], begins: date, number: int, zeal: float
) -> Person:
    wish = chance.random()
    purposes = ("01", "02") if wish < 0.82 else ("02",) if wish < 0.95 else ()
    given = datetime.combine(begins, time(9, chance.randint(0, 59)), TOWN_TIME).strftime("%Y%m%d%H%M%S")
    guardian = "1" if begins.year - int(known["id_no"][6:10]) < 15 else "0"
    consents = [
        {"YT": purpose, "TYSJ": given, "WBBB": "2025-07", "PZH": f"YQ{number:06d}", "JHR": guardian}
        for purpose in purposes
    ]
    registration = {"SFZH": known["id_no"], "XM": known["name"], "SJH": known["phone"], "TYLB": consents}
    return Person(known["id_no"], known["name"], registration, min(chance.betavariate(1.6, 2.2) * zeal, 1.0))


def _check(first: str) -> str:
    """ISO 7064 MOD 11-2 over 17 digits, digit by digit."""
    rest = 0
    for digit in first:
        rest = (rest + int(digit)) * 2 % 11
    return "0123456789X"[(12 - rest) % 11]


def _year(chance: random.Random, persons: list[Person], today: date, days: int) -> Iterator[Item]:
    """Items in the order they happened. Spending never takes points that are not settled."""
    moments = sorted(
        (chance.randrange(days * 900), place)
        for place, person in enumerate(persons)
        for _ in range(round(95 * person.zeal * days / DAYS))
    )
    count = 0
    for moment, place in moments:
        day, minute = today - timedelta(days=days - moment // 900), moment % 900
        at = datetime.combine(day, time(6 + minute // 60, minute % 60, chance.randint(0, 59)), TOWN_TIME)
        person = persons[place]
        person.settle(day)
        item = _event(chance, person, at)
        if item is not None:
            count += 1
            item["LSH"] = f"PA{day:%Y%m%d}{count:07d}"
            if item["LX"] == "01" and chance.random() < 0.02:
                person.takeable.append((day, item["LSH"], round(float(item["JF"]) * 100)))
            yield item


def _event(chance: random.Random, person: Person, at: datetime) -> Item | None:
    """What happened, or None when the town's cap leaves nothing to give."""
    luck, day = chance.random(), at.date()
    if luck < 0.03 and person.settled > 4000:
        activity, least, most = OFFENCES[chance.choices((0, 1), (1, 3))[0]]
        return _taken(person, at, "02", activity, chance.randint(least, most) * 100)
    if luck < 0.05 and person.settled > 3000:
        return _taken(person, at, "04", "SCXF", chance.randint(5, person.settled // 200) * 100)
    if (
        luck < 0.056
        and person.takeable
        and (day - person.takeable[0][0]).days > SETTLED_DAYS
        and person.settled > 6000
    ):
        _, original, centi = person.takeable.pop(0)
        return {**_taken(person, at, "03", "ZYFW", centi), "YLSH": original}
    activity, _, least, most, cap = chance.choices(ACTIVITIES, _WEIGHTS)[0]
    centi = chance.randint(least, most) * 100 + (50 if chance.random() < 0.05 else 0)
    had = person.today.get((day, activity), 0)
    centi = min(centi, cap * 100 - had) if cap else centi
    if centi <= 0:
        return None
    person.today[day, activity] = had + centi
    person.fresh.append((day, centi))
    return _item(person, at, "01", activity, centi)


def _taken(person: Person, at: datetime, kind: str, activity: str, centi: int) -> Item:
    person.settled -= centi
    return _item(person, at, kind, activity, centi)


def _item(person: Person, at: datetime, kind: str, activity: str, centi: int) -> Item:
    return {
        "LSH": "",
        "SFZH": person.id_no,
        "XM": person.name,
        "HDLX": activity,
        "LX": kind,
        "JF": points_of(centi),
        "FSSJ": at.strftime("%Y%m%d%H%M%S"),
        "YLSH": "",
    }


def _withdrawals(chance: random.Random, persons: list[Person], today: date) -> list[Item]:
    """One person in fifty of those who agreed takes the loan consent back."""
    at = datetime.combine(today - timedelta(days=1), time(20), TOWN_TIME).strftime("%Y%m%d%H%M%S")
    return [
        {"SFZH": person.id_no, "YT": "01", "CHSJ": at}
        for person in persons
        if len(person.registration["TYLB"]) == 2 and chance.random() < 0.02
    ]
