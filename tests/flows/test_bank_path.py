"""From points to the bank and back: what is proposed, what the bank holds, and that both say the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway import benefits, subjects
from gateway.benefits.restate import RESTATERS
from gateway.flows.expire_benefits import expire_benefits
from schemas.contributions import Withdrawal
from schemas.values import Purpose
from tests.bank_stage import KEYS, RULESET, TOWN, Stage, bank_stage
from tests.conftest import TestDatabase


@pytest.fixture
def stage(database: TestDatabase, tmp_path: Path) -> Iterator[Stage]:
    with bank_stage(database, tmp_path) as found:
        yield found


def _terms(stage: Stage) -> list[tuple[object, ...]]:
    return stage.database.sql(
        "select discount_bp, limit_increase_fen, state from proposal order by proposed_at, serial"
    )


def test_points_become_a_benefit_at_the_bank(stage: Stage) -> None:
    stage.ruleset()
    [family] = stage.families(1)
    stage.give_points([family], 583)
    stage.evaluate()
    assert _terms(stage) == [(58, 500_000, "proposed")]
    stage.deliver()
    assert _terms(stage) == [(58, 500_000, "in_force")]
    [held] = stage.bank.benefits().values()
    assert (held["discount_bp"], held["limit_increase_fen"], held["valid_from"], held["valid_until"]) == (
        58, 500_000, "20261123", "20271123",
    )  # fmt: skip
    stage.agree()


def test_the_decision_names_its_cause(stage: Stage) -> None:
    stage.ruleset()
    [family] = stage.families(1)
    stage.propose()
    stage.refresh()
    stage.propose()
    stage.give_points([family], 500)
    stage.propose()
    stage.give_points([family], 300, kind="deduction")
    stage.later(minutes=1)
    stage.propose()
    found = stage.database.sql("select discount_bp, caused_by from decision order by decided_at, decision_id")
    assert [discount for discount, _ in found] == [0, 50, 20]
    assert all(str(cause).startswith("batch:") for _, cause in found[1:])


def test_facts_that_change_nothing_write_no_second_decision(stage: Stage) -> None:
    stage.ruleset()
    families = stage.families(3)
    stage.give_points(families, 583)
    stage.evaluate()
    before = stage.database.sql("select count(*) from decision")
    stage.give_points(families, 1)  # 584 points are 58 bp still
    done = stage.propose()
    assert done["evaluated"] == 3
    assert stage.database.sql("select count(*) from decision") == before


def test_more_points_supersede_what_is_in_force(stage: Stage) -> None:
    stage.ruleset()
    [family] = stage.families(1)
    stage.give_points([family], 300)
    stage.evaluate()
    stage.deliver()
    stage.give_points([family], 200)
    stage.later(minutes=1)
    stage.propose()
    stage.deliver()
    assert _terms(stage) == [(30, 300_000, "superseded"), (50, 500_000, "in_force")]
    assert sorted(b["state"] for b in stage.bank.benefits().values()) == ["in_force", "superseded"]
    stage.agree()


def test_a_lowered_score_lowers_the_benefit_at_once(stage: Stage) -> None:
    stage.ruleset()
    [family] = stage.families(1)
    stage.give_points([family], 500)
    stage.evaluate()
    stage.deliver()
    stage.give_points([family], 300, kind="deduction")
    stage.later(minutes=1)
    stage.propose()
    stage.deliver()
    assert _terms(stage) == [(50, 500_000, "superseded"), (20, 200_000, "in_force")]
    stage.agree()


def test_a_lowered_score_waits_for_repricing_where_the_ruleset_says_so(stage: Stage) -> None:
    stage.ruleset(RULESET.replace("at_once", "at_repricing"))
    [family] = stage.families(1)
    stage.give_points([family], 500)
    stage.evaluate()
    stage.deliver()
    stage.give_points([family], 300, kind="deduction")
    stage.later(minutes=1)
    stage.propose()
    stage.deliver()
    assert _terms(stage) == [(50, 500_000, "in_force")]
    stage.later(days=365)
    assert expire_benefits(stage.house, now=stage.now)["expired"] == 1
    stage.propose()
    stage.deliver()
    assert _terms(stage) == [(50, 500_000, "expired"), (20, 200_000, "in_force")]


def test_points_lost_revoke_the_benefit(stage: Stage) -> None:
    stage.ruleset()
    [family] = stage.families(1)
    stage.give_points([family], 500)
    stage.evaluate()
    stage.deliver()
    stage.give_points([family], 500, kind="deduction")
    stage.later(minutes=1)
    stage.propose()
    stage.deliver()
    assert [state for _, _, state in _terms(stage)] == ["revoked"]
    assert [b["state"] for b in stage.bank.benefits().values()] == ["revoked"]
    assert stage.database.sql("select reason_code from revocation") == [("nothing",)]


def test_what_the_bank_never_heard_of_is_simply_replaced(stage: Stage) -> None:
    stage.ruleset()
    [family] = stage.families(1)
    stage.give_points([family], 300)
    stage.evaluate()
    stage.give_points([family], 200)
    stage.later(minutes=1)
    stage.propose()
    stage.deliver()
    assert _terms(stage) == [(30, 300_000, "superseded"), (50, 500_000, "in_force")]
    assert len(stage.bank.books()["received"]) == 1 + 1  # one question about the facility, one proposal
    stage.agree()


def _withdraw(stage: Stage, family: int) -> None:
    with stage.house.db.transaction() as tx:
        gone = Withdrawal(stage.id_nos[family], Purpose.LOAN_MAPPING, stage.now)
        done, _ = subjects.withdraw(tx, KEYS, TOWN, [gone], now=stage.now)
        assert len(done) == 1
        benefits.mark_changed(tx, [stage.heads[family], family], cause="consent withdrawn", now=stage.now)


def test_consent_withdrawn_revokes_at_the_bank(stage: Stage) -> None:
    stage.ruleset()
    one, other = stage.families(2)
    stage.give_points([one, other], 500)
    stage.evaluate()
    stage.deliver()
    stage.later(minutes=1)
    _withdraw(stage, one)
    assert stage.propose()["revocations"] == 1
    stage.deliver()
    assert sorted(stage.proposals().values()) == ["in_force", "revoked"]
    assert stage.database.sql("select reason_code, caused_by from revocation") == [
        ("consent_withdrawn", "consent withdrawn")
    ]
    stage.agree()


def test_consent_withdrawn_before_delivery_is_never_sent(stage: Stage) -> None:
    stage.ruleset()
    [family] = stage.families(1)
    stage.give_points([family], 500)
    stage.evaluate()
    _withdraw(stage, family)
    stage.propose()
    stage.deliver()
    assert list(stage.proposals().values()) == ["revoked"]
    assert stage.bank.benefits() == {}
    assert stage.database.sql("select count(*) from revocation") == [(0,)]


def test_consent_withdrawn_while_the_answer_is_lost_ends_revoked_on_both_sides(stage: Stage) -> None:
    stage.ruleset()
    [family] = stage.families(1)
    stage.give_points([family], 500)
    stage.evaluate()
    stage.bank.fail("drop", service="ProposeBenefit")
    stage.deliver()
    assert list(stage.proposals().values()) == ["unknown"]
    _withdraw(stage, family)
    stage.propose()
    stage.quiet()
    assert list(stage.proposals().values()) == ["revoked"]
    assert [b["state"] for b in stage.bank.benefits().values()] == ["revoked"]


def test_consent_withdrawn_while_nothing_had_arrived_is_not_sent_again(stage: Stage) -> None:
    stage.ruleset()
    [family] = stage.families(1)
    stage.give_points([family], 500)
    stage.evaluate()
    stage.bank.fail("drop_before", service="ProposeBenefit")
    stage.deliver()
    assert list(stage.proposals().values()) == ["unknown"]
    _withdraw(stage, family)
    stage.propose()
    stage.quiet()
    assert list(stage.proposals().values()) == ["revoked"]
    assert stage.bank.benefits() == {}


def test_a_veto_at_the_bank_gives_no_proposal(stage: Stage) -> None:
    stage.ruleset()
    [family] = stage.families(1)
    stage.bank.say_of(
        stage.id_nos[family], base_rate_bp=500, base_limit_fen=1, vetoes=["related_person"], honours=[]
    )
    stage.give_points([family], 500)
    stage.evaluate()
    assert stage.proposals() == {}
    assert stage.database.sql("select outcome from decision") == [("vetoed",)]


def test_whom_the_bank_does_not_know_is_not_proposed(stage: Stage) -> None:
    stage.ruleset()
    [family] = stage.families(1)
    stage.bank.say_of(stage.id_nos[family], unknown=True)
    stage.give_points([family], 500)
    stage.evaluate()
    assert stage.proposals() == {}
    stage.bank.say_of(
        stage.id_nos[family], base_rate_bp=500, base_limit_fen=10_000_000, vetoes=[], honours=[]
    )
    stage.later(days=31)
    stage.refresh()
    stage.propose()
    assert list(stage.proposals().values()) == ["proposed"]


def test_declined_is_not_asked_again_for_the_same_terms(stage: Stage) -> None:
    stage.ruleset()
    [family] = stage.families(1)
    stage.give_points([family], 500)
    stage.evaluate()
    stage.bank.fail("refuse", service="ProposeBenefit")
    stage.deliver()
    assert list(stage.proposals().values()) == ["declined"]
    stage.give_points([family], 1)
    stage.propose()
    assert list(stage.proposals().values()) == ["declined"]
    stage.give_points([family], 100)
    stage.later(minutes=1)
    stage.propose()
    assert list(stage.proposals().values()) == ["declined", "proposed"]


def test_a_new_ruleset_evaluates_everybody(stage: Stage) -> None:
    stage.ruleset()
    families = stage.families(5)
    stage.give_points(families, 300)
    stage.evaluate()
    stage.later(days=1)
    changed = RULESET.replace("bp: 10", "bp: 20").replace("2026-01-01", "2026-11-24")
    stage.ruleset(changed)
    stage.propose()
    assert stage.database.sql("select distinct discount_bp from proposal where state = 'proposed'") == [(60,)]


def test_a_year_later_the_benefit_is_renewed(stage: Stage) -> None:
    stage.ruleset()
    [family] = stage.families(1)
    stage.give_points([family], 500)
    stage.evaluate()
    stage.deliver()
    stage.later(days=365)
    assert expire_benefits(stage.house, now=stage.now) == {"expired": 1, "started": 0}
    assert expire_benefits(stage.house, now=stage.now) == {"expired": 0, "started": 0}
    stage.propose()
    stage.deliver()
    assert list(stage.proposals().values()) == ["expired", "in_force"]


def test_no_id_number_is_in_any_table_of_ours(stage: Stage) -> None:
    stage.ruleset()
    [family] = stage.families(1)
    stage.give_points([family], 500)
    stage.evaluate()
    stage.deliver()
    tables = [
        "outbox_message",
        "decision",
        "proposal",
        "proposal_event",
        "facility",
        "record",
        "revocation",
        "job_run",
    ]
    for table in tables:
        text = str(stage.database.sql(f"select t::text from {table} t"))
        assert stage.id_nos[family] not in text
        assert stage.id_nos[family].encode().hex() not in text


def test_every_row_has_its_record_and_says_it_again(stage: Stage) -> None:
    stage.ruleset()
    one, other = stage.families(2)
    stage.give_points([one, other], 500)
    stage.evaluate()
    stage.bank.fail("drop", service="ProposeBenefit")
    stage.deliver()
    stage.later(minutes=1)
    _withdraw(stage, one)
    stage.propose()
    stage.quiet()
    with stage.house.audit_db.transaction() as tx:
        for kind, restater in RESTATERS.items():
            ids = restater.list_row_ids(tx, "", 1000)
            recorded: dict[Any, Any] = dict(
                stage.database.sql("select row_id, body from record where kind = %s", (kind,))
            )
            assert set(ids) == set(recorded), kind
            assert ids, f"no {kind} in this test"
            for row_id, body in restater.restate(tx, ids).items():
                assert json.loads(bytes(recorded[row_id]))["body"] == body


def test_nobody_is_asked_about_without_consent_and_what_was_said_is_forgotten(stage: Stage) -> None:
    stage.ruleset()
    one, other = stage.families(2)
    stage.give_points([one, other], 500)
    stage.propose()
    _withdraw(stage, one)
    assert stage.refresh()["answered"] == 1
    assert stage.database.sql("select applicant_id from facility") == [(stage.heads[other],)]
    stage.propose()
    assert [b for b in stage.bank.books()["received"] if b.startswith("F")] != []
    assert len(stage.proposals()) == 1
