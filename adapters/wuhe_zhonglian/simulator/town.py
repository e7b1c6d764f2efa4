"""An invented Heshang: villages, families, consents, and the lists of the last quarters. The same seed, the same town.

Nobody here exists: names begin with 测试, the county code 330199 was never given to a county, villages carry 示例 in their name.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from typing import Any, NamedTuple

from adapters.wuhe_zhonglian.simulator.posting import Correction, Lines, Posted, PostedList, last_day

TOWN_TIME = timezone(timedelta(hours=8))
VILLAGES = tuple(f"示例{name}村" for name in ("紫霞", "溪头", "凤坞", "东山", "大桥", "众联"))
STEMS = "甲乙丙丁戊己庚辛壬癸"
RARE_NAMES = ("测试𠮷", "测试·阿依古丽", "测试䶮")  # beyond the basic plane, a middle dot, beyond GBK
COUNTY = "330199"
QUARTERS = 4

GENERAL = tuple(f"G{number:02d}" for number in range(1, 11))
BONUS = tuple(f"B{number:02d}" for number in range(1, 31))
DEDUCTIONS = tuple(f"D{number:02d}" for number in range(1, 21))

Item = dict[str, Any]


class Known(NamedTuple):
    """A resident of another town's platform, who lives here too."""

    id_no: str
    name: str
    phone: str


@dataclass(slots=True)
class Family:
    """One household as the town keeps it."""

    code: str
    village: str
    registration: Item
    zeal: float  # 0 to 1
    careless: float


@dataclass(slots=True)
class Town:
    """Everything the town sends, in order: first lists, then second ones of the last quarter, then corrections."""

    families: list[Family]
    lists: list[PostedList]
    corrections: list[Correction]
    withdrawals: list[Item] = field(default_factory=list)

    def registrations(self) -> list[Item]:
        return [family.registration for family in self.families]

    def balances(self) -> dict[str, int]:
        """What each household can spend after everything was sent, in hundredths."""
        posted = Posted()
        for board in self.lists:
            posted.post(board)
        for correction in self.corrections:
            posted.correct(correction)
        found = {family.code: 0 for family in self.families}
        for (_, household), score in posted.scores.items():
            found[household] += score
        return found


def invent_town(
    seed: int, families: int, today: date, *, quarters: int = QUARTERS, known: Sequence[Sequence[Known]] = ()
) -> Town:
    """A town of `families` with lists of the quarters that have ended by `today`; about 14 lines a household and quarter.

    `known` families, each with its head first, live on another town's platform too and come first here.
    """
    chance = random.Random(f"wuhe_zhonglian/{seed}")  # noqa: S311  invented people, not secrets
    seen: set[str] = set()
    names = _quarters(today, quarters)
    begins = date(int(names[0][:4]), int(names[0][5]) * 3 - 2, 1)
    seen |= {person.id_no[:17] for family in known for person in family}
    living = dict(enumerate(known, 1))
    made = [
        _family(chance, number, begins, seen, living.get(number, ())) for number in range(1, families + 1)
    ]
    lists = [
        _list(chance, quarter, village, [f for f in made if f.village == village])
        for quarter in names
        for village in sorted({family.village for family in made})
    ]
    corrections = _corrections(chance, lists, today)
    return Town(made, lists, corrections, _withdrawals(chance, made, today))


def _quarters(today: date, count: int) -> list[str]:
    """The last quarters whose list can have been posted: seven days after their end."""
    year, number = today.year, (today.month - 1) // 3 + 1
    found: list[str] = []
    while len(found) < count:
        year, number = (year, number - 1) if number > 1 else (year - 1, 4)
        quarter = f"{year}Q{number}"
        if last_day(quarter) + timedelta(days=8) <= today:
            found.insert(0, quarter)
    return found


def _family(
    chance: random.Random, number: int, begins: date, seen: set[str], known: Sequence[Known] = ()
) -> Family:
    village = VILLAGES[number % len(VILLAGES)]
    members = [_agreed(chance, (number, place), begins, person) for place, person in enumerate(known)]
    for place in range(0 if known else chance.choices((1, 2, 3, 4), (15, 35, 30, 20))[0]):
        age = chance.randint(28, 75) if place < 2 else chance.randint(6, 26)
        members.append(_member(chance, (number, place), begins.year - age, begins, seen))
    code = f"HS{number:06d}"
    registration = {
        "HouseholdCode": code,
        "Village": village,
        "MemberSince": begins.isoformat(),
        "Members": members,
    }
    return Family(code, village, registration, chance.betavariate(1.6, 1.6), chance.betavariate(1.0, 6.0))


