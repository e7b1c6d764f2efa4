"""The end of a branch's day: what hinders it, what it says, and that nothing is dated into it afterwards."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from gateway.db import Row
from gateway.flows._restaters import list_restaters, list_sum_faults
from gateway.flows.close_branch_day import close_branch_day
from gateway.flows.confirm_redemption import confirm_redemption
from gateway.flows.count_stock import count_stock
from gateway.flows.hand_over_goods import hand_over_goods
from gateway.flows.inspect_branch_day import inspect_branch_day
from gateway.flows.redeem_points import redeem_points
from gateway.flows.reverse_redemption import reverse_redemption
from gateway.flows.stock_goods import stock_goods
from schemas.errors import ConflictError, ForbiddenError, GatewayError, InvalidError, RefusedError
from schemas.goods import CountedGood, Movement
from schemas.redemptions import Redemption
from schemas.staff import Role
from schemas.values import BEIJING, beijing_date
from tests.conftest import TestDatabase
from tests.plain_town import NOW
from tests.redemption_stage import (
    BRANCH,
    FIRST,
    PANS,
    SECOND,
    Stage,
    Towns,
    build_stage,
    caller,
    running_towns,
)

TODAY = beijing_date(NOW)


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Towns]:
    with running_towns(tmp_path_factory.mktemp("towns")) as running:
        yield running


@pytest.fixture
def stage(database: TestDatabase, towns: Towns) -> Iterator[Stage]:
    made = build_stage(database, towns)
    yield made
    towns.heal()


def _given(stage: Stage, *lines: tuple[str, Any, int], at: datetime | None = None) -> Redemption:
    """Over the counter, from the basket to the hand-over."""
    now = at or stage.later(1)
    opened = redeem_points(stage.house, stage.clerk, stage.basket(*lines), now=now)
    confirm_redemption(stage.house, stage.clerk, opened.redemption_id, now=now)
    return hand_over_goods(stage.house, stage.clerk, opened.redemption_id, now=now)


def _book(stage: Stage, **found: int) -> list[CountedGood]:
    """The branch's goods as the book has them; `found` says what was there of a good instead."""
    rows = stage.database.sql(
        "select g.code, s.good_id::text, s.on_hand_count from stock s join good g using (good_id) where branch_no = %s",
        [BRANCH],
    )
    counted = []
    for code, good_id, book in rows:
        there = found.get(str(code), int(str(book)))
        counted.append(
            CountedGood(UUID(str(good_id)), int(str(book)), there, "" if there == book else "运输破损")
        )
    return counted


def _count(stage: Stage, at: datetime | None = None, **found: int) -> Row:
    return count_stock(
        stage.house, stage.clerk, _book(stage, **found), count_id=uuid4(), now=at or stage.later(1)
    )


def _close(stage: Stage, on: Any = TODAY, at: datetime | None = None) -> Row:
    return close_branch_day(stage.house, stage.supervisor, on, now=at or stage.later(1))


def _refusal(*arguments: Any, **named: Any) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        _close(*arguments, **named)
    return caught.value


def _faults(stage: Stage) -> list[str]:
    with stage.house.audit_db.transaction(read_only=True) as tx:
        return [str(fault) for fault in list_sum_faults(tx)]


def test_a_day_is_counted_signed_and_adds_up(stage: Stage) -> None:
    _given(stage, ("PAN", FIRST, 2), ("RICE", SECOND, 1))
    given_back = _given(stage, ("PAN", FIRST, 1))
    reverse_redemption(stage.house, stage.supervisor, given_back.redemption_id, now=stage.later(1))
    count = _count(stage, RICE=38)
    closed = _close(stage)
    assert (closed.branch_no, closed.accounting_on, closed.count_id) == (BRANCH, TODAY, count.count_id)
    view = inspect_branch_day(stage.house, stage.supervisor, TODAY, now=stage.now)
    assert view.closed is not None
    lines = {
        (line.town, line.code): (line.given_count, line.returned_count, line.corrected_count)
        for line in view.lines
    }
    assert lines == {(FIRST, "PAN"): (3, 1, 0), (SECOND, "RICE"): (1, 0, 0)}
    register = {row.code: row for row in view.register}
    pan = register["PAN"]
    assert (
        pan.opening_count,
        pan.received_count,
        pan.issued_count,
        pan.returned_count,
        pan.closing_count,
    ) == (
        0,
        PANS,
        3,
        1,
        PANS - 2,
    )
    assert (register["RICE"].differing_count, register["RICE"].closing_count) == (-1, 38)
    assert {(t["town"], t["amount_fen"], t["points_centi"]) for t in view.totals} == {
        (FIRST, 10_000, 10_000),
        (SECOND, 2_000, 2_000),
    }
    assert _faults(stage) == []


