"""Posted lists: what stands is moved by difference, whatever is sent, however often, in whatever order, killed or not."""

from __future__ import annotations

import zlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import orjson
import pytest

from gateway import translog
from gateway.db import Transaction
from gateway.flows._receiving import RAW_PURPOSE
from gateway.flows.find_scoreboard import find_scoreboard
from gateway.flows.withdraw_consents import withdraw_consents
from gateway.house import House
from schemas.crypto import Sealed
from schemas.errors import ConflictError, GatewayError, InvalidError, NotFoundError, RefusedError
from schemas.values import Category
from tests import plain_scores
from tests.conftest import TestDatabase
from tests.plain_scores import (
    FIRST,
    POSTED_AT,
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
from tests.plain_town import NOW, TOWN, invented_id_no, plain_house


@pytest.fixture
def house(database: TestDatabase) -> House:
    made = posting_house(plain_house(database))
    register(made, ["F1", "F2", "F3"])
    return made


def test_a_list_moves_score_ledger_and_months_alike(house: House, database: TestDatabase) -> None:
    answer = post(house, board("L1", FIRST))
    assert statuses(answer) == {"F1": "accepted", "F2": "accepted", "F3": "accepted"}
    assert (answer.stand.lines_added, answer.stand.lines_reversed, answer.stand.fallen) == (4, 0, [])
    assert stands(database) == {"F1": (1300, 1300, 1300), "F2": (700, 700, 700), "F3": (0, 0, 0)}
    assert database.sql("select distinct month from month_sum") == [(202609,)]
    no_faults(house)


def test_the_same_list_twice_is_one_and_answers_the_same(house: House, database: TestDatabase) -> None:
    first = post(house, board("L1", FIRST))
    rows = database.sql("select count(*) from contribution")
    again = post(house, board("L1", FIRST), NOW + timedelta(minutes=1))
    assert again.replayed
    assert (again.items, again.stand, again.receipt, again.batch_id) == (
        first.items,
        first.stand,
        first.receipt,
        first.batch_id,
    )
    assert database.sql("select count(*) from contribution") == rows
    found = find_scoreboard(house, TOWN, "L1", correction=False)
    assert (found.receipt, found.items) == (first.receipt, first.items)


def test_a_number_used_twice_for_different_lists_is_a_conflict(house: House) -> None:
    post(house, board("L1", FIRST))
    with pytest.raises(ConflictError) as caught:
        post(house, board("L1", {**FIRST, "F3": {"G01": 1}}))
    assert caught.value.code == "document-no-reused"
    with pytest.raises(ConflictError):
        post(house, board("L1", FIRST, period="2026Q2"))


def test_a_second_list_replaces_the_first_by_difference(house: House, database: TestDatabase) -> None:
    post(house, board("L1", FIRST))
    before = database.sql("select * from contribution order by reference")
    second = {"F1": {"G01": 400, "B01": 500, "G02": 300}, "F2": {"G01": 700}, "F3": {"G01": 100}}
    answer = post(house, board("L2", second, posted_at=POSTED_AT + timedelta(days=5)))
    assert statuses(answer) == {"F1": "accepted", "F2": "duplicate", "F3": "accepted"}
    assert (answer.stand.lines_added, answer.stand.lines_reversed) == (
        3,
        2,
    )  # G01 changed, D01 gone, G02 and F3's G01 new
    assert stands(database) == {"F1": (1200, 1200, 1200), "F2": (700, 700, 700), "F3": (100, 100, 100)}
    after = database.sql("select * from contribution order by reference")
    assert set(before) <= set(after)  # old rows stay as they were
    no_faults(house)


def test_the_same_content_under_a_new_number_moves_nothing(house: House, database: TestDatabase) -> None:
    post(house, board("L1", FIRST))
    transfers = database.sql("select count(*) from transfer")
    answer = post(house, board("L2", FIRST))
    assert set(statuses(answer).values()) == {"duplicate"}
    assert database.sql("select count(*) from transfer") == transfers


def test_who_is_missing_falls_to_zero_and_the_answer_says_so(house: House, database: TestDatabase) -> None:
    post(house, board("L1", FIRST))
    answer = post(house, board("L2", {"F1": FIRST["F1"]}, posted_at=POSTED_AT + timedelta(days=1)))
    assert answer.stand.fallen == ["F2"]  # F3 had nothing to lose
    assert stands(database)["F2"] == (0, 0, 0)
    back = post(house, board("L3", FIRST, posted_at=POSTED_AT + timedelta(days=2)))
    assert back.stand.fallen == []
    assert stands(database)["F2"] == (700, 700, 700)
    no_faults(house)


def test_scores_go_below_zero_and_what_was_spent_is_owed(house: House, database: TestDatabase) -> None:
    post(house, board("L1", FIRST))
    answer = post(house, board("L2", {**FIRST, "F2": {"D01": 900}}, posted_at=POSTED_AT + timedelta(days=1)))
    assert statuses(answer)["F2"] == "accepted"
    assert stands(database)["F2"] == (-900, -900, -900)
    owed = database.sql("select balance_centi from account where kind = 'owed' and balance_centi < 0")
    assert owed == [(-900,)]
    no_faults(house)


def test_an_unknown_rule_book_quarantines_everybody(house: House, database: TestDatabase) -> None:
    post(house, board("L1", FIRST))
    answer = post(
        house, board("L2", {"F1": {"G01": 1}}, rule_book="2031", posted_at=POSTED_AT + timedelta(days=1))
    )
    assert [(i.status, i.code) for i in answer.items] == [("quarantined", "unknown-rule-book")]
    assert answer.stand.fallen == []
    assert stands(database)["F1"] == (1300, 1300, 1300)
    assert database.sql("select reference, code from quarantined_item") == [("F1", "unknown-rule-book")]
    assert answer.receipt


def test_what_cannot_be_posted_stays_as_it_stands(house: House, database: TestDatabase) -> None:
    """An unknown item, an unknown family, a wrong village, an unreadable entry: none of them falls to zero."""
    register(house, ["W1"], village="别村", first=10)
    post(house, board("L1", FIRST))
    second = {"F1": {"G01": 1, "B99": 5}, "F2": None, "F3": {"G01": 100}, "F9": {"G01": 5}, "W1": {"G01": 5}}
    answer = post(house, board("L2", second, posted_at=POSTED_AT + timedelta(days=1)))
    found = {i.reference: (str(i.status), i.code) for i in answer.items}
    assert found == {
        "F1": ("quarantined", "unknown-item"),
        "F2": ("rejected", "score-differs"),
        "F3": ("accepted", None),
        "F9": ("quarantined", "unknown-household"),
        "W1": ("quarantined", "wrong-village"),
    }
    assert answer.stand.fallen == []
    assert stands(database)["F1"] == (1300, 1300, 1300)
    assert stands(database)["F2"] == (700, 700, 700)
    assert stands(database)["W1"] == (None, 0, 0)


def test_a_family_that_moved_stands_by_one_village_only(house: House, database: TestDatabase) -> None:
    """Its old village lists it again (fine), then no more (the new village's list is not undone)."""
    post(house, board("A1", FIRST))
    register(house, ["F1"], village="新村")
    answer = post(house, board("A2", FIRST, posted_at=POSTED_AT + timedelta(days=1)))
    assert set(statuses(answer).values()) == {"duplicate"}
    moved = post(
        house, board("B1", {"F1": {"G01": 300}}, village="新村", posted_at=POSTED_AT + timedelta(days=2))
    )
    assert statuses(moved) == {"F1": "accepted"}
    rest = {code: lines for code, lines in FIRST.items() if code != "F1"}
    answer = post(house, board("A3", rest, posted_at=POSTED_AT + timedelta(days=3)))
    assert answer.stand.fallen == []
    assert stands(database)["F1"] == (300, 300, 300)
    again = post(house, board("A4", FIRST, posted_at=POSTED_AT + timedelta(days=4)))
    assert [(i.status, i.code) for i in again.items if i.reference == "F1"] == [
        ("quarantined", "wrong-village")
    ]
    no_faults(house)


def test_a_household_of_two_towns_is_in_its_own_village_of_each(house: House, database: TestDatabase) -> None:
    """Another town knows the family in a village of its own: that is not where this town lists it."""
    database.sql("update household set village = '别镇的村'")
    assert set(statuses(post(house, board("L1", FIRST))).values()) == {"accepted"}


def test_of_a_family_without_any_consent_nothing_is_kept(house: House, database: TestDatabase) -> None:
    post(house, board("L1", FIRST))
    given = [{"id_no": invented_id_no(2), "purpose": purpose} for purpose in ("loan_mapping", "redemption")]
    withdraw_consents(house, TOWN, "town-a", orjson.dumps(given), now=NOW)
    answer = post(house, board("L2", {**FIRST, "F2": {"G01": 1}}, posted_at=POSTED_AT + timedelta(days=1)))
    assert [(i.reference, i.status, i.code) for i in answer.items if i.code] == [
        ("F2", "rejected", "no-consent")
    ]
    assert stands(database)["F2"] == (
        700,
        700,
        700,
    )  # what stood stays, restricted; it is on the list, so it does not fall
    [(key_id, box, whole)] = database.sql(
        "select key_id, sealed, whole from raw_push where batch_id = %s", [answer.batch_id]
    )
    kept = zlib.decompress(house.keys.open(Sealed(str(key_id), bytes(box)), RAW_PURPOSE))  # type: ignore[call-overload]
    assert not whole
    assert b"F2" not in kept
    assert b"F3" in kept


def test_quarters_do_not_touch_each_other(house: House, database: TestDatabase) -> None:
    post(house, board("L1", FIRST, period="2026Q2"))
    answer = post(house, board("L2", {"F1": {"G01": 50}}))
    assert answer.stand.fallen == []
    assert stands(database)["F2"][1] == 700
    assert stands(database)["F1"] == (1350, 1350, 1350)
    no_faults(house)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"posted_at": NOW + timedelta(days=1)}, "date-out-of-range"),
        ({"period": "2026Q4"}, "quarter-not-over"),
        ({"period": "2021Q1"}, "date-out-of-range"),
    ],
)
def test_a_list_of_another_time_is_refused(
    house: House, database: TestDatabase, changes: Any, code: str
) -> None:
    with pytest.raises(InvalidError) as caught:
        post(house, board("L1", FIRST, **changes))
    assert caught.value.code == code
    assert database.sql("select count(*) from contribution_batch") == [(0,)]