def _member(
    chance: random.Random, who: tuple[int, int], born_year: int, begins: date, seen: set[str]
) -> Item:
    number, place = who
    first = ""
    while not first or first in seen:
        birth = date(born_year, chance.randint(1, 12), chance.randint(1, 28))
        first = f"{COUNTY}{birth:%Y%m%d}{chance.randint(0, 999):03d}"
    seen.add(first)
    name = (
        RARE_NAMES[number % 3]
        if number <= 3 and place == 0
        else f"测试{STEMS[number % 10]}{STEMS[place]}{number:04d}"
    )
    known = Known(first + _check(first), name, f"000{number:06d}{place:02d}")
    return _agreed(chance, who, begins, known)


def _agreed(chance: random.Random, who: tuple[int, int], begins: date, person: Known) -> Item:
    """A member with the consents they gave."""
    number, place = who
    child = begins.year - int(person.id_no[6:10]) < 15
    wish = chance.random()
    purposes = ("LoanMapping", "Redemption") if wish < 0.8 else ("Redemption",) if wish < 0.92 else ()
    if place == 0 and not purposes:
        purposes = ("Redemption",)
    given = datetime.combine(begins, time(9, chance.randint(0, 59)), TOWN_TIME).isoformat()
    return {
        "IdNo": person.id_no,
        "Name": person.name,
        "Phone": person.phone,
        "Head": place == 0,
        "Consents": [
            {"Purpose": purpose, "GivenAt": given, "TextVersion": "2025-07", "Evidence": f"HS-{number:06d}-{place}",
             "Guardian": child}
            for purpose in purposes
        ],
    }  # fmt: skip


def _check(first: str) -> str:
    """ISO 7064 MOD 11-2 over 17 digits, digit by digit."""
    rest = 0
    for digit in first:
        rest = (rest + int(digit)) * 2 % 11
    return "0123456789X"[(12 - rest) % 11]


def _list(chance: random.Random, quarter: str, village: str, families: list[Family]) -> PostedList:
    posted_at = datetime.combine(last_day(quarter) + timedelta(days=7), time(9, 0), TOWN_TIME)
    households = {family.code: _lines(chance, family) for family in families}
    number = f"{quarter}-{VILLAGES.index(village) + 1:02d}-1"
    return PostedList(number, village, quarter, posted_at.strftime("%Y"), posted_at, households)


def _lines(chance: random.Random, family: Family) -> Lines:
    if family.zeal < 0.05:
        return {}  # on the list with zero
    lines = {item: chance.randint(2, 10) * 100 for item in GENERAL if chance.random() < 0.4 + family.zeal / 2}
    for item in BONUS:
        if chance.random() < family.zeal / 3:
            lines[item] = chance.randint(5, 30) * 100 + (50 if chance.random() < 0.05 else 0)
    for item in DEDUCTIONS:
        if chance.random() < family.careless / 8:
            lines[item] = chance.randint(2, 20) * 100
    return lines


def _corrections(chance: random.Random, lists: list[PostedList], today: date) -> list[Correction]:
    """One household in fifty objected to a deduction, and it was taken back or halved; some lists stood for months before."""
    found: list[Correction] = []
    for board in lists:
        for household, lines in board.households.items():
            deductions = [item for item in lines if item[0] == "D"]
            if not deductions or chance.random() > 0.3:
                continue
            decided = min(board.posted_at + timedelta(days=chance.randint(5, 40)),
                          datetime.combine(today - timedelta(days=1), time(10), TOWN_TIME))  # fmt: skip
            item = deductions[0]
            right = 0 if chance.random() < 0.6 else lines[item] // 200 * 100
            number = f"{board.quarter}-{len(found) + 1:04d}"
            found.append(
                Correction(f"GZ-{number}", f"YY-{number}", board.list_no, board.village, board.quarter, household, item,
                           lines[item], right, max(decided, board.posted_at))
            )  # fmt: skip
    return found


def _withdrawals(chance: random.Random, families: list[Family], today: date) -> list[Item]:
    """One member in fifty of those who agreed takes the loan consent back."""
    at = datetime.combine(today - timedelta(days=1), time(20), TOWN_TIME).isoformat()
    return list(_each_withdrawal(chance, families, at))


def _each_withdrawal(chance: random.Random, families: list[Family], at: str) -> Iterator[Item]:
    for family in families:
        for member in family.registration["Members"]:
            if len(member["Consents"]) == 2 and chance.random() < 0.02:
                yield {"IdNo": member["IdNo"], "Purpose": "LoanMapping", "WithdrawnAt": at}
