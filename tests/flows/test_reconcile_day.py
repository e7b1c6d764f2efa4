"""A day is reconciled: over TLS with the simulated town, four outcomes, and every difference until it is settled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest
from click.testing import CliRunner

from adapters.lijiayuan import create_client
from gateway import settlements
from gateway.cli import town as town_cli
from gateway.flows.explain_difference import explain_difference
from gateway.flows.list_differences import list_differences
from gateway.flows.receive_contributions import receive_contributions
from gateway.flows.reconcile_day import reconcile_day
from gateway.flows.reconcile_due import reconcile_due
from gateway.flows.register_households import register_households
from gateway.house import House
from schemas.errors import GatewayError, InvalidError, NotFoundError, UnavailableError
from schemas.ports import Reversing, StatementLine
from schemas.values import BEIJING, Serial, beijing_date
from tests.conftest import TestDatabase
from tests.contract.simulated_town import SimulatedTown, running_town
from tests.plain_town import NOW, TOWN, invented_id_no, plain_house, push

ON = date(2026, 11, 19)  # the day before NOW
NOON = datetime(2026, 11, 19, 12, 0, tzinfo=BEIJING)
ID_A, ID_B = invented_id_no(1), invented_id_no(2)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedTown]:
    with running_town(tmp_path_factory.mktemp("town")) as town:
        yield town


@pytest.fixture
def town(running: SimulatedTown) -> SimulatedTown:
    """The town with an empty statement and no fault armed."""
    assert running.calls.delete(f"{running.address}/_faults", timeout=5).ok
    assert running.calls.delete(f"{running.address}/_sent", timeout=5).ok
    return running


@pytest.fixture
def house(database: TestDatabase, town: SimulatedTown) -> House:
    made = plain_house(database, clients={TOWN: create_client(town.config)})
    families = [
        {"code": "F1", "members": [{"id_no": ID_A, "head": True}]},
        {"code": "F2", "members": [{"id_no": ID_B, "head": True}]},
    ]
    register_households(made, TOWN, "town-a", orjson.dumps(families), now=NOW)
    return made


def _item(reference: str, *, at: datetime = NOON, points: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "reference": reference,
        "code": "F1",
        "id_no": ID_A,
        "at": at.isoformat(),
        "points_centi": points * 100,
        **more,
    }


def _push(house: House, items: list[dict[str, Any]], key: str = "k1", now: datetime = NOW) -> list[str]:
    return [
        str(i.status)
        for i in receive_contributions(house, replace(push(items, key), received_at=now), now=now).items
    ]


def _listed(town: SimulatedTown, *items: dict[str, Any], **other: Any) -> None:
    """The town books these as sent."""
    sent = [
        {"taskId": i["reference"], "kind": i.get("kind", "award"), "familyCode": i["code"],
         "points": str(i["points_centi"] // 100), "finishedAt": i["at"], **other}
        for i in items
    ]  # fmt: skip
    assert town.calls.post(f"{town.address}/_sent", json=sent, timeout=5).ok


def _standing(house: House, **asked: Any) -> dict[str, tuple[str, str, str, str]]:
    return {
        r.reference: (r.outcome, r.fields, r.owner, r.state) for r in list_differences(house, TOWN, **asked)
    }


def _steps(database: TestDatabase) -> list[Any]:
    return database.sql("select reference, change_no, state from difference_change order by 1, 2")


def test_a_day_that_agrees_has_no_difference(
    house: House, town: SimulatedTown, database: TestDatabase
) -> None:
    items = [_item(f"T{n}", points=n + 1) for n in range(600)]  # more than one page
    assert set(_push(house, items)) == {"accepted"}
    _listed(town, *items)
    found = reconcile_day(house, TOWN, ON, now=NOW)
    assert found == settlements.Compared(600, 600, 0, 0, 0, 0, again=False)
    assert list_differences(house, TOWN) == []
    assert database.sql("select count(*) from record where kind = 'reconciliation'") == [(1,)]
    assert database.sql("select count(*) from statement_line") == [(0,)]


def test_an_empty_day_is_reconciled_too(house: House) -> None:
    assert reconcile_day(house, TOWN, ON, now=NOW) == settlements.Compared(0, 0, 0, 0, 0, 0, again=False)


def test_four_outcomes(house: House, town: SimulatedTown) -> None:
    same, ours, points, kind, account = (
        _item(r, points=3) for r in ("SAME", "OURS", "POINTS", "KIND", "ACCOUNT")
    )
    _push(house, [same, ours, points, kind, account])
    _listed(town, same, _item("THEIRS"))
    _listed(town, points, points="4")
    _listed(town, kind, kind="deduction")
    _listed(town, account, familyCode="F2")
    found = reconcile_day(house, TOWN, ON, now=NOW)
    assert (found.matched, found.ours_only, found.theirs_only, found.differing) == (1, 1, 1, 3)
    assert _standing(house) == {
        "OURS": ("ours_only", "", "town", "open"),
        "THEIRS": ("theirs_only", "", "town", "open"),
        "POINTS": ("differs", "points", "town", "open"),
        "KIND": ("differs", "kind", "town", "open"),
        "ACCOUNT": ("differs", "account", "gateway", "open"),
    }


def test_repeating_updates_and_never_doubles(
    house: House, town: SimulatedTown, database: TestDatabase
) -> None:
    item = _item("LATE")
    _listed(town, item)
    assert reconcile_day(house, TOWN, ON, now=NOW).theirs_only == 1
    again = reconcile_day(house, TOWN, ON, now=NOW + timedelta(minutes=1))
    assert (again.changes, again.again) == (0, True)
    assert database.sql("select count(*) from reconciliation") == [(1,)]
    _push(house, [item], now=NOW)
    assert reconcile_day(house, TOWN, ON, now=NOW + timedelta(hours=1)).changes == 1
    assert _standing(house) == {}
    assert _steps(database) == [("LATE", 1, "open"), ("LATE", 2, "closed")]
    assert list_differences(house, TOWN, settled=True)[0].why == "both sides agree"


def test_a_quarantined_item_is_the_gateways_and_a_rejected_one_explains_itself(
    house: House, town: SimulatedTown
) -> None:
    waiting, stranger = _item("WAITS", activity="unheard-of"), _item("NOBODY", id_no=invented_id_no(9))
    assert _push(house, [waiting, stranger]) == ["quarantined", "rejected"]
    _listed(town, waiting, stranger)
    reconcile_day(house, TOWN, ON, now=NOW)
    assert _standing(house) == {
        "WAITS": ("theirs_only", "", "gateway", "open"),
        "NOBODY": ("theirs_only", "", "town", "explained"),
    }
    assert {r.why for r in list_differences(house, TOWN)} == {
        "quarantined: unknown-activity",
        "rejected: no-consent",
    }


@pytest.mark.parametrize("first", ["its own day", "the day after"])
def test_midnight_makes_no_difference_that_stays(house: House, town: SimulatedTown, first: str) -> None:
    """It happened at 23:59:59, arrived on the next day, and the town books it on that next day."""
    item = _item("MIDNIGHT", at=datetime(2026, 11, 18, 23, 59, 59, tzinfo=BEIJING))
    _push(house, [item])
    _listed(town, {**item, "at": datetime(2026, 11, 19, 0, 0, 1, tzinfo=BEIJING).isoformat()})
    days = [date(2026, 11, 18), date(2026, 11, 19)]
    for on in days if first == "its own day" else reversed(days):
        reconcile_day(house, TOWN, on, now=NOW)
    assert _standing(house) == {}
    reconcile_day(house, TOWN, days[0], now=NOW)
    assert _standing(house) == {}


def test_what_came_after_the_town_was_asked_is_not_missed_in_its_answer(house: House) -> None:
    _push(house, [_item("LATER")], now=NOW + timedelta(seconds=1))
    assert reconcile_day(house, TOWN, ON, now=NOW).ours_only == 0
    assert reconcile_day(house, TOWN, ON, now=NOW + timedelta(minutes=1)).ours_only == 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("cut", "statement-cut-short"),
        ("another_day", "statement-of-another-day"),
        ("garbage", "neighbour-unreadable"),
        ("drop", "neighbour-unreachable"),
        ("busy", "neighbour-busy"),
    ],
)
def test_a_statement_that_is_not_whole_changes_nothing(
    house: House, town: SimulatedTown, database: TestDatabase, fault: str, code: str
) -> None:
    _listed(town, _item("T1"), _item("T2"))
    town.arm(fault, "statement")
    with pytest.raises(UnavailableError) as refused:
        reconcile_day(house, TOWN, ON, now=NOW)
    assert refused.value.code == code
    assert database.sql(
        "select (select count(*) from reconciliation), (select count(*) from reconciled_day)"
    ) == [(0, 0)]


@pytest.mark.parametrize("fault", ["repeat", "reorder"])
def test_order_and_repetition_do_not_matter(house: House, town: SimulatedTown, fault: str) -> None:
    items = [_item(f"T{n}") for n in range(5)]
    _push(house, items)
    _listed(town, *items)
    town.arm(fault, "statement")
    assert reconcile_day(house, TOWN, ON, now=NOW).matched == 5
    assert reconcile_day(house, TOWN, ON, now=NOW).again


class _Contradicts:
    """A client whose statement names one reference twice, differently."""

    def day_statement(self, on: date) -> Iterator[StatementLine]:
        yield StatementLine("T1", "award", "F1", 100, "posted")
        yield StatementLine("T1", "award", "F1", 200, "posted")


def test_a_statement_that_contradicts_itself_is_refused(house: House) -> None:
    clients: Any = {TOWN: _Contradicts()}
    with pytest.raises(InvalidError) as refused:
        reconcile_day(replace(house, clients=clients), TOWN, ON, now=NOW)
    assert refused.value.code == "statement-contradicts-itself"


def test_today_is_not_over(house: House) -> None:
    with pytest.raises(InvalidError) as refused:
        reconcile_day(house, TOWN, date(2026, 11, 20), now=NOW)
    assert refused.value.code == "day-not-over"


class _Killed(BaseException):
    """The process dies."""


def test_killed_after_the_town_answered_nothing_stands_and_the_next_run_is_whole(
    house: House, town: SimulatedTown, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    _listed(town, _item("T1"))

    def die(*_: Any, **__: Any) -> None:
        raise _Killed

    with monkeypatch.context() as patched:
        patched.setattr("gateway.flows.reconcile_day.settlements.lock_town", die)
        with pytest.raises(_Killed):
            reconcile_day(house, TOWN, ON, now=NOW)
    with monkeypatch.context() as patched:
        patched.setattr("gateway.flows.reconcile_day.translog.append_records", die)
        with pytest.raises(_Killed):
            reconcile_day(house, TOWN, ON, now=NOW)
    assert database.sql(
        "select (select count(*) from difference_change), (select count(*) from statement_line)"
    ) == [(0, 0)]
    assert reconcile_day(house, TOWN, ON, now=NOW).theirs_only == 1


def test_a_person_explains_and_closes_and_the_log_holds_their_word(
    house: House, town: SimulatedTown, database: TestDatabase
) -> None:
    _listed(town, _item("T1"))
    reconcile_day(house, TOWN, ON, now=NOW)
    said = {"why": "the town withdrew the task", "by": "wang"}
    assert explain_difference(house, TOWN, ["T1"], state="explained", now=NOW, **said) == ["T1"]
    assert explain_difference(house, TOWN, ["T1"], state="explained", now=NOW, **said) == []
    assert reconcile_day(house, TOWN, ON, now=NOW).changes == 0, (
        "an explained difference stays explained while it is the same"
    )
    assert explain_difference(house, TOWN, ["T1"], state="closed", now=NOW, **said) == ["T1"]
    assert database.sql("select count(*) from record where kind = 'reconciliation'") == [(3,)]
    assert reconcile_day(house, TOWN, ON, now=NOW).changes == 1, "seen again, it opens again"
    with pytest.raises(NotFoundError):
        explain_difference(house, TOWN, ["T2"], state="closed", now=NOW, **said)
    with pytest.raises(InvalidError):
        explain_difference(house, TOWN, ["T1"], state="closed", now=NOW, why=" ", by="wang")


def test_missed_days_and_late_items_are_made_up_for(
    house: House, town: SimulatedTown, database: TestDatabase
) -> None:
    early = _item("EARLY", at=NOON - timedelta(days=3))
    _push(house, [early])
    _listed(town, early)
    assert reconcile_due(house, now=NOW) == {"days": 4, "changes": 0}
    assert reconcile_due(house, now=NOW) == {}
    late = _item("LATE", at=NOON - timedelta(days=2))
    _listed(town, late)
    _push(house, [late], "k2", now=NOW + timedelta(minutes=5))
    assert reconcile_due(house, now=NOW + timedelta(hours=2)) == {"days": 1, "changes": 0}
    assert database.sql("select count(*) from difference_change") == [(0,)]
    tomorrow = NOW + timedelta(days=2)
    town.arm("busy", "statement")
    assert reconcile_due(house, now=tomorrow) == {"failed": 1}
    assert reconcile_due(house, now=tomorrow) == {"days": 2, "changes": 0}


def test_the_report_is_a_table_that_runs_no_formula(
    house: House, town: SimulatedTown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _push(house, [_item("=HYPERLINK(1)")])
    monkeypatch.setattr(town_cli, "_house", lambda: house)
    path = tmp_path / "day.csv"
    done = CliRunner().invoke(town_cli.group, ["reconcile", TOWN, "--on", ON.isoformat(), "--csv", str(path)])
    assert done.exit_code == 0, done.output
    assert "1 ours only" in done.output
    lines = path.read_text("utf-8-sig").splitlines()
    assert lines[0].startswith("town,accounting_on,line_kind,reference,outcome")
    assert lines[1].startswith(
        "lijiayuan,2026-11-19,contribution,'=HYPERLINK(1),ours_only,,award 100,,town,list-or-reverse,open"
    )


def test_no_statement_no_comparison(house: House) -> None:
    with pytest.raises(GatewayError) as refused:
        reconcile_day(replace(house, clients={}), TOWN, ON, now=NOW)
    assert refused.value.code == "neighbour-not-configured"


def _leg(database: TestDatabase, house: House, serial: str, heard: str, points: int) -> None:
    """A redemption's part at the town, as the counter leaves it."""
    database.sql(
        "insert into redemption_leg (redemption_id, town, serial, holder_id, hold_id, total_centi, heard, asked_at)"
        " select gen_random_uuid(), 'lijiayuan', %s, household_id, gen_random_uuid(), %s, %s, now()"
        " from household_code where code = 'F1'",
        (serial, points * 100, heard),
    )


