"""An invented Guali: families, members, consents and a year of tasks. The same seed makes the same town.

Nobody here exists: names begin with 测试, the county code 330199 was never given to a county, villages carry 示例 in their name.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

TOWN_TIME = timezone(timedelta(hours=8))
VILLAGES = tuple(
    f"示例{name}村"
    for name in ("东湾", "西塘", "南浦", "北桥", "长桑", "沙田", "梅里", "横港", "新埠", "凤凰")
)
STEMS = "甲乙丙丁戊己庚辛壬癸"
COUNTY = "330199"
DAYS = 365
SETTLED_DAYS = 14  # only points this old are spent, given away or taken back

#: task, how often, fewest and most points
TASKS = (
    ("garbageSorting", 30, 1, 3), ("kitchenWasteSorting", 14, 1, 3), ("recyclablesDropOff", 8, 2, 5),
    ("doorFrontHygiene", 12, 3, 8), ("courtyardBeautiful", 3, 5, 20), ("riverCleaning", 2, 10, 20),
    ("safetyPatrol", 6, 5, 10), ("fireHazardReport", 1, 5, 15), ("charityDonation", 2, 10, 50),
    ("bloodDonation", 0.5, 50, 100), ("volunteerService", 8, 8, 20), ("elderlyVisit", 4, 5, 15),
    ("eventSteward", 2, 10, 20), ("onlineLearning", 8, 1, 3), ("fraudPreventionQuiz", 4, 2, 5),
    ("neighbourHelp", 3, 5, 10), ("disputeMediation", 1, 10, 30), ("villageMeeting", 4, 5, 10),
    ("civilFamily", 0.5, 30, 60),
)  # fmt: skip
OFFENCES = (("illegalDumping", 5, 10), ("illegalParking", 2, 5), ("unauthorizedBuilding", 20, 50))

Item = dict[str, Any]


@dataclass(slots=True)
class Family:
    """One family account as the town keeps it."""

    code: str
    village: str
    registration: Item
    active: list[str]  # members whose tasks are sent: those with a consent
    zeal: float  # 0 to 1
    settled: int = 0  # hundredths old enough to be spent
    fresh: list[tuple[date, int]] = field(default_factory=list)
    awards: list[tuple[date, str, str, int]] = field(
        default_factory=list
    )  # not yet reversed: day, task id, member, hundredths

    def settle(self, today: date) -> None:
        while self.fresh and (today - self.fresh[0][0]).days >= SETTLED_DAYS:
            self.settled += self.fresh.pop(0)[1]

    @property
    def balance(self) -> int:
        return self.settled + sum(centi for _, centi in self.fresh)


@dataclass(slots=True)
class Town:
    """Everything the town sends in a year, in order."""

    families: list[Family]
    items: list[Item]
    withdrawals: list[Item]

    def registrations(self) -> list[Item]:
        return [family.registration for family in self.families]

    def balances(self) -> dict[str, int]:
        """What each family can spend at the end, in hundredths."""
        return {family.code: max(family.balance, 0) for family in self.families}


def invent_town(seed: int, families: int, today: date, *, days: int = DAYS, zeal: float = 1.0) -> Town:
    """A town of `families` with the `days` before `today`; about 42 items a family and year at zeal 1."""
    chance = random.Random(f"lijiayuan/{seed}")  # noqa: S311  invented people, not secrets
    seen: set[str] = set()
    made = [_family(chance, number, today, days, zeal, seen) for number in range(1, families + 1)]
    items = list(_year(chance, made, today, days))
    withdrawals = _withdrawals(chance, made, today)
    return Town(made, items, withdrawals)


def _family(
    chance: random.Random, number: int, today: date, days: int, zeal: float, seen: set[str]
) -> Family:
    village = VILLAGES[(number * 7) % len(VILLAGES)]
    members, active = [], []
    begins = today - timedelta(days=days + 30)
    size = chance.choices((1, 2, 3, 4), (15, 35, 30, 20))[0]
    for place in range(size):
        age = chance.randint(28, 75) if place < 2 else chance.randint(6, 26)
        member = _member(chance, (number, place), today.year - age, begins, seen)
        members.append(member)
        if member["consents"]:
            active.append(member["memberIdNo"])
    code = f"GL{number:06d}"
    registration = {
        "familyCode": code,
        "village": village,
        "memberSince": begins.isoformat(),
        "members": members,
    }
    return Family(code, village, registration, active, min(chance.betavariate(1.6, 2.2) * zeal, 1.0))


def _member(
    chance: random.Random, who: tuple[int, int], born_year: int, begins: date, seen: set[str]
) -> Item:
    number, place = who
    first = ""
    while not first or first in seen:
        birth = date(born_year, chance.randint(1, 12), chance.randint(1, 28))
        first = f"{COUNTY}{birth:%Y%m%d}{chance.randint(0, 999):03d}"
    seen.add(first)
    child = begins.year - born_year < 15
    wish = chance.random()
    purposes = ("loanMapping", "redemption") if wish < 0.8 else ("redemption",) if wish < 0.92 else ()
    if place == 0 and not purposes:
        purposes = ("redemption",)
    given = datetime.combine(begins, time(9, chance.randint(0, 59)), TOWN_TIME).isoformat()
    consents = [
        {
            "purpose": purpose,
            "givenAt": given,
            "textVersion": "2025-07",
            "evidence": f"QR-{number:06d}-{place}",
            "guardian": child,
        }
        for purpose in purposes
    ]
    name = f"测试{STEMS[number % 10]}{STEMS[place]}{number:04d}"
    phone = f"000{number:06d}{place:02d}"
    return {
        "memberIdNo": first + _check(first),
        "memberName": name,
        "phone": phone,
        "isHead": place == 0,
        "consents": consents,
    }


def _check(first: str) -> str:
    """ISO 7064 MOD 11-2 over 17 digits, digit by digit."""
    rest = 0
    for digit in first:
        rest = (rest + int(digit)) * 2 % 11
    return "0123456789X"[(12 - rest) % 11]


def _year(chance: random.Random, families: list[Family], today: date, days: int) -> Iterator[Item]:
    """Items in the order they happened. Spending never takes points that are not settled."""
    moments: list[tuple[int, int]] = []
    for place, family in enumerate(families):
        for _ in range(round(100 * family.zeal * days / DAYS) if family.active else 0):
            moments.append((chance.randrange(days * 900), place))
    moments.sort()
    count = 0
    for moment, place in moments:
        day, minute = today - timedelta(days=days - moment // 900), moment % 900
        at = datetime.combine(day, time(6 + minute // 60, minute % 60, chance.randint(0, 59)), TOWN_TIME)
        family = families[place]
        family.settle(day)
        for item in _event(chance, family, families, at):
            count += 1
            taken = item.pop("_award", None)
            item["taskId"] = f"LJY-{day:%Y%m%d}-{count:07d}"
            if taken is not None:
                taken[0].awards.append((day, item["taskId"], item["memberIdNo"], taken[1]))
            yield item


def _event(chance: random.Random, family: Family, families: list[Family], at: datetime) -> Iterator[Item]:
    luck = chance.random()
    if luck < 0.03 and family.settled > 6000:
        task, least, most = OFFENCES[chance.choices((0, 1, 2), (6, 5, 1))[0]]
        yield _move(chance, family, at, "deduction", task, chance.randint(least, most) * 100)
    elif luck < 0.055 and family.settled > 3000:
        yield _move(
            chance, family, at, "spend", "mallPurchase", chance.randint(5, family.settled // 200) * 100
        )
    elif luck < 0.063 and family.settled > 2000:
        other = chance.choice(families)
        if other is not family and other.active:
            centi = chance.choice((5, 10, 20)) * 100
            yield {
                **_move(chance, family, at, "transferOut", "giftToNeighbour", centi),
                "counterpartFamilyCode": other.code,
            }
            yield {
                **_move(chance, other, at, "transferIn", "giftToNeighbour", centi),
                "counterpartFamilyCode": family.code,
            }
    elif (
        luck < 0.068
        and family.awards
        and (at.date() - family.awards[0][0]).days > SETTLED_DAYS
        and family.settled > 6000
    ):
        _, original, member, centi = family.awards.pop(0)
        family.settled -= centi
        yield {**_item(family, member, at, "reversal", "volunteerService", centi), "reverses": original}
    else:
        task, _, least, most = chance.choices(TASKS, _WEIGHTS)[0]
        centi = chance.randint(least, most) * 100 + (50 if chance.random() < 0.05 else 0)
        item = _move(chance, family, at, "award", task, centi)
        if task == "volunteerService" and chance.random() < 0.2:
            item["_award"] = (family, centi)
        yield item


_WEIGHTS = [weight for _, weight, _, _ in TASKS]


def _move(chance: random.Random, family: Family, at: datetime, kind: str, task: str, centi: int) -> Item:
    if kind in ("award", "transferIn"):
        family.fresh.append((at.date(), centi))
    else:
        family.settled -= centi
    return _item(family, chance.choice(family.active), at, kind, task, centi)


def _item(family: Family, member: str, at: datetime, kind: str, task: str, centi: int) -> Item:
    return {
        "taskId": "",
        "taskType": task,
        "kind": kind,
        "familyCode": family.code,
        "memberIdNo": member,
        "points": centi // 100 if centi % 100 == 0 else f"{centi // 100}.{centi % 100:02d}",
        "finishedAt": at.isoformat(),
        "village": family.village,
    }


def _withdrawals(chance: random.Random, families: list[Family], today: date) -> list[Item]:
    """One member in fifty of those who agreed takes the loan consent back."""
    at = datetime.combine(today - timedelta(days=1), time(20), TOWN_TIME).isoformat()
    return [
        {"memberIdNo": member["memberIdNo"], "purpose": "loanMapping", "withdrawnAt": at}
        for family in families
        for member in family.registration["members"]
        if len(member["consents"]) == 2 and chance.random() < 0.02
    ]
