"""Goods between branches: what leaves one comes to the other or is explained; a form sent twice is booked once."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from gateway.flows._restaters import list_sum_faults
from gateway.flows.accept_goods import accept_goods
from gateway.flows.inspect_stock import inspect_stock
from gateway.flows.offer_goods import offer_goods
from gateway.flows.send_goods import send_goods
from gateway.flows.stock_goods import stock_goods
from gateway.house import House
from gateway.web.tables import stock_csv
from schemas.errors import (
    ConflictError,
    ForbiddenError,
    GatewayError,
    InvalidError,
    NotFoundError,
    RefusedError,
)
from schemas.goods import Movement, NewGood
from schemas.staff import Role
from tests.conftest import TestDatabase
from tests.plain_town import NOW, plain_house
from tests.redemption_stage import BRANCH, OTHER_BRANCH, caller


@pytest.fixture
def house(database: TestDatabase) -> House:
    made = plain_house(database)
    ids = offer_goods(
        made, [NewGood("PAN", "=炒锅", "Pan"), NewGood("RICE", "大米", "Rice")], [], by="t", now=NOW
    )
    lines = [Movement("receive", BRANCH, good_id, 10, 0, "送货单 1") for good_id in ids.values()]
    stock_goods(made, lines, by="t", cause_id=uuid4(), now=NOW)
    return made


def _goods(house: House) -> dict[str, UUID]:
    view = inspect_stock(house, caller(house, "T001", Role.CLERK), now=NOW)
    return {row.code: row.good_id for row in view.goods}


def _stock(house: House, branch_no: str) -> dict[str, int]:
    view = inspect_stock(house, caller(house, "T001", Role.CLERK, branch_no=branch_no), now=NOW)
    return {row.code: row.on_hand_count for row in view.stock}


def _faults(house: House) -> list[tuple[str, object]]:
    with house.audit_db.transaction(read_only=True) as tx:
        return list_sum_faults(tx)


def test_what_leaves_one_branch_comes_to_the_other(house: House) -> None:
    here, there = (caller(house, f"T{b}", Role.CLERK, branch_no=b) for b in (BRANCH, OTHER_BRANCH))
    goods, transfer = _goods(house), uuid4()
    counts = {goods["PAN"]: 4, goods["RICE"]: 2}
    send_goods(house, here, OTHER_BRANCH, counts, transfer_id=transfer, now=NOW)
    send_goods(house, here, OTHER_BRANCH, counts, transfer_id=transfer, now=NOW)  # twice is once
    assert (_stock(house, BRANCH), _stock(house, OTHER_BRANCH)) == ({"PAN": 6, "RICE": 8}, {})
    for who in (here, there):
        [way] = inspect_stock(house, who, now=NOW).transits
        assert [(line.code, line.sent_count) for line in way.lines] == [("PAN", 4), ("RICE", 2)]
    arrived = {goods["PAN"]: 3, goods["RICE"]: 2}
    for _ in range(2):
        accept_goods(house, there, transfer, arrived, reason="一件破损", now=NOW)
    assert _stock(house, OTHER_BRANCH) == {"PAN": 3, "RICE": 2}
    assert inspect_stock(house, here, now=NOW).transits == ()
    lost = [m for m in inspect_stock(house, there, now=NOW).movements if m.kind == "write_off"]
    assert [(m.code, m.on_hand_change_count, m.reason) for m in lost] == [("PAN", -1, "一件破损")]
    assert _faults(house) == []


def test_what_is_wrong_is_refused_and_moves_nothing(house: House) -> None:
    here, there = (caller(house, f"T{b}", Role.CLERK, branch_no=b) for b in (BRANCH, OTHER_BRANCH))
    goods, transfer = _goods(house), uuid4()
    pan = goods["PAN"]

    def refused(error: type[GatewayError], code: str, attempt: object) -> None:
        with pytest.raises(error) as caught:
            attempt()  # type: ignore[operator]
        assert caught.value.code == code

    def send(to: str, count: int) -> None:
        send_goods(house, here, to, {pan: count}, transfer_id=transfer, now=NOW)

    refused(InvalidError, "branch-invalid", lambda: send(BRANCH, 1))
    refused(InvalidError, "branch-invalid", lambda: send("x", 1))
    refused(InvalidError, "movement-invalid", lambda: send(OTHER_BRANCH, -1))
    refused(RefusedError, "out-of-stock", lambda: send(OTHER_BRANCH, 11))
    send(OTHER_BRANCH, 2)
    refused(ConflictError, "transfer-key-reused", lambda: send(OTHER_BRANCH, 3))

    def accept(who: object, count: int, reason: str = "", which: UUID = transfer) -> None:
        accept_goods(house, who, which, {pan: count}, reason=reason, now=NOW)

    refused(ForbiddenError, "other-branch", lambda: accept(here, 2))
    refused(InvalidError, "transfer-incomplete", lambda: accept(there, 3))
    refused(InvalidError, "count-unexplained", lambda: accept(there, 1))
    refused(NotFoundError, "not-found", lambda: accept(there, 1, "?", uuid4()))
    assert (_stock(house, BRANCH), _stock(house, OTHER_BRANCH)) == ({"PAN": 8, "RICE": 10}, {})
    accept(there, 2)
    assert _stock(house, OTHER_BRANCH) == {"PAN": 2}


def test_the_table_runs_nothing(house: House) -> None:
    text = stock_csv(inspect_stock(house, caller(house, "T001", Role.CLERK), now=NOW).stock).decode(
        "utf-8-sig"
    )
    assert f"{BRANCH},PAN,'=炒锅,Pan,10,0,0" in text.splitlines()