def test_an_older_list_never_replaces_a_newer_one(house: House, database: TestDatabase) -> None:
    post(house, board("L2", FIRST, posted_at=POSTED_AT + timedelta(days=5)))
    with pytest.raises(ConflictError) as caught:
        post(house, board("L1", {"F1": {}}))
    assert caught.value.code == "list-outdated"
    assert stands(database)["F1"] == (1300, 1300, 1300)


def test_two_lists_at_once_are_applied_one_after_the_other(house: House, database: TestDatabase) -> None:
    lists = [board(f"L{n}", {"F1": {"G01": 100 * n + 100}, "F2": {"B01": 10 * n + 10}}) for n in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda body: post(house, body), lists))
    assert all(set(statuses(a).values()) == {"accepted"} for a in answers)
    last = stands(database)["F1"][0]
    assert last in (100, 200, 300, 400)
    assert stands(database)["F1"] == (last, last, last)
    assert stands(database)["F2"] == (last // 10, last // 10, last // 10)
    no_faults(house)


def test_the_same_list_at_once_is_one(house: House, database: TestDatabase) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: post(house, board("L1", FIRST)), range(4)))
    assert len({a.receipt for a in answers}) == 1
    assert Counter(a.replayed for a in answers) == {True: 3, False: 1}
    assert stands(database)["F1"] == (1300, 1300, 1300)


