"""A ruleset's life through the corridors: proposed, approved, simulated over everybody, evaluated for one, replayed."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from gateway import benefits, policy
from gateway.flows._gather_facts import gather_facts
from gateway.flows.approve_ruleset import approve_ruleset
from gateway.flows.evaluate_resident import evaluate_resident
from gateway.flows.propose_ruleset import propose_ruleset
from gateway.flows.replay_decision import replay_decision
from gateway.flows.simulate_ruleset import simulate_ruleset
from gateway.house import House
from gateway.policy.columns import score_units_of
from gateway.policy.language import SUMMED
from gateway.policy.sweeping import list_ranges, list_subjects, sum_units
from schemas.errors import InvalidError, NotFoundError, RefusedError, TamperedError
from schemas.policy import SubjectKind
from schemas.values import TownCode
from tests.conftest import TestDatabase
from tests.integration.log_house import NOW, make_house

ON = date(2026, 11, 1)
HOUSEHOLDS = 60


@pytest.fixture
def house(database: TestDatabase, tmp_path: Path) -> House:
    return make_house(database, tmp_path)


def _village(database: TestDatabase, seed: int = 7) -> None:
    """HOUSEHOLDS families (ids 10, 20, …) with members 11, 12, 21, …: some consent, some are restricted, some vetoed."""
    chance = random.Random(seed)
    rows: dict[str, list[str]] = {
        name: [] for name in ("household", "code", "person", "member", "consent", "sum", "score", "mark")
    }
    towns = ["lijiayuan", "wuhe_zhonglian", "pingan_gongfu", "elsewhere"]
    for number in range(1, HOUSEHOLDS + 1):
        family = number * 10
        rows["household"].append(f"({family}, 'v', now())")
        rows["code"].append(f"('lijiayuan', 'F{number}', {family}, '2020-01-01')")
        people = [family + n for n in range(1, chance.randint(2, 4))]
        for person in people:
            born = f"'{chance.randint(1940, 2015)}-03-09'" if chance.random() < 0.9 else "null"
            restricted = "now()" if chance.random() < 0.1 else "null"
            rows["person"].append(f"({person}, 'k', 'x', 's', sha256('c'), {born}, now(), {restricted})")
            rows["member"].append(
                f"({family}, {person}, 'lijiayuan', {'true' if person == people[0] else 'false'}, '2020-01-01')"
            )
            for town in towns[:3]:
                if chance.random() < 0.3:
                    rows["consent"].append(
                        f"('{uuid4()}', {person}, '{town}', 'loan_mapping', 'bank', '1', now(), now(),"
                        f" {'now()' if chance.random() < 0.2 else 'null'})"
                    )
        cells = set()
        for _ in range(chance.randint(0, 60)):
            holder = chance.choice([family, family, *people])
            person = chance.choice([0, *people]) if holder == family else chance.choice([0, holder])
            month = chance.choice([202510, 202511, 202512, 202601, 202609, 202610, 202611, 202612])
            category = chance.choice(
                ["sorting", "hygiene", "patrol", "charity", "conduct", "other", "learning"]
            )
            kind = chance.choice(["award", "award", "award", "deduction", "spend", "transfer_in"])
            cells.add((holder, chance.choice(towns), person, month, category, kind))
        for cell in sorted(cells):  # a set has another order in each run
            rows["sum"].append("({}, '{}', {}, {}, '{}', '{}', {}, 1)".format(*cell, chance.randint(1, 9000)))
        if cells:
            rows["score"].append(
                f"('lijiayuan', 'r{number}', '{uuid4()}', 0, 'award', 'a', 'other', {family}, 100, now(),"
                f" '2026-{chance.choice(['03', '09'])}-15', sha256('d'))"
            )
        if chance.random() < 0.15:
            rows["mark"].append(
                f"('{uuid4()}', {chance.choice([family, *people])}, 'veto', 'related_person', '2020-01-01', 't', now())"
            )
    columns = {
        "household": "household (household_id, village, registered_at)",
        "code": "household_code (town, code, household_id, valid_from_on)",
        "person": "person (person_id, key_id, sealed, salt, commitment, birth_on, registered_at, restricted_at)",
        "member": "membership (household_id, person_id, town, is_head, valid_from_on)",
        "consent": "consent (consent_id, person_id, town, purpose, recipient, text_version, given_at, recorded_at, withdrawn_at)",
        "sum": "month_sum (holder_id, town, person_id, month, category, kind, points_centi, items)",
        "score": "contribution (town, reference, batch_id, item_no, kind, activity, category, holder_id, points_centi,"
        " occurred_at, occurred_on, content_digest)",
        "mark": "mark (mark_id, subject_id, kind, code, valid_from_on, source, recorded_at)",
    }
    for name, values in rows.items():
        database.sql(f"insert into {columns[name]} values {', '.join(values)}")


def _put_in_force(house: House, text: str) -> policy.Ruleset:
    ruleset, _ = propose_ruleset(house, text, by="author", now=NOW)
    return approve_ruleset(house, ruleset.ruleset_id[:12], by="approver", now=NOW)[0]


def test_a_ruleset_is_recorded_when_proposed_and_when_approved(house: House, database: TestDatabase) -> None:
    text = policy.packaged_text("guanghan")
    ruleset, new = propose_ruleset(house, text, by="author", now=NOW)
    assert new
    with pytest.raises(RefusedError):
        approve_ruleset(house, ruleset.ruleset_id, by="author", now=NOW)
    assert approve_ruleset(house, ruleset.ruleset_id, by="other", now=NOW)[1]
    assert propose_ruleset(house, text, by="author", now=NOW) == (ruleset, False)
    assert approve_ruleset(house, ruleset.ruleset_id, by="other", now=NOW) == (ruleset, False)
    kinds = database.sql("select kind, row_id from record order by kind")
    assert kinds == [("ruleset_approved", ruleset.ruleset_id), ("ruleset_proposed", ruleset.ruleset_id)]


def test_a_document_with_faults_leaves_nothing(house: House, database: TestDatabase) -> None:
    broken = (
        policy.packaged_text("guanghan")
        .replace("cap_bp: 100", "cap_bp: many")
        .replace("subject: household", "subject: dog")
    )
    with pytest.raises(policy.RulesetInvalidError) as caught:
        propose_ruleset(house, broken, by="author", now=NOW)
    assert {fault.where for fault in caught.value.faults} == {"discount.cap_bp", "subject"}
    assert database.sql("select (select count(*) from ruleset), (select count(*) from record)") == [(0, 0)]


@pytest.mark.parametrize("name", ["shimin_yidai", "gongfu_dai", "guanghan"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_postgresql_sums_what_facts_sum(house: House, database: TestDatabase, name: str, seed: int) -> None:
    _village(database, seed)
    text = policy.packaged_text(name).replace("guanghan_youyi", "lijiayuan")
    ruleset = policy.load_ruleset(text)
    assert ruleset.basis.kind in SUMMED
    units = score_units_of(ruleset, ON)
    with house.db.transaction() as tx:
        ranges = list_ranges(tx, ruleset.subject, 7)
        everybody = [s for span in ranges for s in list_subjects(tx, ruleset.subject, span)]
        facts = gather_facts(tx, ruleset, everybody, ON)
        summed = {k: v for span in ranges for k, v in sum_units(tx, ruleset, ON, span).items()}
    assert len(ranges) > 5
    assert len(everybody) == len(set(everybody))
    assert 0 < len(facts) < len(everybody)
    assert any(units(f) for f in facts)
    assert {f.subject_id: units(f) for f in facts} == {
        f.subject_id: summed.get(f.subject_id, 0) for f in facts
    }


@pytest.mark.parametrize("name", ["shimin_yidai", "gongfu_dai"])
def test_simulation_agrees_with_evaluating_one_by_one(
    house: House, database: TestDatabase, name: str
) -> None:
    _village(database)
    text = policy.packaged_text(name)
    old = _put_in_force(house, text.replace("cap_bp: 50", "cap_bp: 5").replace("2026-01-01", "2025-01-01", 1))
    new = policy.load_ruleset(text)
    seen: list[tuple[int, int]] = []
    found = simulate_ruleset(house, text, on=ON, progress=lambda done, total: seen.append((done, total)))
    with house.db.transaction() as tx:
        kind = new.subject
        everybody = [s for span in list_ranges(tx, kind, 1000) for s in list_subjects(tx, kind, span)]
        after = [policy.evaluate(new, f) for f in gather_facts(tx, new, everybody, ON)]
        before = [policy.evaluate(old, f) for f in gather_facts(tx, old, everybody, ON)]
    assert seen[0][0] == 0
    assert seen[-1][0] == seen[-1][1] > 0
    assert (found.before.name, found.before.ruleset_id) == (old.name, old.ruleset_id)
    assert found.subjects == len(everybody)
    assert found.evaluated == len(after) > 20
    for side, decisions in ((found.after, after), (found.before, before)):
        for outcome in {d.outcome for d in decisions}:
            assert side.outcomes[str(outcome)] == sum(d.outcome is outcome for d in decisions)
        assert side.discounts == {
            bp: sum(d.discount_bp == bp for d in decisions) for bp in {d.discount_bp for d in decisions}
        }
        assert side.increase_fen == sum(d.limit_increase_fen for d in decisions)
        loans = [(d.final_limit_fen or 0) - d.limit_increase_fen or new.assumed_loan_fen for d in decisions]
        assert (
            side.cost_fen
            == sum(d.discount_bp * loan for d, loan in zip(decisions, loans, strict=True)) // 10_000
        )
    changes = [
        (a.discount_bp - b.discount_bp, a.limit_increase_fen - b.limit_increase_fen)
        for a, b in zip(after, before, strict=True)
    ]
    assert found.gain == sum(c != (0, 0) and min(c) >= 0 for c in changes) > 0
    assert found.lose == sum(c != (0, 0) and max(c) <= 0 for c in changes)
    assert found.same == sum(c == (0, 0) for c in changes)
    assert found.gainers[0][1] == max(c[0] for c in changes)


def test_a_simulation_stores_nothing(house: House, database: TestDatabase) -> None:
    _village(database)
    simulate_ruleset(house, policy.packaged_text("shimin_yidai"), on=ON)
    assert database.sql(
        "select (select count(*) from ruleset), (select count(*) from decision), (select count(*) from record)"
    ) == [(0, 0, 0)]


def test_a_household_is_evaluated_with_its_trace(house: House, database: TestDatabase) -> None:
    _village(database)
    ruleset = _put_in_force(house, policy.packaged_text("shimin_yidai"))
    family = database.sql(
        "select code from household_code where household_id in (select household_id from membership"
        " join consent using (person_id) join person using (person_id)"
        " where purpose = 'loan_mapping' and withdrawn_at is null and restricted_at is null) limit 1"
    )[0][0]
    found = evaluate_resident(house, household=(TownCode("lijiayuan"), str(family)), on=ON, now=NOW)
    assert [r.ruleset_id for r, _ in found] == [ruleset.ruleset_id]
    assert found[0][1].trace
    assert "结论" in policy.explain(*found[0])
    assert "Result" in policy.explain(*found[0], lang="en")
    with pytest.raises(NotFoundError):
        evaluate_resident(house, household=(TownCode("lijiayuan"), "nobody"), on=ON, now=NOW)
    with pytest.raises(NotFoundError) as caught:
        evaluate_resident(house, id_no="110101199003070000", on=ON, now=NOW)
    assert "110101199003070000" not in str(caught.value)
    with pytest.raises(InvalidError):
        evaluate_resident(house, on=ON, now=NOW)


def _decided(house: House, database: TestDatabase) -> UUID:
    _village(database)
    ruleset = _put_in_force(house, policy.packaged_text("shimin_yidai"))
    decision_id = uuid4()
    with house.db.transaction() as tx:
        everybody = [
            s
            for span in list_ranges(tx, SubjectKind.HOUSEHOLD, 1000)
            for s in list_subjects(tx, SubjectKind.HOUSEHOLD, span)
        ]
        facts = gather_facts(tx, ruleset, everybody, ON)[0]
        decision = policy.evaluate(ruleset, facts)
        new = benefits.NewDecision(
            decision_id,
            ruleset.product,
            decision,
            policy.facts_bytes(facts),
            policy.decision_bytes(decision),
            bytes(16),
            "test",
        )
        benefits.insert_decisions(tx, [new], now=NOW)
    return decision_id


def test_a_decision_replays_to_the_same_bytes(house: House, database: TestDatabase) -> None:
    decision_id = _decided(house, database)
    _, _, body = replay_decision(house, decision_id)
    assert [(body,)] == [(bytes(b),) for (b,) in database.sql("select body from decision")]  # type: ignore[call-overload]
    with pytest.raises(NotFoundError):
        replay_decision(house, uuid4())


def _forge(database: TestDatabase, column: str, old: str, new: str) -> None:
    forged: Any = database.sql(
        f"set session_replication_role = replica; update decision set {column} ="
        f" convert_to(replace(convert_from({column}, 'UTF8'), %s, %s), 'UTF8') returning {column}",
        (old, new),
    )
    assert new.encode() in bytes(forged[0][0])


@pytest.mark.parametrize(
    ("column", "old", "new", "where"),
    [
        ("body", '"limit_increase_fen":', '"limit_increase_fen":9', "$.limit_increase_fen"),
        ("body", '{"code":', '{"code":"x","kode":', "$.reasons[0].code"),
        ("facts", '"subject_id":', '"subject_id":9', "$.subject_id"),
    ],
)
def test_a_forged_decision_is_named_by_its_path(
    house: House, database: TestDatabase, column: str, old: str, new: str, where: str
) -> None:
    decision_id = _decided(house, database)
    _forge(database, column, old, new)
    with pytest.raises(TamperedError) as caught:
        replay_decision(house, decision_id)
    assert caught.value.where == where
    assert caught.value.code == "replay-differs"


def test_only_consented_sums_enter_facts(house: House, database: TestDatabase) -> None:
    ruleset = policy.load_packaged("shimin_yidai")
    database.sql(
        "insert into household values (10, 'v', now());"
        "insert into person (person_id, key_id, sealed, salt, commitment, birth_on, registered_at)"
        " select i, 'k', 'x', 's', sha256('c'), '1980-11-02', now() from unnest(array[11, 12]) i;"
        "insert into membership select 10, i, 'lijiayuan', i = 12, '2020-01-01' from unnest(array[11, 12]) i;"
        "insert into consent (consent_id, person_id, town, purpose, recipient, text_version, given_at, recorded_at)"
        " values (gen_random_uuid(), 11, 'lijiayuan', 'loan_mapping', 'bank', '1', now(), now()),"
        "        (gen_random_uuid(), 12, 'lijiayuan', 'redemption', 'bank', '1', now(), now());"
        "insert into month_sum values (10, 'lijiayuan', 0, 202611, 'charity', 'award', 100, 1),"
        " (10, 'lijiayuan', 11, 202611, 'charity', 'award', 20, 1), (10, 'lijiayuan', 12, 202611, 'charity', 'award', 3, 1),"
        " (10, 'wuhe_zhonglian', 11, 202611, 'charity', 'award', 7, 1)"
    )
    with house.db.transaction() as tx:
        (facts,) = gather_facts(tx, ruleset, [10, 11, 12, 999], ON)
    assert (facts.subject_id, facts.applicant_id, facts.age_years) == (10, 11, 45)
    assert [(m.town, m.points_centi) for m in facts.month_sums] == [("lijiayuan", 120)]
    database.sql("update consent set withdrawn_at = now()")
    with house.db.transaction() as tx:
        assert gather_facts(tx, ruleset, [10], ON) == []
    assert replace(facts, facility=None) == facts
