"""Bar 6: after a month with faults each town's statement agrees to the cent with redemptions, stock and the town's own books."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from openpyxl import load_workbook  # type: ignore[import-untyped]

from adapters.lijiayuan.simulator import books as town_books
from gateway.flows._restaters import list_restaters, list_sum_faults
from gateway.flows.approve_redemption import approve_redemption
from gateway.flows.close_branch_day import close_branch_day
from gateway.flows.confirm_redemption import confirm_redemption
from gateway.flows.count_stock import count_stock
from gateway.flows.explain_difference import explain_difference
from gateway.flows.hand_over_goods import hand_over_goods
from gateway.flows.inspect_month import MonthStatement, inspect_month
from gateway.flows.redeem_points import redeem_points
from gateway.flows.reverse_redemption import reverse_redemption
from gateway.flows.settle_month import settle_month
from gateway.web.statement_files import pdf_of, xlsx_of
from schemas.errors import GatewayError, InvalidError, RefusedError
from schemas.goods import CountedGood
from schemas.redemptions import Redemption
from schemas.staff import Role
from schemas.values import BEIJING, TownCode, beijing_date
from tests.conftest import TestDatabase
from tests.redemption_stage import (
    BRANCH,
    FIRST,
    OTHER_BRANCH,
    SECOND,
    Stage,
    Towns,
    build_stage,
    caller,
    running_towns,
)

#: Each test has a month of its own: the towns keep their books from test to test.
MONTHS = iter(range(202602, 202611))
FAULTS = (
    ("drop", "freeze"), ("drop", "confirm"), ("busy", "freeze"), ("refuse", "freeze"), ("busy", "confirm"),
    ("garbage", "confirm"),
)  # fmt: skip
FILL = 3  # baskets of a day at each branch that opens


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Towns]:
    with running_towns(tmp_path_factory.mktemp("towns")) as running:
        yield running


def _first(month: int) -> datetime:
    return datetime(month // 100, month % 100, 1, 9, tzinfo=BEIJING)


@pytest.fixture
def month() -> int:
    return next(MONTHS)


@pytest.fixture
def stage(
    month: int, database: TestDatabase, towns: Towns, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stage]:
    """The towns' clock is ours: their books have the days of the trade."""
    made = build_stage(database, towns, families=6)
    made.now = _first(month) - timedelta(days=1)
    monkeypatch.setattr(town_books, "_today", lambda: beijing_date(made.now).isoformat())
    database.sql("alter table stock_movement disable trigger no_change")
    database.sql("update stock_movement set moved_at = %s", [made.now])  # the delivery came before
    database.sql("alter table stock_movement enable trigger no_change")
    for number, branch_no in enumerate((BRANCH, OTHER_BRANCH), 1):
        Branch(made, branch_no, number).end_day()
    made.now = _first(month)
    yield made
    towns.heal()


