"""Bar 7: an hour of faults on all neighbours ends with no unexplained difference, a ledger of zero and a log that verifies."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway import contributions, ledger
from gateway.flows.list_differences import list_differences
from gateway.flows.seal_log import seal_log
from gateway.flows.verify_log import verify_log
from tests.conftest import TestDatabase
from tests.storm.evidence import CONTRADICTIONS, rows
from tests.storm.faulty_hour import Hour, faulty_hour, settled_or_explained
from tests.storm.wuhe_side import Wuhe, scores_that_differ

#: those facts of a storm that hold with deductions and reversals too
FACTS = (
    "every transfer has its contribution",
    "every contribution has its batch, and every batch its contributions",
    "every balance is the sum of its transfers",
    "the ledger sums to zero",
    "what the town issued is what residents hold",
    "every batch has one record, and every record of a batch a batch",
)


def _hour(database: TestDatabase, folder: Path, seed: int, step_s: int) -> None:
    with faulty_hour(database, folder, seed) as hour:
        hour.pass_by(60, step_s)
        met = database.sql("select count(*), count(distinct outcome) from difference_change")
        still = hour.come_to_rest()
        print(dict(hour.noted), [getattr(side, "told", {}) for side in hour.sides], hour.clerks.told, met)
        _assert_whole(hour, database)
        assert still == [], [f"{r.reference} {r.outcome} {r.action}" for r in still]
        _assert_lists_counted(hour, database)
        _assert_goods_paid(hour, database)


def _assert_lists_counted(hour: Hour, database: TestDatabase) -> None:
    """五和众联: lists replaced lists, corrections came, and one of them lowered a benefit that the bank had granted."""
    [wuhe] = [side for side in hour.sides if isinstance(side, Wuhe)]
    assert min(wuhe.told["replaced by difference"], wuhe.told["corrections"]) > 0, wuhe.told
    assert scores_that_differ(wuhe, database) == []
    lowered = database.sql(
        "select count(*) from decision d join proposal p on p.decision_id = d.decision_id"
        " join proposal before on before.proposal_id = p.supersedes"
        " where d.caused_by like 'correction:wuhe_zhonglian/%' and p.discount_bp < before.discount_bp"
        " and before.state = 'superseded' and p.state in ('accepted', 'in_force', 'superseded')"
    )
    assert lowered != [(0,)]


def _assert_goods_paid(hour: Hour, database: TestDatabase) -> None:
    """Every redemption is at an end, a town took its points iff the goods are gone, and its statement tells of each."""
    assert hour.clerks.faults() == []
    taken = database.sql(
        "select count(distinct town), count(*) from redemption join redemption_leg using (redemption_id)"
        " where state = 'handed_over'"
    )
    assert taken[0][0] == len(hour.sides), taken
    ended = {str(state) for (state,) in database.sql("select distinct state from redemption")}
    assert ended >= {"handed_over", "reversed"}, ended
    assert hour.bought_by_statements() == taken[0][1]


def _assert_whole(hour: Hour, database: TestDatabase) -> None:
    house = hour.stage.house
    assert settled_or_explained(list_differences(house)) == []
    assert database.sql("select count(*) from difference_change") != [(0,)], (
        "nothing ever differed: hardly an hour of faults"
    )
    assert {fact: found for fact in FACTS if (found := rows(database.admin_dsn, CONTRADICTIONS[fact]))} == {}
    with database.auditor.transaction(read_only=True) as tx:
        assert [*contributions.list_faults(tx), *ledger.list_faults(tx)] == []
    hour.stage.agree()
    now = hour.stage.later(seconds=5)
    seal_log(house, now=now)
    report = verify_log(house, now=now)
    assert report.ok, report.faults


def test_an_hour_of_faults_leaves_nothing_unexplained(database: TestDatabase, tmp_path: Path) -> None:
    _hour(database, tmp_path, seed=7, step_s=120)


@pytest.mark.soak
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("seed", range(3))
def test_hours_of_faults_at_full_length(database: TestDatabase, tmp_path: Path, seed: int) -> None:
    _hour(database, tmp_path, seed=seed, step_s=15)