def test_twice_is_once(stage: Stage) -> None:
    _given(stage)
    form, key = _book(stage, PAN=48), uuid4()
    first = count_stock(stage.house, stage.clerk, form, count_id=key, now=stage.later(1))
    assert count_stock(stage.house, stage.clerk, form, count_id=key, now=stage.later(1)) == first
    with pytest.raises(ConflictError, match="another count"):
        count_stock(stage.house, stage.clerk, form[:-1], count_id=key, now=stage.later(1))
    closed = _close(stage)
    assert _close(stage) == closed
    kinds = stage.database.sql(
        "select kind, count(*) from record where kind in ('stock_counted', 'branch_day_closed') group by 1"
    )
    assert dict(kinds) == {"stock_counted": 1, "branch_day_closed": 1}


def test_a_pending_redemption_keeps_the_day_open_and_is_named(stage: Stage) -> None:
    opened = redeem_points(stage.house, stage.clerk, stage.basket(), now=stage.later(1))
    _count(stage)
    refused = _refusal(stage)
    assert (refused.code, refused.value) == ("day-pending", opened.serial)
    view = inspect_branch_day(stage.house, stage.supervisor, TODAY, now=stage.now)
    assert [row.serial for row in view.pending] == [opened.serial]
    confirm_redemption(stage.house, stage.clerk, opened.redemption_id, now=stage.now)
    assert _refusal(stage).code == "day-pending"
    hand_over_goods(stage.house, stage.clerk, opened.redemption_id, now=stage.later(1))
    refused = _refusal(stage)
    assert (refused.code, refused.value) == ("counted-too-early", "PAN")
    _count(stage)
    assert _close(stage).accounting_on == TODAY


def test_whoever_counted_does_not_sign_and_a_clerk_never(stage: Stage) -> None:
    count_stock(stage.house, stage.supervisor, _book(stage), count_id=uuid4(), now=stage.later(1))
    assert _refusal(stage).code == "own-count"
    with pytest.raises(ForbiddenError) as caught:
        close_branch_day(stage.house, stage.clerk, TODAY, now=stage.now)
    assert caught.value.code == "role-missing"
    other = caller(stage.house, "T003", Role.SUPERVISOR)
    assert close_branch_day(stage.house, other, TODAY, now=stage.now).teller_no == "T003"


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda form: form[1:], "count-incomplete"),
        (lambda form: [*form, form[0]], "count-incomplete"),
        (lambda form: [form[0]._replace(counted_count=1), *form[1:]], "count-unexplained"),
        (lambda form: [form[0]._replace(counted_count=-1, reason="没了"), *form[1:]], "count-invalid"),
        (lambda form: [form[0]._replace(book_count=form[0].book_count + 1), *form[1:]], "stock-moved"),
    ],
)
def test_a_count_that_is_none_changes_nothing(stage: Stage, spoil: Any, code: str) -> None:
    before = _book(stage)
    with pytest.raises((InvalidError, ConflictError)) as caught:
        count_stock(stage.house, stage.clerk, spoil(before), count_id=uuid4(), now=stage.later(1))
    assert caught.value.code == code
    assert _book(stage) == before
    assert stage.database.sql("select * from stock_count") == []


def test_fewer_than_are_promised_is_refused_with_what_to_do(stage: Stage) -> None:
    redeem_points(stage.house, stage.clerk, stage.basket(("PAN", FIRST, 2)), now=stage.later(1))
    with pytest.raises(RefusedError) as caught:
        _count(stage, PAN=1)
    assert caught.value.code == "out-of-stock"


def test_after_closing_the_day_takes_nothing(stage: Stage) -> None:
    given = _given(stage)
    _count(stage)
    _close(stage)
    now = stage.later(60)
    attempts: list[Callable[[], object]] = [
        lambda: redeem_points(stage.house, stage.clerk, stage.basket(), now=now),
        lambda: reverse_redemption(stage.house, stage.supervisor, given.redemption_id, now=now),
        lambda: _count(stage, now),
        lambda: stock_goods(
            stage.house, [Movement("receive", BRANCH, stage.goods["PAN"], 1, 0)], by="t", cause_id=uuid4(), now=now
        ),
    ]  # fmt: skip
    for attempt in attempts:
        with pytest.raises(RefusedError) as caught:
            attempt()
        assert caught.value.code == "branch-day-closed"
    assert _faults(stage) == []


