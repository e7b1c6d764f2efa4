"""What was decided and proposed stands in the log; whoever changes a row afterwards is found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.flows.seal_log import seal_log
from gateway.flows.verify_log import VerifyReport, verify_log
from tests.bank_stage import RULESET, Stage, bank_stage
from tests.conftest import TestDatabase
from tests.integration.log_house import make_house


@pytest.fixture
def stage(database: TestDatabase, tmp_path: Path) -> Iterator[Stage]:
    with bank_stage(database, tmp_path) as found:
        found.house = replace(found.house, config=make_house(database, tmp_path).config)
        yield found


def _verified(stage: Stage) -> VerifyReport:
    from gateway.benefits.restate import RESTATERS

    return verify_log(stage.house, now=stage.now, restaters=RESTATERS)


def _sealed_path(stage: Stage) -> None:
    stage.ruleset(RULESET)
    one, other = stage.families(2)
    stage.give_points([one, other], 500)
    stage.evaluate()
    stage.deliver()
    stage.give_points([other], 500, kind="deduction")
    stage.quiet()
    assert sorted(stage.proposals().values()) == ["in_force", "revoked"]
    seal_log(stage.house, now=stage.now)


KINDS = ("decision ", "proposal ", "proposal_answer ", "proposal_revocation ")


def _faults(report: VerifyReport) -> list[str]:
    """Faults about this room's records; the stage's points came without a ledger, which verification finds too."""
    return [text for text in map(str, report.faults) if any(kind in text for kind in KINDS)]


def test_the_path_verifies(stage: Stage) -> None:
    _sealed_path(stage)
    report = _verified(stage)
    assert _faults(report) == []
    assert report.size >= 3 + 2 + 5 + 1  # decisions, proposals, events, a revocation


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("update decision set score_centi = score_centi + 1 where discount_bp = 50", "decision"),
        ("update decision set facts = facts || ' '::bytea where discount_bp = 0", "decision"),
        ("update decision set caused_by = 'x' where discount_bp = 0", "caused_by"),
        ("delete from decision where discount_bp = 0", "decision"),
        ("update proposal set discount_bp = 99 where state = 'in_force'", "proposal"),
        ("update proposal_event set code = '0000x' where event = 'bank_accepted'", "code"),
        ("delete from proposal_event where event = 'revoked'", "proposal_answer"),
        ("update revocation set reason_code = 'x'", "reason_code"),
        (
            "insert into proposal_event select gen_random_uuid(), proposal_id, from_state, event, to_state, code, bank_reference,"
            " happened_at from proposal_event limit 1",
            "proposal_answer",
        ),
    ],
)
def test_a_changed_row_is_named(stage: Stage, change: str, named: str) -> None:
    _sealed_path(stage)
    stage.database.sql("set session_replication_role = replica; " + change)
    report = _verified(stage)
    assert any(named in fault for fault in _faults(report)), [str(f) for f in report.faults]