class Branch:
    """Who works at a branch, and how its days go."""

    def __init__(self, stage: Stage, branch_no: str, number: int) -> None:
        self.stage, self.branch_no = stage, branch_no
        self.clerk = caller(stage.house, f"C{number}", Role.CLERK, branch_no=branch_no)
        self.supervisor = caller(stage.house, f"S{number}", Role.SUPERVISOR, branch_no=branch_no)

    def serve(self, chance: random.Random) -> Redemption:
        """One resident, one basket of one or two towns; whatever the towns answer."""
        stage = self.stage
        lines: list[tuple[str, TownCode, int]] = [
            (chance.choice(("PAN", "RICE")), chance.choice((FIRST, SECOND)), 1)
        ]
        if chance.random() < 0.3:
            lines.append(("RICE", FIRST if lines[0][1] == SECOND else SECOND, 1))
        basket = stage.basket(*lines, person=chance.randrange(len(stage.persons)))
        opened = redeem_points(stage.house, self.clerk, basket, now=stage.later(30))
        return self.finish(opened)

    def finish(self, opened: Redemption) -> Redemption:
        """As far as it goes: approved, confirmed, handed over."""
        stage = self.stage
        if opened.state == "frozen" and opened.needs_approval:  # over the limit of a year
            opened = approve_redemption(
                stage.house, self.supervisor, opened.redemption_id, now=stage.later(5)
            )
        if opened.state == "frozen":
            opened = confirm_redemption(stage.house, self.clerk, opened.redemption_id, now=stage.later(5))
        if opened.state == "confirmed":
            opened = hand_over_goods(stage.house, self.clerk, opened.redemption_id, now=stage.later(5))
        return opened

    def end_day(self, lost: int = 0) -> None:
        """Everything comes to its end, goods are counted (`lost` pieces of rice are gone), the day is signed."""
        stage = self.stage
        stage.settle()
        for redemption_id in self._confirmed():
            hand_over_goods(stage.house, self.clerk, redemption_id, now=stage.later(1))
        rows = stage.database.sql(
            "select g.code, s.good_id::text, s.on_hand_count from stock s join good g using (good_id)"
            " where branch_no = %s",
            [self.branch_no],
        )
        counted = []
        for code, good_id, book in rows:
            there = int(str(book)) - (lost if code == "RICE" else 0)
            counted.append(CountedGood(UUID(str(good_id)), int(str(book)), there, "受潮" if lost else ""))
        count_stock(stage.house, self.clerk, counted, count_id=uuid4(), now=stage.later(1))
        close_branch_day(stage.house, self.supervisor, beijing_date(stage.now), now=stage.later(1))

    def _confirmed(self) -> list[UUID]:
        rows = self.stage.database.sql(
            "select redemption_id::text from redemption where state = 'confirmed' and branch_no = %s",
            [self.branch_no],
        )
        return [UUID(str(one)) for (one,) in rows]


def _trade(stage: Stage, month: int, chance: random.Random) -> list[tuple[Branch, Redemption]]:
    """A month: two branches, faults of both towns, reversals on the day and later; what was handed over and stayed."""
    branches = [Branch(stage, BRANCH, 1), Branch(stage, OTHER_BRANCH, 2)]
    stayed: list[tuple[Branch, Redemption]] = []
    for day in range((_first(month + 1) - _first(month)).days):
        stage.now = _first(month) + timedelta(days=day)
        for branch in branches if day % 3 else branches[:1]:
            for _ in range(FILL if day % 7 == 0 else 1):
                if chance.random() < 0.35:
                    stage.towns.arm(chance.choice((FIRST, SECOND)), *chance.choice(FAULTS))
                done = branch.serve(chance)
                if done.state == "handed_over":
                    stayed.append((branch, done))
            stage.towns.heal()
            if stayed and stayed[-1][0] is branch and chance.random() < 0.3:
                _reverse(stage, *stayed.pop())
            older = [
                pair for pair in stayed if pair[0] is branch and pair[1].business_on < beijing_date(stage.now)
            ]
            if older and chance.random() < 0.2:
                stayed.remove(older[0])
                if chance.random() < 0.5:
                    stage.towns.arm(older[0][1].legs[0].town, "drop", "reverse")
                _reverse(stage, *older[0])
            branch.end_day(lost=1 if chance.random() < 0.1 else 0)
            stage.towns.heal()
    return stayed


def _reverse(stage: Stage, branch: Branch, redemption: Redemption) -> None:
    reverse_redemption(stage.house, branch.supervisor, redemption.redemption_id, now=stage.later(20))
    stage.settle()


def _cents_of_redemptions(stage: Stage, town: TownCode) -> int:
    """What redemptions themselves say: everything handed over that did not come back."""
    [(fen,)] = stage.database.sql(
        "select coalesce(sum(l.quantity_count * l.settle_fen), 0) from redemption r join redemption_line l using (redemption_id)"
        " where l.town = %s and r.state = 'handed_over'",
        [town],
    )
    return int(str(fen))


