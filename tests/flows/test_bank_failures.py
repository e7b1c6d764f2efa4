"""The bank slow, down, answering late, answering garbage; we killed at each ‖: nothing lost, nothing sent twice, visible."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.flows import deliver_proposals as delivering
from gateway.flows.deliver_proposals import deliver_proposals
from gateway.flows.list_parked import list_parked
from gateway.flows.release_parked import release_parked
from schemas.boundary import NeighbourCalledInTransactionError
from schemas.errors import NotFoundError
from tests.bank_stage import Stage, bank_client, bank_stage
from tests.conftest import TestDatabase


@pytest.fixture
def stage(database: TestDatabase, tmp_path: Path) -> Iterator[Stage]:
    with bank_stage(database, tmp_path) as found:
        yield found


def _proposed(stage: Stage, count: int) -> list[int]:
    stage.ruleset()
    families = stage.families(count)
    stage.give_points(families, 500)
    stage.evaluate()
    return families


def _messages(stage: Stage) -> list[tuple[object, ...]]:
    return stage.database.sql("select state, code, attempts from outbox_message order by position")


@pytest.mark.parametrize("fault", ["slow", "drop", "garbage", "error", "unknown"])
def test_acted_without_an_answer_is_found_by_inquiry_not_sent_twice(stage: Stage, fault: str) -> None:
    _proposed(stage, 1)
    stage.bank.fail(fault, service="ProposeBenefit", seconds=0.8)
    stage.deliver()
    assert list(stage.proposals().values()) == ["unknown"]
    [(state, code, _)] = _messages(stage)
    assert state == "unknown"
    assert code in ("bank-timeout", "bank-cut", "bank-garbage", "bank-http-500", "bank-9999")
    assert stage.deliver() == {}, "an unknown message was sent again"
    stage.quiet()
    [serial] = stage.proposals()
    books = stage.bank.books()
    assert (books["received"][serial], books["acted"][serial]) == (1, 1)
    assert stage.proposals()[serial] == "in_force"
    stage.agree()


def test_never_arrived_is_found_by_inquiry_and_sent_again(stage: Stage) -> None:
    _proposed(stage, 1)
    stage.bank.fail("drop_before", service="ProposeBenefit")
    stage.deliver()
    stage.quiet()
    [(serial, state)] = stage.proposals().items()
    assert state == "in_force"
    assert stage.bank.books()["acted"][serial] == 1
    events = stage.database.sql("select event from proposal_event order by happened_at, event_id")
    assert [e for (e,) in events] == ["answer_lost", "nothing_found", "bank_accepted", "started"]


def test_the_inquiry_too_may_be_lost(stage: Stage) -> None:
    _proposed(stage, 1)
    stage.bank.fail("drop", service="ProposeBenefit")
    stage.bank.fail("garbage", service="QueryProposal")
    stage.bank.fail("busy", service="QueryProposal")
    stage.bank.fail("drop", service="QueryProposal")
    stage.deliver()
    stage.quiet()
    assert list(stage.proposals().values()) == ["in_force"]
    stage.agree()


def test_busy_is_sent_again_later_and_not_before(stage: Stage) -> None:
    _proposed(stage, 1)
    stage.bank.fail("busy", service="ProposeBenefit")
    stage.deliver()
    assert _messages(stage) == [("queued", "bank-9001", 1)]
    assert list(stage.proposals().values()) == ["proposed"]
    assert stage.deliver() == {}
    stage.later(seconds=4)
    stage.deliver()
    assert list(stage.proposals().values()) == ["in_force"]


def test_waits_grow_and_are_spread() -> None:
    from gateway.outbox import wait_after

    assert [wait_after(n, 0.5).total_seconds() for n in (1, 2, 3, 4)] == [2, 4, 8, 16]
    assert wait_after(50, 0.5).total_seconds() == 900
    assert wait_after(3, 0.0) < wait_after(3, 0.99)


def test_a_bank_that_is_down_loses_nothing(stage: Stage) -> None:
    _proposed(stage, 40)
    down = stage.with_bank(bank_client("http://127.0.0.1:9"))
    done = deliver_proposals(down, now=stage.now, chance=lambda: 0.5)
    assert done["said"] == 16, "a bank that is down is not tried for the whole queue"
    assert set(stage.proposals().values()) == {"proposed"}
    stage.quiet()
    assert set(stage.proposals().values()) == {"in_force"}
    stage.agree()


def test_everything_at_once_and_the_books_agree(stage: Stage) -> None:
    families = _proposed(stage, 60)
    for fault in ("drop", "garbage", "busy", "drop_before", "unknown", "error", "repeat", "slow"):
        stage.bank.fail(fault, service="ProposeBenefit", times=4, seconds=0.7)
    stage.quiet()
    assert len(stage.proposals()) == 60
    assert set(stage.proposals().values()) == {"in_force"}
    stage.agree()
    stage.give_points(families, 200, kind="deduction")
    for fault in ("drop", "garbage", "drop_before"):
        stage.bank.fail(fault, service="ProposeBenefit", times=5)
    stage.quiet()
    stage.agree()


def test_refused_by_the_bank_is_declined_even_when_the_answer_was_lost(stage: Stage) -> None:
    [family] = _proposed(stage, 1)
    stage.bank.say_of(stage.id_nos[family], vetoes=["related_person"])
    stage.bank.fail("drop", service="ProposeBenefit")
    stage.deliver()
    assert list(stage.proposals().values()) == ["unknown"]
    stage.quiet()
    assert list(stage.proposals().values()) == ["declined"]


def test_other_content_under_our_serial_is_parked_and_a_person_releases_it(stage: Stage) -> None:
    _proposed(stage, 1)
    stage.bank.fail("drop", service="ProposeBenefit")
    stage.deliver()
    stage.bank.fail("drop_before", service="QueryProposal", times=100)
    stage.database.sql("alter table outbox_message disable trigger message_ends_once")
    stage.database.sql("update outbox_message set state = 'queued'")  # as a broken build might
    stage.database.sql("alter table proposal disable trigger proposal_edges")
    stage.database.sql("update proposal set discount_bp = 51, state = 'proposed'")
    stage.later(hours=1)
    stage.deliver()
    [row] = list_parked(stage.house)
    assert row.code == "bank-1002"
    stage.bank.heal()
    with pytest.raises(NotFoundError):
        release_parked(stage.house, [row.row_id], now=stage.now)
    assert release_parked(stage.house, [row.message_id], now=stage.now) == 1
    assert list_parked(stage.house) == []
    stage.database.sql("alter table outbox_message enable trigger message_ends_once")
    stage.database.sql("alter table proposal enable trigger proposal_edges")
    stage.settle()
    assert list(stage.proposals().values()) == ["in_force"]


class _Killed(BaseException):
    """As if the process had died here."""


def _die(*_: Any, **__: Any) -> Any:
    raise _Killed


def test_killed_before_the_bank_was_called(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    _proposed(stage, 1)
    with monkeypatch.context() as patched:
        patched.setattr(delivering, "_say", _die)
        with pytest.raises(_Killed):
            stage.deliver()
    _after_death(stage, expect_first=False)


def test_killed_after_the_bank_acted(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    _proposed(stage, 1)
    with monkeypatch.context() as patched:
        patched.setattr(delivering, "conclude", _die)
        with pytest.raises(_Killed):
            stage.deliver()
    _after_death(stage, expect_first=True)


def _after_death(stage: Stage, *, expect_first: bool) -> None:
    [serial] = stage.proposals()
    assert (serial in stage.bank.benefits()) is expect_first
    assert [state for state, _, _ in _messages(stage)] == ["sending"]
    assert stage.deliver() == {}, "a claimed message was taken by another"
    assert stage.settle() == {}, "a claim that still holds was doubted"
    stage.quiet()
    assert stage.proposals() == {serial: "in_force"}
    assert stage.bank.books()["acted"][serial] == 1
    events = stage.database.sql("select code from proposal_event where event = 'answer_lost'")
    assert events == [("sender-died",)]
    stage.agree()


_CHILD = """
import sys
from datetime import datetime
from pathlib import Path
from uuid6 import uuid7
from gateway.config import Config
from gateway.db import Database
from gateway.flows.deliver_proposals import deliver_proposals
from gateway.house import House
from tests.bank_stage import KEYS, bank_client
dsn, address, now = sys.argv[1:]
db = Database(dsn)
house = House(config=Config(state_dir=Path('.')), db=db, audit_db=db, keys=KEYS, readers={}, clients={},
    bank=bank_client(address, answer_timeout_s=30.0, total_timeout_s=60.0), sign_receipt=str, clock=datetime.now, new_id=uuid7)
