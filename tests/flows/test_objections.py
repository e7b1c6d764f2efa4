"""A resident objects: recorded, in time, answered with a letter, decided again under the same log; and may refuse the machine."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from pypdf import PdfReader
from uuid6 import uuid7

from gateway.flows.answer_objection import answer_objection
from gateway.flows.decide_again import decide_again
from gateway.flows.deliver_proposals import deliver_proposals
from gateway.flows.extend_objection import extend_objection
from gateway.flows.find_resident import find_resident
from gateway.flows.inspect_health import inspect_health
from gateway.flows.list_objections import list_objections
from gateway.flows.propose_benefits import propose_benefits
from gateway.flows.receive_contributions import receive_contributions
from gateway.flows.receive_objection import receive_objection
from gateway.flows.replay_decision import replay_decision
from gateway.flows.seal_log import seal_log
from gateway.flows.set_calendar import set_calendar
from gateway.flows.show_objection import show_objection
from gateway.flows.take_letter import take_letter
from gateway.flows.verify_log import verify_log
from gateway.flows.withdraw_objection import withdraw_objection
from gateway.house import House
from gateway.objections import EDGES, packaged_years
from schemas.errors import ConflictError, InvalidError, NotFoundError, RefusedError
from schemas.objections import (
    AboutKind,
    Channel,
    Finding,
    NewObjection,
    ObjectionKind,
    ObjectionState,
)
from tests.bank_stage import Bank
from tests.conftest import TestDatabase
from tests.objection_stage import ANNA, BORIS, NAMES, WORDS, decisions_of, object_to, objection_house
from tests.plain_town import NOW, push

ANSWER = "经核对,田心巷门前三包记录共三次,均已计入。"


@pytest.fixture
def stage(database: TestDatabase, tmp_path: Path) -> Iterator[tuple[House, Bank]]:
    with objection_house(database, tmp_path) as made:
        yield made


@pytest.fixture
def house(stage: tuple[House, Bank]) -> House:
    return stage[0]


def _letter_words(letter: bytes) -> str:
    """What the PDF says, without the line breaks of the page."""
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(letter)).pages)
    return "".join(text.split())


def _verified(house: House) -> None:
    seal_log(house, now=NOW)
    report = verify_log(house, now=NOW)
    assert report.ok, report.faults


def test_an_objection_goes_its_whole_way(house: House, database: TestDatabase) -> None:
    [decision_id] = decisions_of(database, house, ANNA)
    done = object_to(house, ANNA, ObjectionKind.OBJECTION, AboutKind.DECISION, str(decision_id))
    assert (done.state, done.due_on) == (ObjectionState.OPEN, date(2026, 11, 27))
    longer = extend_objection(
        house, done.objection_id, by="330109001 T002", reason="镇街正在核对原始记录", now=NOW
    )
    assert longer.due_on == date(2026, 12, 18)
    with pytest.raises(ConflictError, match="nobody has decided"):
        answer_objection(
            house, done.objection_id, by="T002", finding=Finding.CORRECTED, answer=ANSWER, now=NOW
        )
    items = [{"reference": "T7", "code": "F0", "id_no": ANNA, "points_centi": 10000}]
    receive_contributions(house, push(items, "k2"), now=NOW)
    [again] = decide_again(house, done.objection_id, by="330109001 T003", words="补记一次漏记的积分", now=NOW)
    assert database.sql(
        "select caused_by, discount_bp from decision where decision_id = %s", [str(again)]
    ) == [(f"objection:{done.objection_id}", 40)]
    replay_decision(house, again)
    letter = answer_objection(
        house, done.objection_id, by="330109001 T003", finding=Finding.CORRECTED, answer=ANSWER, now=NOW
    )
    said = _letter_words(letter)
    for words in (
        NAMES[ANNA], done.serial, "2026年11月20日", "您的异议成立", "".join(WORDS.split()), ANSWER, "利率优惠40bp", "4.60%",
        "额度增加4,000.00元", "积分400,",
        "discount.linear", str(again), "如何继续提出", "12378", "第五十条", house.config.bank_contact,
    ):  # fmt: skip
        assert words in said, f"{words} is not in the letter: {said}"
    assert take_letter(house, done.objection_id, by="T002", reason="the resident lost it", now=NOW) == letter
    view = show_objection(house, done.objection_id, by="T002", reason="a supervisor looks", now=NOW)
    assert view.asked == WORDS
    assert [(e.event, e.to_state) for e in view.events] == [
        ("extended", "extended"), ("decided_again", "reviewed"), ("answered", "answered")]  # fmt: skip
    assert deliver_proposals(house, now=NOW)["accepted"] == 1
    _verified(house)


def test_recorded_twice_is_once_and_other_words_are_a_conflict(house: House, database: TestDatabase) -> None:
    new = NewObjection(
        uuid7(), find_resident(house, ANNA), ObjectionKind.QUESTION, AboutKind.POINTS, "", Channel.PHONE, WORDS, NOW
    )  # fmt: skip
    first = receive_objection(house, new, by="T001", now=NOW)
    assert receive_objection(house, new, by="T001", now=NOW + timedelta(hours=1)) == first
    with pytest.raises(ConflictError):
        receive_objection(house, new._replace(words="别的话"), by="T001", now=NOW)
    assert database.sql("select count(*) from objection") == [(1,)]
    answer_objection(house, first.objection_id, by="T002", finding=Finding.EXPLAINED, answer=ANSWER, now=NOW)
    for finding in (Finding.EXPLAINED, Finding.UPHELD):
        with pytest.raises(ConflictError):
            answer_objection(house, first.objection_id, by="T002", finding=finding, answer=ANSWER, now=NOW)
    with pytest.raises(ConflictError):
        extend_objection(house, first.objection_id, by="T002", reason="too late for that", now=NOW)
    _verified(house)


def test_bad_input_is_refused_and_says_why(house: House, database: TestDatabase) -> None:
    anna = find_resident(house, ANNA)
    good = NewObjection(
        uuid7(), anna, ObjectionKind.OBJECTION, AboutKind.POINTS, "", Channel.BRANCH, WORDS, NOW
    )
    [boris] = decisions_of(database, house, BORIS)
    decision = AboutKind.DECISION
    wrong: list[tuple[type[Exception], NewObjection]] = [
        (NotFoundError, good._replace(person_id=999_999)),
        (NotFoundError, good._replace(about_kind=decision, about_id=str(boris))),  # somebody else's
        (NotFoundError, good._replace(about_kind=decision, about_id=str(uuid4()))),
        (NotFoundError, good._replace(about_kind=AboutKind.REDEMPTION, about_id=str(uuid4()))),
        (InvalidError, good._replace(about_kind=decision, about_id="the last one")),
        (InvalidError, good._replace(about_id=str(boris))),
        (InvalidError, good._replace(words=" ")),
        (InvalidError, good._replace(words="长" * 2001)),
        (InvalidError, good._replace(received_at=NOW + timedelta(days=1))),
        (RefusedError, good._replace(received_at=NOW - timedelta(days=400))),  # no calendar of that year
    ]
    for error, new in wrong:
        with pytest.raises(error):
            receive_objection(house, new, by="T001", now=NOW)
    with pytest.raises(InvalidError):
        receive_objection(house, good, by="", now=NOW)
    assert database.sql("select count(*) from objection") == [(0,)]
    done = receive_objection(house, good, by="T001", now=NOW)
    with pytest.raises(InvalidError, match="upheld"):
        answer_objection(
            house, done.objection_id, by="T002", finding=Finding.EXPLAINED, answer=ANSWER, now=NOW
        )
    with pytest.raises(InvalidError):
        extend_objection(house, done.objection_id, by="T002", reason=" ", now=NOW)
    with pytest.raises(NotFoundError):
        extend_objection(house, uuid4(), by="T002", reason="whatever", now=NOW)
    with pytest.raises(NotFoundError):
        take_letter(house, done.objection_id, by="T002", reason="there is none yet", now=NOW)


def test_without_a_calendar_nothing_is_promised(house: House, database: TestDatabase) -> None:
    late = NOW.replace(month=12, day=28)
    with pytest.raises(RefusedError) as refused:
        object_to(house, ANNA, ObjectionKind.QUESTION, now=late)
    assert refused.value.code == "calendar-ends"
    [year] = packaged_years()
    next_year = replace(
        year, year=2027, reference="an invented notice", holidays=frozenset(), workdays=frozenset()
    )
    assert set_calendar(house, [next_year], by="operator", now=NOW) == [2027]
    assert set_calendar(house, [next_year, year], by="operator", now=NOW) == []  # twice is once
    corrected = replace(next_year, holidays=frozenset({date(2027, 1, 1)}))
    assert object_to(house, ANNA, ObjectionKind.QUESTION, now=late).due_on == date(2027, 1, 4)
    set_calendar(house, [corrected], by="operator", now=NOW + timedelta(seconds=1))
    assert object_to(house, ANNA, ObjectionKind.QUESTION, now=late).due_on == date(2027, 1, 5)
    _verified(house)


def test_what_is_overdue_is_seen(house: House) -> None:
    done = object_to(house, ANNA, ObjectionKind.QUESTION)
    after = NOW + timedelta(days=10)
    object_to(house, BORIS, ObjectionKind.QUESTION, now=after)
    found = list_objections(house, now=after)
    assert [(one.serial == done.serial, one.age_days, one.overdue_days) for one in found.lines] == [
        (True, 10, 3), (False, 0, 0)]  # fmt: skip
    health = inspect_health(house, now=after)
    assert (health.gauges["objections_waiting"], health.gauges["objections_overdue"]) == (2.0, 1.0)
    assert health.gauges["objections_oldest_seconds"] == 864_000.0
    assert health.gauges["calendar_days_left"] == 31.0
    [check] = [one for one in health.checks if one.name == "objections"]
    assert check.warns
    withdraw_objection(house, done.objection_id, by="T001", reason="the resident says so", now=after)
    assert len(list_objections(house, now=after).lines) == 1
    assert len(list_objections(house, waiting_only=False, now=after).lines) == 2
    assert inspect_health(house, now=after).gauges["objections_overdue"] == 0.0


def test_who_refuses_the_machine_is_decided_about_by_a_person(house: House, database: TestDatabase) -> None:
    refused = object_to(house, ANNA, ObjectionKind.REFUSAL, AboutKind.PERSONAL)
    for n, id_no in enumerate((ANNA, BORIS)):
        items = [{"reference": f"U{n}", "code": f"F{n}", "id_no": id_no, "points_centi": 20000}]
        receive_contributions(house, push(items, f"u{n}"), now=NOW)
    counts = propose_benefits(house, now=NOW)
    assert (counts["decisions"], counts["left_to_people"]) == (1, 1)
    assert len(decisions_of(database, house, ANNA)) == 1  # what stood stands
    assert len(decisions_of(database, house, BORIS)) == 2
    assert list_objections(house, now=NOW).waiting_reviews == 1
    with pytest.raises(InvalidError, match="accepted"):
        answer_objection(
            house, refused.objection_id, by="T002", finding=Finding.UPHELD, answer=ANSWER, now=NOW
        )
    letter = answer_objection(
        house, refused.objection_id, by="T002", finding=Finding.ACCEPTED, answer=ANSWER, now=NOW
    )
    assert "系统不再单独决定" in _letter_words(letter)
    [decision_id] = decide_again(house, refused.objection_id, by="T003", words="逐项看过积分", now=NOW)
    assert database.sql(
        "select caused_by, discount_bp from decision where decision_id = %s", [str(decision_id)]
    ) == [(f"objection:{refused.objection_id}", 50)]
    assert list_objections(house, now=NOW).waiting_reviews == 0

    more = [{"reference": "V", "code": "F0", "id_no": ANNA, "points_centi": 20000}]
    receive_contributions(house, push(more, "v"), now=NOW)
    assert propose_benefits(house, now=NOW)["left_to_people"] == 1
    ended = withdraw_objection(house, refused.objection_id, by="T001", reason="the resident says so", now=NOW)
    assert ended.state is ObjectionState.ENDED
    assert propose_benefits(house, now=NOW)["decisions"] == 1
    assert list_objections(house, now=NOW).waiting_reviews == 0
    _verified(house)


def test_a_decision_that_says_the_same_is_written_again_and_the_bank_hears_nothing_new(
    house: House, database: TestDatabase
) -> None:
    [before] = decisions_of(database, house, ANNA)
    done = object_to(house, ANNA, ObjectionKind.OBJECTION, AboutKind.DECISION, str(before))
    [again] = decide_again(house, done.objection_id, by="T003", words="核对过,没有变化", now=NOW)
    assert decisions_of(database, house, ANNA) == [before, again]
    assert deliver_proposals(house, now=NOW) == {}
    letter = answer_objection(
        house, done.objection_id, by="T003", finding=Finding.UPHELD, answer=ANSWER, now=NOW
    )
    assert "予以维持" in _letter_words(letter)
    _verified(house)


def test_nothing_to_decide_is_said(house: House, database: TestDatabase) -> None:
    done = object_to(house, ANNA, ObjectionKind.OBJECTION)
    database.sql("update consent set withdrawn_at = %s, withdrawal_recorded_at = %s", [NOW, NOW])
    with pytest.raises(RefusedError) as refused:
        decide_again(house, done.objection_id, by="T003", words="看过", now=NOW)
    assert refused.value.code == "nothing-to-decide"
    assert database.sql("select count(*) from objection_event") == [(0,)]


def test_killed_while_answering_nothing_is_half_done(
    house: House, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = object_to(house, ANNA, ObjectionKind.QUESTION)
    with monkeypatch.context() as patched:
        patched.setattr(
            "gateway.flows.answer_objection.append_records",
            lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt),
        )
        with pytest.raises(KeyboardInterrupt):
            answer_objection(
                house, done.objection_id, by="T002", finding=Finding.EXPLAINED, answer=ANSWER, now=NOW
            )
    assert database.sql("select count(*) from objection_event") == [(0,)]
    answer_objection(house, done.objection_id, by="T002", finding=Finding.EXPLAINED, answer=ANSWER, now=NOW)
    _verified(house)


def test_postgresql_knows_the_same_edges_and_keeps_what_was_written(
    house: House, database: TestDatabase
) -> None:
    [(found,)] = database.sql(
        "select pg_get_constraintdef(oid) from pg_constraint where conname = 'objection_edge'"
    )
    for (state, event), to_state in EDGES.items():
        edge = f"(from_state = '{state}'::text) AND (event = '{event}'::text) AND (to_state = '{to_state}'::text)"
        assert edge in str(found)
    assert str(found).count("from_state = ") == len(EDGES)
    done = object_to(house, ANNA, ObjectionKind.QUESTION)
    extend_objection(house, done.objection_id, by="T002", reason="it takes longer", now=NOW)
    for statement in (
        "update objection set sealed = 'x'",
        "update objection_event set sealed = '', salt = 'x'",
        "update objection set due_on = '2030-01-01'",
        "delete from objection_event",
        "truncate objection",
    ):
        with pytest.raises(Exception, match=r"never changes|append-only|never|may not|refuse"):
            database.sql(statement)