def _pieces_of_register(stage: Stage) -> dict[tuple[str, str], int]:
    rows = stage.database.sql(
        "select m.branch_no, g.code, -sum(m.on_hand_change_count) from stock_movement m join good g using (good_id)"
        " where m.kind in ('issue', 'return') group by 1, 2"
    )
    return {(str(b), str(code)): int(str(pieces)) for b, code, pieces in rows if pieces}


def _pieces_of(statements: list[MonthStatement]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for statement in statements:
        for line in statement.lines:
            key = (line.branch_no, line.code)
            net = line.given_count - line.returned_count - line.corrected_count
            found[key] = found.get(key, 0) + net
    return {key: pieces for key, pieces in found.items() if pieces}


def _centi_in_town(stage: Stage, town: TownCode) -> int:
    freezes = stage.towns.state(town)["freezes"].values()
    return sum(int(f["points_centi"]) for f in freezes if f["state"] == "confirmed")


def test_a_month_with_faults_agrees_to_the_cent(stage: Stage, month: int) -> None:
    before = {town: _centi_in_town(stage, town) for town in (FIRST, SECOND)}
    stayed = _trade(stage, month, random.Random(20261001))
    assert len(stayed) > 10
    stage.now = _first(month + 1)
    statements = []
    for town in (FIRST, SECOND):
        settled = settle_month(stage.house, town, month, by="S1", now=stage.now)
        assert (
            settle_month(stage.house, town, month, by="else", now=stage.later(5)) == settled
        )  # twice is once
        statement = inspect_month(stage.house, town, month, now=stage.now)
        statements.append(statement)
        assert settled.compared == "agrees"
        assert settled.agreed_count == settled.serial_count > 10
        assert statement.points_centi == settled.their_points_centi
        assert statement.points_centi == _centi_in_town(stage, town) - before[town]
        assert statement.amount_fen == _cents_of_redemptions(stage, town) > 0
        assert statement.count("returned_count") + statement.count("corrected_count") > 0
        sheet = load_workbook(io.BytesIO(xlsx_of(statement, "沥家园", "zh"))).worksheets[0]
        assert round(list(sheet.values)[-1][-1] * 100) == statement.amount_fen
    assert _pieces_of(statements) == _pieces_of_register(stage)
    faults = stage.database.sql("select count(*) from redemption where state in ('refused', 'released')")
    assert int(str(faults[0][0])) > 0  # the faults did happen
    with stage.house.audit_db.transaction(read_only=True) as tx:
        assert list_sum_faults(tx) == []
        months = list_restaters()["town_month_settled"]
        assert len(months.restate(tx, months.list_row_ids(tx, "", 10))) == 2
    _late_reversal_is_the_next_months(stage, month, *stayed[-1], statements)


def _late_reversal_is_the_next_months(
    stage: Stage, month: int, branch: Branch, given: Redemption, settled: list[MonthStatement]
) -> None:
    _reverse(stage, branch, given)
    branch.end_day()
    for town, before in zip((FIRST, SECOND), settled, strict=True):
        assert inspect_month(stage.house, town, month, now=stage.now).lines == before.lines
        now = inspect_month(stage.house, town, month + 1, now=stage.now)
        back_centi = sum(leg.total_centi for leg in given.legs if leg.town == town)
        assert (now.points_centi, now.count("given_count")) == (-back_centi, 0)
        with pytest.raises(InvalidError) as caught:
            settle_month(stage.house, town, month + 1, by="S1", now=stage.now)
        assert caught.value.code == "month-not-over"
        later = _first(month + 2)
        assert settle_month(stage.house, town, month + 1, by="S1", now=later).compared == "agrees"


def _one(stage: Stage) -> tuple[Branch, Redemption]:
    branch = Branch(stage, BRANCH, 1)
    basket = stage.basket(("PAN", FIRST, 1))
    return branch, branch.finish(redeem_points(stage.house, branch.clerk, basket, now=stage.later(5)))


def test_open_days_are_named_and_nothing_is_settled(stage: Stage, month: int) -> None:
    _one(stage)
    with pytest.raises(RefusedError) as caught:
        settle_month(stage.house, FIRST, month, by="S1", now=_first(month + 1))
    assert (caught.value.code, caught.value.value) == ("branch-days-open", f"{BRANCH}:{_first(month).date()}")
    assert stage.database.sql("select * from town_month") == []


def test_what_the_town_says_otherwise_is_explained_first(stage: Stage, month: int) -> None:
    branch, given = _one(stage)
    branch.end_day()
    serial = given.legs[0].serial
    stage.house.clients[FIRST].reverse(serial)  # type: ignore[attr-defined]  # behind our back
    with pytest.raises(GatewayError) as caught:
        settle_month(stage.house, FIRST, month, by="S1", now=_first(month + 1))
    assert (caught.value.code, caught.value.value) == ("month-differs", serial)
    draft = inspect_month(stage.house, FIRST, month, now=_first(month + 1))
    assert [(d.reference, d.owner) for d in draft.differences] == [(serial, "bank")]
    explain_difference(
        stage.house,
        FIRST,
        [serial],
        why="平台误退，已函告",
        by="S1",
        state="explained",
        now=_first(month + 1),
    )
    settled = settle_month(stage.house, FIRST, month, by="S1", now=_first(month + 1))
    assert (settled.compared, settled.agreed_count, settled.serial_count) == ("explained", 0, 1)
    assert settled.their_points_centi == 0  # 50 points less than ours
    [told] = inspect_month(stage.house, FIRST, month, now=_first(month + 1)).differences
    assert (told.serial, told.why, told.said_by) == (serial, "平台误退，已函告", "S1")


def test_a_freeze_only_the_town_knows_is_named(stage: Stage, month: int) -> None:
    branch, _ = _one(stage)
    branch.end_day()
    client = stage.house.clients[FIRST]
    client.freeze("NOT-OURS-1", stage.codes[0], 700, "?")
    client.confirm("NOT-OURS-1")
    with pytest.raises(GatewayError) as caught:
        settle_month(stage.house, FIRST, month, by="S1", now=_first(month + 1))
    assert (caught.value.code, caught.value.value) == ("month-differs", "NOT-OURS-1")


def test_killed_while_the_town_is_asked_nothing_is_written(stage: Stage, month: int) -> None:
    branch, _ = _one(stage)
    branch.end_day()

    class Dead:
        def day_statement(self, on: date) -> Any:
            raise KeyboardInterrupt

    dead: Any = {**stage.house.clients, FIRST: Dead()}
    with pytest.raises(KeyboardInterrupt):
        settle_month(replace(stage.house, clients=dead), FIRST, month, by="S1", now=_first(month + 1))
    assert stage.database.sql("select * from town_month") == []
    assert settle_month(stage.house, FIRST, month, by="S1", now=_first(month + 1)).compared == "agrees"


def test_the_papers_carry_the_digest_and_no_formula(stage: Stage, month: int) -> None:
    branch, _ = _one(stage)
    stage.database.sql("update good set name_zh = '=HYPERLINK(1)' where code = 'PAN'")
    branch.end_day()
    statement = inspect_month(stage.house, FIRST, month, now=_first(month + 1))
    sheet = load_workbook(io.BytesIO(xlsx_of(statement, "沥家园", "zh"))).worksheets[0]
    cells = [cell for row in sheet.values for cell in row]
    assert statement.sha256 in cells
    assert "'=HYPERLINK(1)" in cells
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    for lang in ("zh", "en"):
        paper = pdf_of(statement, "沥家园", lang)
        assert paper.startswith(b"%PDF-")
        assert b"STSong-Light" in paper
        assert paper == pdf_of(statement, "沥家园", lang)  # the same statement, the same bytes
