"""The invented town: nobody exists, the same seed is the same town, and its books can be followed."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest

from adapters.lijiayuan import create_reader
from adapters.lijiayuan.simulator import Books, BooksError, Town, invent_town
from schemas.resident_id import accepted_resident_id

TODAY = date(2026, 11, 23)
SIGNS = {"award": 1, "transferIn": 1, "deduction": -1, "transferOut": -1, "spend": -1, "reversal": -1}


@pytest.fixture(scope="module")
def town() -> Town:
    return invent_town(7, 300, TODAY)


def test_the_same_seed_is_the_same_town(town: Town) -> None:
    again = invent_town(7, 300, TODAY)
    assert again.items == town.items
    assert again.registrations() == town.registrations()
    assert again.withdrawals == town.withdrawals
    assert invent_town(8, 300, TODAY).items != town.items


def test_nobody_in_it_exists(town: Town) -> None:
    numbers = []
    for family in town.registrations():
        for member in family["members"]:
            numbers.append(member["memberIdNo"])
            assert accepted_resident_id(member["memberIdNo"]) == member["memberIdNo"]
            assert member["memberIdNo"].startswith("330199")  # a county that never was
            assert member["memberName"].startswith("测试")
            assert member["phone"].startswith("000")
        assert "示例" in family["village"]
    assert len(set(numbers)) == len(numbers)


def test_the_reader_takes_all_of_it(town: Town) -> None:
    reader = create_reader()
    read = reader.read_push(orjson.dumps({"items": town.items[:5000]}), {})
    assert read.faults == []
    assert all(item.category is not None for item in read.items)
    families, faults = reader.read_households(orjson.dumps({"households": town.registrations()}))
    assert (len(families), faults) == (300, [])


def test_points_stay_above_zero_and_end_where_the_books_say(town: Town) -> None:
    balance: defaultdict[str, Decimal] = defaultdict(Decimal)
    for item in town.items:
        balance[item["familyCode"]] += SIGNS[item["kind"]] * Decimal(str(item["points"]))
        assert balance[item["familyCode"]] >= 0
    assert {code: centi for code, centi in town.balances().items() if centi} == {
        code: int(points * 100) for code, points in balance.items() if points
    }


def test_the_year_looks_like_a_year(town: Town) -> None:
    kinds = Counter(item["kind"] for item in town.items)
    assert set(kinds) == set(SIGNS)
    assert kinds["transferIn"] == kinds["transferOut"]
    days = [datetime.fromisoformat(item["finishedAt"]).date() for item in town.items]
    assert (min(days), max(days)) > (date(2025, 11, 22), date(2026, 11, 20))
    assert max(days) < TODAY
    earned: Counter[str] = Counter()
    for item in town.items:
        if item["kind"] == "award":
            earned[item["familyCode"]] += int(Decimal(str(item["points"])))
    assert max(earned.values()) <= 900
    assert 100 < sorted(earned.values())[len(earned) // 2] < 400


def test_a_reversal_follows_what_it_takes_back(town: Town) -> None:
    seen: dict[str, dict[str, Any]] = {}
    for item in town.items:
        if item["kind"] == "reversal":
            original = seen[item["reverses"]]
            assert original["points"] == item["points"]
            assert original["familyCode"] == item["familyCode"]
        seen[item["taskId"]] = item
    assert len(seen) == len(town.items)


def test_books_move_points_once() -> None:
    books = Books()
    books.set_balances({"GL1": 1000})
    assert books.freeze("S1", "GL1", 600, "tea")[1] is True
    assert books.freeze("S1", "GL1", 600, "tea")[1] is False
    with pytest.raises(BooksError) as short:
        books.freeze("S2", "GL1", 500, "tea")
    assert short.value.code == "notEnoughPoints"
    assert books.end("S1", "release").state == "released"
    assert books.end("S1", "release").state == "released"
    assert books.balance("GL1") == 1000
    with pytest.raises(BooksError):
        books.end("S1", "confirm")
    assert books.acted == 2