print('begins', flush=True)
deliver_proposals(house, now=datetime.fromisoformat(now))
"""


def test_sigkill_while_the_bank_is_slow(stage: Stage) -> None:
    """A real process, really killed, between the bank's act and our transaction."""
    _proposed(stage, 5)
    stage.bank.fail("slow", service="ProposeBenefit", times=5, seconds=20)
    arguments = [
        sys.executable,
        "-c",
        _CHILD,
        stage.database.app_dsn,
        stage.bank.address,
        stage.now.isoformat(),
    ]
    child = subprocess.Popen(arguments, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
    assert child.stdout is not None
    assert child.stdout.readline() == b"begins\n"
    _until(lambda: len(stage.bank.benefits()) == 5)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    stage.quiet()
    assert list(stage.proposals().values()) == ["in_force"] * 5
    assert set(stage.bank.books()["received"].values()) == {1}
    stage.agree()


def _until(true: Callable[[], bool], within_s: float = 20) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def test_an_evaluation_that_dies_leaves_the_queue(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:

    stage.ruleset()
    families = stage.families(3)
    stage.propose()
    stage.refresh()
    stage.propose()
    stage.give_points(families, 500)
    with monkeypatch.context() as patched:
        patched.setattr("gateway.outbox.insert_messages", _die)
        with pytest.raises(_Killed):
            stage.propose()
    assert stage.proposals() == {}
    stage.propose()
    assert len(stage.proposals()) == 3


def test_two_deliverers_at_once_send_each_message_once(stage: Stage) -> None:
    _proposed(stage, 60)
    start = threading.Barrier(3)

    def work() -> None:
        start.wait()
        stage.deliver()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    books = stage.bank.books()
    sent = {serial: times for serial, times in books["received"].items() if serial.startswith("P")}
    assert len(sent) == 60
    assert set(sent.values()) == {1}
    assert set(stage.proposals().values()) == {"in_force"}
    stage.agree()


def test_two_sweeps_at_once_propose_once(stage: Stage) -> None:
    stage.ruleset()
    families = stage.families(30)
    stage.propose()
    stage.refresh()
    stage.propose()
    for _ in range(4):
        stage.give_points(families, 100)
    threads = [threading.Thread(target=stage.propose, args=(1,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stage.quiet()
    assert stage.database.sql(
        "select count(*) from proposal where state = 'in_force' and discount_bp = 40"
    ) == [(30,)]
    stage.agree()


def test_the_bank_is_never_called_inside_a_transaction(stage: Stage) -> None:
    assert stage.house.bank is not None
    with stage.house.db.transaction(), pytest.raises(NeighbourCalledInTransactionError):
        stage.house.bank.query_facility("F2026112300000000000000000001", "11010519491231002X", "stage_loan")


def test_a_facility_that_cannot_be_asked_is_asked_again(stage: Stage) -> None:
    stage.ruleset()
    [family] = stage.families(1)
    stage.give_points([family], 500)
    stage.propose()
    stage.bank.fail("drop", service="QueryFacility")
    assert stage.refresh()["failed"] == 1
    assert stage.refresh() == {}
    stage.later(seconds=5)
    assert stage.refresh()["answered"] == 1
    stage.propose()
    assert len(stage.proposals()) == 1