def test_killed_before_the_commit_nothing_stands_and_the_same_again_is_whole(
    house: House, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(translog, "append_records", killed)  # the last write of the transaction
        with pytest.raises(KeyboardInterrupt):
            post(house, board("L1", FIRST))
    assert stands(database)["F1"] == (None, 0, 0)
    assert database.sql("select count(*) from scoreboard") == [(0,)]
    post(house, board("L1", FIRST))
    assert stands(database)["F1"] == (1300, 1300, 1300)


class TestCorrections:
    @pytest.fixture(autouse=True)
    def _posted(self, house: House) -> None:
        post(house, board("L1", FIRST))

    def test_a_correction_moves_the_posted_line(self, house: House, database: TestDatabase) -> None:
        answer = correct(house, correction("C1", "F1", "D01", 200, 0))
        assert [(i.status, i.code, i.detail) for i in answer.items] == [("accepted", "posted-score", "15")]
        assert stands(database)["F1"] == (1500, 1500, 1500)
        correct(house, correction("C2", "F1", "G01", 1000, 300))
        assert stands(database)["F1"] == (800, 800, 800)
        correct(house, correction("C3", "F1", "G02", 0, 50))  # a line that was forgotten
        assert stands(database)["F1"] == (850, 850, 850)
        no_faults(house)

    def test_the_same_correction_twice_is_one(self, house: House, database: TestDatabase) -> None:
        first = correct(house, correction("C1", "F1", "D01", 200, 0))
        again = correct(house, correction("C1", "F1", "D01", 200, 0), NOW + timedelta(minutes=1))
        assert again.replayed
        assert (again.receipt, again.items) == (first.receipt, first.items)
        assert stands(database)["F1"][0] == 1500

    @pytest.mark.parametrize(
        ("body", "kind", "code"),
        [
            (correction("C1", "F1", "D01", 100, 0), ConflictError, "line-differs"),
            (correction("C1", "F1", "G02", 100, 0), ConflictError, "line-differs"),
            (correction("C1", "F1", "G01", 1000, 0, list_no="L7"), NotFoundError, "list-unknown"),
            (correction("C1", "F1", "G01", 1000, 0, period="2026Q2"), NotFoundError, "list-unknown"),
            (correction("C1", "F1", "G01", 1000, 0, village="别村"), NotFoundError, "list-unknown"),
            (correction("C1", "F9", "G01", 1000, 0), NotFoundError, "unknown-household"),
            (correction("C1", "F1", "B99", 0, 5), RefusedError, "unknown-item"),
            (correction("C1", "F1", "G01", 1000, 0, decided_at="2026-12-01T00:00:00+08:00"), InvalidError, "date-out-of-range"),
        ],
    )  # fmt: skip
    def test_a_wrong_correction_leaves_nothing(
        self, house: House, database: TestDatabase, body: bytes, kind: type[GatewayError], code: str
    ) -> None:
        rows = database.sql("select count(*) from contribution")
        with pytest.raises(kind) as caught:
            correct(house, body)
        assert caught.value.code == code
        assert database.sql("select count(*) from contribution") == rows
        correct(house, correction("C1", "F1", "D01", 200, 0))  # its number is free

    def test_a_list_older_than_a_correction_does_not_undo_it(self, house: House) -> None:
        correct(house, correction("C1", "F1", "D01", 200, 0))
        with pytest.raises(ConflictError) as caught:
            post(house, board("L2", FIRST, posted_at=POSTED_AT + timedelta(days=1)))
        assert caught.value.code == "list-outdated"

    def test_two_corrections_of_one_line_at_once(self, house: House, database: TestDatabase) -> None:
        def attempt(no: int) -> str:
            try:
                correct(house, correction(f"C{no}", "F1", "G01", 1000, 100 * no))
            except ConflictError as exc:
                return exc.code
            return "accepted"

        with ThreadPoolExecutor(3) as pool:
            found = Counter(pool.map(attempt, (1, 2, 3)))
        assert found == {"accepted": 1, "line-differs": 2}
        posted, spendable, summed = stands(database)["F1"]
        assert posted == spendable == summed
        no_faults(house)


def test_a_village_of_681_households_is_one_transaction_without_a_statement_an_item(
    house: House, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """60 items each: the list, and another that changes every household, take as many statements as a list of three."""
    asked = Counter[str]()
    for verb in ("_execute", "copy_in", "later"):
        original = getattr(Transaction, verb)

        def counted(self: Transaction, *args: Any, original: Any = original, verb: str = verb) -> Any:
            asked[verb] += 1
            return original(self, *args)

        monkeypatch.setattr(Transaction, verb, counted)

    def statements(body: bytes) -> int:
        asked.clear()
        assert set(statuses(post(house, body)).values()) == {"accepted"}
        return asked.total()

    codes = [f"H{n:04d}" for n in range(681)]
    register(house, codes, village="大村", first=20)
    general, bonus, deductions = ([f"{letter}{n:02d}" for n in range(1, 21)] for letter in "GBD")
    monkeypatch.setattr(
        plain_scores, "ITEMS", dict.fromkeys([*general, *bonus, *deductions], Category.SORTING)
    )
    whole = {code: dict.fromkeys(plain_scores.ITEMS, 100 + n) for n, code in enumerate(codes, 1)}
    changed = {code: {**lines, "G02": 1} for code, lines in whole.items()}
    few = statements(board("L0", FIRST))
    assert statements(board("L1", whole, village="大村")) <= few + 2
    assert (
        statements(board("L2", changed, village="大村", posted_at=POSTED_AT + timedelta(days=1))) <= few + 4
    )
    assert database.sql("select count(*) from contribution where kind in ('award', 'deduction')") == [
        (4 + 61 * 681,)
    ]
    no_faults(house)