def test_even_past_the_corridors_the_database_refuses(stage: Stage) -> None:
    _count(stage)
    _close(stage)
    from gateway import goods

    with pytest.raises(ConflictError) as caught, stage.house.db.transaction() as tx:
        goods.move_stock(
            tx, uuid4(), [Movement("receive", BRANCH, stage.goods["PAN"], 1, 0)], by="t", now=stage.now
        )
    assert caught.value.where == "branch_day_closed"


def test_a_reversal_after_the_cut_off_is_a_correcting_entry_of_the_new_day(stage: Stage) -> None:
    given = _given(stage)
    _count(stage)
    first = _close(stage)
    next_day = stage.later(24 * 3600)
    reverse_redemption(stage.house, stage.supervisor, given.redemption_id, now=next_day)
    _count(stage)
    on = TODAY + timedelta(days=1)
    _close(stage, on)
    view = inspect_branch_day(stage.house, stage.supervisor, on, now=stage.now)
    [line] = view.lines
    assert (line.given_count, line.returned_count, line.corrected_count) == (0, 0, 1)
    assert [total["amount_fen"] for total in view.totals] == [-5_000]
    again = inspect_branch_day(stage.house, stage.supervisor, TODAY, now=stage.now)
    assert again.closed == first
    assert [line.given_count for line in again.lines] == [1]
    assert _faults(stage) == []


def test_a_confirm_across_midnight_counts_on_the_day_of_the_hand_over(stage: Stage) -> None:
    midnight = datetime(2026, 11, 21, tzinfo=BEIJING)
    stage.now = midnight - timedelta(minutes=1)
    opened = redeem_points(stage.house, stage.clerk, stage.basket(), now=stage.now)
    _count(stage)
    stage.now = midnight + timedelta(minutes=1)
    confirm_redemption(stage.house, stage.clerk, opened.redemption_id, now=stage.now)
    assert _refusal(stage, TODAY).code == "day-pending"
    hand_over_goods(stage.house, stage.clerk, opened.redemption_id, now=stage.later(1))
    assert _close(stage, TODAY).accounting_on == TODAY
    assert inspect_branch_day(stage.house, stage.supervisor, TODAY, now=stage.now).lines == ()
    new_day = TODAY + timedelta(days=1)
    [line] = inspect_branch_day(stage.house, stage.supervisor, new_day, now=stage.now).lines
    assert (line.code, line.given_count) == ("PAN", 1)
    _count(stage)
    _close(stage, new_day)
    assert _faults(stage) == []


def test_days_close_in_their_order_and_not_before_they_begin(stage: Stage) -> None:
    tomorrow = TODAY + timedelta(days=1)
    assert _refusal(stage, tomorrow).code == "day-not-begun"
    _given(stage, at=NOW + timedelta(days=1))
    stage.now = NOW + timedelta(days=1)
    _count(stage)
    refused = _refusal(stage, tomorrow)
    assert (refused.code, refused.value) == ("earlier-day-open", TODAY.isoformat())
    _close(stage, TODAY)
    _close(stage, tomorrow)
    assert _refusal(stage, TODAY - timedelta(days=1)).code == "later-day-closed"


def test_nobody_counted_so_nobody_closes(stage: Stage) -> None:
    assert _refusal(stage).code == "not-counted"
    _count(stage, NOW - timedelta(days=1))
    assert _refusal(stage).code == "not-counted"


def test_a_basket_waits_while_the_day_is_being_closed(stage: Stage) -> None:
    """Whoever closes holds the branch alone: a basket that comes meanwhile is refused afterwards, never slipped in."""
    from gateway import closings

    _count(stage)
    outcome: list[str] = []

    def buy() -> None:
        try:
            redeem_points(stage.house, stage.clerk, stage.basket(), now=stage.now)
            outcome.append("redeemed")
        except RefusedError as exc:
            outcome.append(exc.code)

    with stage.house.db.transaction() as tx:
        closings.lock_branch(tx, BRANCH)
        thread = threading.Thread(target=buy)
        thread.start()
        thread.join(0.3)
        assert outcome == []
        count_id = stage.database.sql("select count_id::text from stock_count")[0][0]
        day = closings.NewDay(uuid4(), BRANCH, TODAY, UUID(str(count_id)), stage.supervisor.staff_id, "T002")
        closings.insert_day(tx, day, now=stage.now)
    thread.join(10)
    assert outcome == ["branch-day-closed"]


def test_the_records_are_said_again_from_rows(stage: Stage) -> None:
    _given(stage)
    _count(stage, PAN=49)
    _close(stage)
    restaters = list_restaters()
    with stage.house.audit_db.transaction(read_only=True) as tx:
        for kind in ("stock_counted", "branch_day_closed"):
            ids = restaters[kind].list_row_ids(tx, "", 10)
            assert len(restaters[kind].restate(tx, ids)) == 1