def test_redemptions_meet_by_our_serial(house: House, town: SimulatedTown, database: TestDatabase) -> None:
    """The simulated town books freezes by its own clock: the day is today's, compared tomorrow."""
    now = datetime.now(UTC)
    assert town.calls.post(f"{town.address}/_accounts", json={"F1": 100_000}, timeout=5).ok
    client, serials = house.clients[TOWN], [Serial(f"R{uuid4().hex[:12]}-{n}") for n in range(7)]
    right, ended, other_state, other_points, nobody, taken_back, ours = serials
    assert isinstance(client, Reversing)
    for serial in serials[:6]:
        client.freeze(serial, "F1", 300, "tea")
    client.confirm(right)
    client.release(ended)
    client.confirm(other_state)
    client.confirm(taken_back)
    client.reverse(taken_back)
    for serial, heard, points in (
        (right, "confirmed", 3), (ended, "ended", 3), (other_state, "doubtful", 3), (other_points, "frozen", 4),
        (ours, "confirmed", 3), (taken_back, "ended", 3),
    ):  # fmt: skip
        _leg(database, house, serial, heard, points)
    day, after = beijing_date(now), datetime.now(UTC) + timedelta(days=1)
    found = reconcile_day(house, TOWN, day, now=after)
    assert (found.lines, found.matched, found.changes) == (6, 3, 4)
    assert _standing(house) == {
        other_state: ("differs", "state", "bank", "open"),
        other_points: ("differs", "points", "bank", "open"),
        nobody: ("theirs_only", "", "bank", "open"),
        ours: ("ours_only", "", "bank", "open"),
    }
    client.release(nobody)
    client.freeze(ours, "F1", 300, "tea")
    client.confirm(ours)
    database.sql("update redemption_leg set heard = 'confirmed' where serial = %s", (other_state,))
    assert reconcile_day(house, TOWN, day, now=after + timedelta(hours=1)).changes == 3
    assert set(_standing(house)) == {other_points}
