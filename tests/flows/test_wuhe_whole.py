"""五和众联 from the list to the bank and to reconciliation: over its real door, with its platform and the bank alive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.wuhe_zhonglian import create_client
from adapters.wuhe_zhonglian.simulator import PostedList, invent_town
from adapters.wuhe_zhonglian.simulator.posting import Correction
from gateway.db.embedded import Embedded
from gateway.flows.approve_ruleset import approve_ruleset
from gateway.flows.deliver_proposals import deliver_proposals
from gateway.flows.propose_benefits import propose_benefits
from gateway.flows.propose_ruleset import propose_ruleset
from gateway.flows.reconcile_day import reconcile_day
from gateway.flows.refresh_facilities import refresh_facilities
from gateway.house import House
from schemas.values import beijing_date
from tests.bank_stage import RULESET, Bank, bank_client, simulated_bank
from tests.contract.simulated import simulated
from tests.served import scratch_database
from tests.wuhe_stage import TOWN, WuheStage, wuhe_stage

TODAY = datetime.now(UTC).date()
RULES = RULESET.replace("lijiayuan: {num: 1, den: 1}", "wuhe_zhonglian: {num: 1, den: 1}")


@pytest.fixture
def stage(postgres: Embedded, tmp_path: Path) -> Iterator[WuheStage]:
    with scratch_database(postgres) as database, wuhe_stage(database, tmp_path) as running:
        yield running


def evaluate(house: House) -> None:
    """What the jobs do, until nothing is left."""
    for _ in range(3):
        propose_benefits(house, now=datetime.now(UTC))
        refresh_facilities(house, now=datetime.now(UTC))
        deliver_proposals(house, now=datetime.now(UTC))


def held(bank: Bank) -> list[tuple[int, str]]:
    return [(b["discount_bp"], b["state"]) for b in bank.benefits().values()]


def test_posted_granted_corrected_told_and_reconciled(stage: WuheStage, tmp_path: Path) -> None:
    town = invent_town(3, 1, TODAY)
    family = next(f.registration for f in town.families)
    head = family["Members"][0]
    head["Consents"] = [
        {**head["Consents"][0], "Purpose": purpose} for purpose in ("LoanMapping", "Redemption")
    ]
    board: PostedList = replace(
        town.lists[-1], households={family["HouseholdCode"]: {"G01": 58300, "D01": 300}}
    )
    with simulated_bank() as bank, simulated("wuhe_zhonglian", tmp_path / "town") as platform:
        house = replace(
            stage.house, bank=bank_client(bank.address), clients={TOWN: create_client(platform.settings())}
        )
        bank.say_of(head["IdNo"], base_rate_bp=500, base_limit_fen=10_000_000, vetoes=[], honours=[])
        ruleset, _ = propose_ruleset(house, RULES, by="author", now=datetime.now(UTC))
        approve_ruleset(house, ruleset.ruleset_id, by="approver", now=datetime.now(UTC))

        pusher = stage.pusher()
        assert pusher.register([family]) == {"accepted": 1}
        pusher.post(board)
        evaluate(house)
        assert held(bank) == [(58, "in_force")]

        decided = board.posted_at + timedelta(days=2)
        pusher.correct(
            Correction("GZ-9", "YY-9", board.list_no, board.village, board.quarter, family["HouseholdCode"], "G01",
                       58300, 38300, decided)
        )  # fmt: skip
        evaluate(house)
        assert held(bank) == [(58, "superseded"), (38, "in_force")]
        [(cause,)] = stage.database.sql("select caused_by from decision where discount_bp = 38")
        assert str(cause).startswith("correction:wuhe_zhonglian/GZ-9 batch:")

        platform.calls.post(
            f"{platform.place.address}/_sent", json=pusher.pushed.lines, timeout=5
        ).raise_for_status()
        days = sorted({line["Day"] for line in pusher.pushed.lines})
        assert len(days) == 3  # the quarter's last day, the posting, the correction
        matched = 0
        for day in days:
            done = reconcile_day(house, TOWN, datetime.fromisoformat(day).date(), now=datetime.now(UTC))
            assert (done.ours_only, done.theirs_only, done.differing) == (0, 0, 0), day
            matched += done.matched
        assert [(matched,)] == stage.database.sql("select count(*) from contribution")
        assert beijing_date(decided).isoformat() == days[-1]
