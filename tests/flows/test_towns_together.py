"""One family, several towns: what each of them says meets in one household, and nobody's points count twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from uuid6 import uuid7

from gateway import policy, subjects
from gateway.flows._gather_facts import gather_facts
from gateway.flows.simulate_ruleset import simulate_ruleset
from schemas.contributions import ConsentGiven, HouseholdRegistration, MemberRegistration
from schemas.policy import Facts
from schemas.values import Purpose, TownCode
from tests.bank_stage import KEYS, ON, RULESET, Stage, bank_stage, resident_id
from tests.conftest import TestDatabase

GUALI, HESHANG, YAQIAN = TownCode("lijiayuan"), TownCode("wuhe_zhonglian"), TownCode("pingan_gongfu")
TOGETHER = RULESET.replace("lijiayuan: {num: 1, den: 1}", "lijiayuan: {num: 1, den: 1}\n    wuhe_zhonglian: {num: 2, den: 1}"
                           "\n    pingan_gongfu: {num: 1, den: 2}")  # fmt: skip
TOGETHER += 'published: {rate_bp: 500, limit_cny: 100000, reference: "[P]"}\n'


@pytest.fixture
def stage(database: TestDatabase, tmp_path: Path) -> Iterator[Stage]:
    with bank_stage(database, tmp_path) as it:
        yield it


def register(
    stage: Stage, town: TownCode, code: str, people: list[tuple[int, bool]], since: date = date(2026, 1, 1)
) -> int:
    """A family of (number, is head); its household, or 0 where points are a person's."""
    consent = ConsentGiven(Purpose.LOAN_MAPPING, stage.now - timedelta(days=30), "1")
    members = tuple(
        MemberRegistration(resident_id(n), "测试甲", None, head, (consent,)) for n, head in people
    )
    with stage.house.db.transaction() as tx:
        family = HouseholdRegistration(code, "测试村", since, members)
        done = subjects.register(tx, KEYS, town, [family], now=stage.now, new_id=uuid7)
    return int(done.households[code]) if code else 0


def person(stage: Stage, number: int) -> int:
    with stage.house.db.transaction() as tx:
        found = subjects.find_person(tx, KEYS, resident_id(number))
    assert found is not None
    return int(found)


def give(stage: Stage, town: TownCode, holder: int, points: int, who: int = 0) -> None:
    stage.database.sql(
        "insert into month_sum values (%s, %s, %s, 202611, 'sorting', 'award', %s, 1)",
        (holder, town, who, points * 100),
    )
    stage.database.sql(
        "insert into contribution values (%s, %s, %s, 0, 'award', 'x', 'sorting', %s, %s, %s, %s, %s, null, null, ''::bytea)",
        (town, str(uuid4()), str(uuid4()), holder, who, points * 100, stage.now, ON),
    )


def facts(stage: Stage, *households: int) -> dict[int, Facts]:
    with stage.house.db.transaction() as tx:
        return {int(f.subject_id): f for f in gather_facts(tx, policy.load_ruleset(TOGETHER), households, ON)}


def sums(found: Facts) -> dict[str, int]:
    return {str(m.town): m.points_centi // 100 for m in found.month_sums}


def test_a_family_two_towns_know_is_one_household_by_its_head(stage: Stage) -> None:
    ours = register(stage, GUALI, "GL1", [(1, True), (2, False)])
    assert register(stage, HESHANG, "HS9", [(1, True), (3, False)]) == ours
    assert register(stage, HESHANG, "HS9", [(1, True), (3, False)]) == ours, "twice is once"
    assert register(stage, HESHANG, "HS8", [(2, True)]) != ours, (
        "who heads another family there has another household"
    )
    give(stage, GUALI, ours, 30)
    give(stage, HESHANG, ours, 40)
    assert sums(facts(stage, ours)[ours]) == {"lijiayuan": 30, "wuhe_zhonglian": 40}


def test_who_leaves_in_one_town_stays_in_the_other(stage: Stage) -> None:
    ours = register(stage, GUALI, "GL1", [(1, True), (2, False)])
    register(stage, HESHANG, "HS9", [(1, True), (2, False)])
    register(stage, HESHANG, "HS9", [(1, True)])
    left = stage.database.sql(
        "select town, valid_until_on = 'infinity' from membership where household_id = %s and person_id = %s order by town",
        (ours, person(stage, 2)),
    )
    assert left == [("lijiayuan", True), ("wuhe_zhonglian", False)]


def test_what_members_hold_themselves_counts_for_their_family_once(stage: Stage) -> None:
    first = register(stage, GUALI, "GL1", [(1, True), (2, False)])
    second = register(stage, HESHANG, "HS8", [(2, True), (4, False)], since=date(2026, 2, 1))
    for number in (1, 2):
        register(stage, YAQIAN, "", [(number, True)])
        give(stage, YAQIAN, person(stage, number), 10 * number, person(stage, number))
    found = facts(stage, first, second)
    assert sums(found[first]) == {"pingan_gongfu": 30}
    assert sums(found[second]) == {}, "person 2 has belonged to the first family longer"


def test_what_a_member_holds_needs_their_consent_in_that_town(stage: Stage) -> None:
    ours = register(stage, GUALI, "GL1", [(1, True)])
    give(stage, YAQIAN, person(stage, 1), 10, person(stage, 1))
    assert sums(facts(stage, ours)[ours]) == {}
    register(stage, YAQIAN, "", [(1, True)])
    assert sums(facts(stage, ours)[ours]) == {"pingan_gongfu": 10}


def test_persons_without_a_household_get_an_account_and_no_household(stage: Stage) -> None:
    consent = ConsentGiven(Purpose.REDEMPTION, stage.now, "1")
    family = HouseholdRegistration(
        "", "", ON, (MemberRegistration(resident_id(7), "测试乙", None, True, (consent,)),)
    )
    with stage.house.db.transaction() as tx:
        done = subjects.register(tx, KEYS, YAQIAN, [family], now=stage.now, new_id=uuid7)
    assert done.holders == [person(stage, 7)]
    assert stage.database.sql("select count(*) from household") == [(0,)]


def test_simulation_counts_as_evaluation_does(stage: Stage) -> None:
    """The sweep over everybody sums in PostgreSQL; one family alone is summed here: the same score."""
    first = register(stage, GUALI, "GL1", [(1, True), (2, False)])
    register(stage, HESHANG, "HS9", [(1, True)])
    second = register(stage, HESHANG, "HS8", [(2, True)], since=date(2026, 2, 1))
    for number in (1, 2):
        register(stage, YAQIAN, "", [(number, True)])
        give(stage, YAQIAN, person(stage, number), 120, person(stage, number))
    give(stage, GUALI, first, 40)
    give(stage, HESHANG, first, 50)
    give(stage, HESHANG, second, 60)
    ruleset = policy.load_ruleset(TOGETHER)
    decided = {h: policy.evaluate(ruleset, f) for h, f in facts(stage, first, second).items()}
    simulation = simulate_ruleset(stage.house, TOGETHER, on=ON)
    gained = {subject: bp for subject, bp, _ in simulation.gainers}
    assert gained == {h: d.discount_bp for h, d in decided.items() if d.discount_bp}
    assert len(set(gained.values())) == 2
