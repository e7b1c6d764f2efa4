"""Entries of lists that wait in quarantine are read again: posted when they can be, and nothing newer is undone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gateway import contributions
from gateway.flows.add_code import add_code
from gateway.flows.read_again import read_again
from gateway.house import House
from schemas.values import Category
from tests.conftest import TestDatabase
from tests.plain_scores import (
    FIRST,
    POSTED_AT,
    PlainPoster,
    board,
    correct,
    correction,
    no_faults,
    post,
    posting_house,
    register,
    stands,
    statuses,
)
from tests.plain_town import NOW, TOWN, plain_house


@pytest.fixture
def house(database: TestDatabase) -> House:
    made = posting_house(plain_house(database))
    register(made, ["F1", "F2", "F3"])
    return made


def operator_adds(house: House, *codes: str) -> None:
    for code in codes:
        add_code(house, TOWN, code, Category.OTHER, by="operator-1", now=NOW)


def again(house: House, minutes: int) -> dict[str, int]:
    return read_again(house, town=TOWN, now=NOW + timedelta(minutes=minutes), always=True)


class TestQuarantine:
    """What waits is read again as a further reading of its list; nothing newer is undone by it."""

    def test_an_item_an_operator_added_is_posted(self, house: House, database: TestDatabase) -> None:
        first = post(house, board("L1", {**FIRST, "F2": {"G01": 700, "B77": 300}}))
        assert [(i.reference, i.code) for i in first.items if i.code] == [("F2", "unknown-item")]
        assert stands(database)["F2"] == (None, 0, 0)
        assert again(house, 1) == {}
        operator_adds(house, "B77")
        assert again(house, 2) == {"posted": 1}
        assert again(house, 3) == {}
        assert stands(database) == {"F1": (1300, 1300, 1300), "F2": (1000, 1000, 1000), "F3": (0, 0, 0)}
        assert database.sql("select count(*) from quarantined_item where released_at is null") == [(0,)]
        assert database.sql("select reading, applied from scoreboard order by 1") == [(1, True), (2, True)]
        told = post(house, board("L1", {**FIRST, "F2": {"G01": 700, "B77": 300}}), NOW + timedelta(minutes=4))
        assert told.replayed
        assert set(statuses(told).values()) == {"accepted"}
        no_faults(house)

    def test_a_rule_book_an_operator_added_applies_the_whole_list(
        self, house: House, database: TestDatabase
    ) -> None:
        post(house, board("L1", FIRST))
        post(
            house,
            board("L2", {"F1": {"G01": 100}}, rule_book="2031", posted_at=POSTED_AT + timedelta(days=1)),
        )
        assert stands(database)["F2"] == (700, 700, 700)
        with_book = replace(house, readers={TOWN: PlainPoster(books={"2024", "2031"})})
        assert again(with_book, 2) == {"posted": 1}
        assert stands(database) == {"F1": (100, 100, 100), "F2": (0, 0, 0), "F3": (0, 0, 0)}
        no_faults(house)

    def test_a_family_that_was_registered_later_is_posted(self, house: House, database: TestDatabase) -> None:
        post(house, board("L1", {**FIRST, "F9": {"G01": 500}, "F8": {"G01": 5}}))
        register(house, ["F9"], first=9)
        assert again(house, 1) == {"posted": 1}
        assert stands(database)["F9"] == (500, 500, 500)
        assert stands(database)["F1"] == (1300, 1300, 1300)
        assert database.sql("select reference from quarantined_item where released_at is null") == [("F8",)]

    def test_a_newer_list_counts(self, house: House, database: TestDatabase) -> None:
        post(house, board("L1", {**FIRST, "F2": {"B77": 300}}))
        post(house, board("L2", {**FIRST, "F2": {"G01": 50}}, posted_at=POSTED_AT + timedelta(days=1)))
        operator_adds(house, "B77")
        assert again(house, 2) == {"settled": 1}
        assert stands(database)["F2"] == (50, 50, 50)

    def test_a_newer_correction_counts(self, house: House, database: TestDatabase) -> None:
        post(house, board("L1", FIRST))
        post(
            house, board("L2", {**FIRST, "F1": {"G01": 1, "B77": 1}}, posted_at=POSTED_AT + timedelta(days=1))
        )
        correct(house, correction("C1", "F1", "D01", 200, 0))
        operator_adds(house, "B77")
        assert again(house, 2) == {}  # nothing is moved, nothing is undone
        assert stands(database)["F1"] == (1500, 1500, 1500)

    def test_killed_between_everything_still_waits(
        self, house: House, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post(house, board("L1", {"F1": {"B77": 300}}))
        operator_adds(house, "B77")

        def killed(*_: Any, **__: Any) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(contributions, "mark_released", killed)
            with pytest.raises(KeyboardInterrupt):
                again(house, 2)
        assert stands(database)["F1"] == (None, 0, 0)
        assert again(house, 3) == {"posted": 1}
        assert stands(database)["F1"] == (300, 300, 300)


def test_an_entry_that_contradicted_itself_does_not_fall_when_its_list_is_applied_later(
    house: House, database: TestDatabase
) -> None:
    """Its bytes were cut out, so only the first answer knows that it was on the list."""
    post(house, board("L1", FIRST))
    second = {"F1": {"G01": 100}, "F2": None}
    post(house, board("L2", second, rule_book="2031", posted_at=POSTED_AT + timedelta(days=1)))
    known = replace(house, readers={TOWN: PlainPoster(books={"2024", "2031"})})
    assert again(known, 2) == {"posted": 1}
    assert stands(database) == {"F1": (100, 100, 100), "F2": (700, 700, 700), "F3": (0, 0, 0)}
