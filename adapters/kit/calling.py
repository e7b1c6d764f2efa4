"""Scenarios of part 'call': our client against the town's platform. Each failure has one meaning, and no repeat acts twice."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

from adapters.kit.scenario import ScenarioFailedError, expect, expect_equal, expect_error, scenario
from adapters.kit.subject import Calling
from schemas.errors import (
    GatewayError,
    InvalidError,
    NotFoundError,
    RefusedError,
)
from schemas.ports import FreezeState
from schemas.values import Serial, beijing_date

POINTS_CENTI = 100  # one point: a vendor's test account is not emptied
EMPTY_DAY = date(2020, 1, 1)
REASON = "kit"


def freeze(it: Calling, serial: Serial, points_centi: int = POINTS_CENTI) -> FreezeState:
    """Freeze points of the account that has some."""
    return it.client.freeze(serial, it.accounts.rich, points_centi, REASON)


def give_back(it: Calling, *serials: Serial) -> None:
    """Leave a vendor's account as it was."""
    for serial in serials:
        try:
            it.client.release(serial)
        except GatewayError:
            continue


@scenario(
    "call-freeze-confirm",
    "冻结、确认，余额随之变化",
    "points are frozen and confirmed, and the balance follows",
    needs=("freeze",),
)
def freeze_confirm(it: Calling) -> None:
    before, serial = it.client.balance(it.accounts.rich), it.serial()
    frozen = freeze(it, serial)
    expect_equal(
        (frozen.serial, frozen.state, frozen.points_centi),
        (serial, "frozen", POINTS_CENTI),
        "冻结的答复不对",
        "the freeze is answered wrong",
    )
    expect_equal(
        it.client.balance(it.accounts.rich),
        before - POINTS_CENTI,
        "冻结后余额不对",
        "the balance after freezing is wrong",
    )
    expect_equal(
        it.client.confirm(serial).state, "confirmed", "确认的答复不对", "the confirmation is answered wrong"
    )
    expect_equal(
        it.client.balance(it.accounts.rich),
        before - POINTS_CENTI,
        "确认后余额不对",
        "the balance after confirming is wrong",
    )


@scenario(
    "call-freeze-release", "冻结后解冻，积分退回", "points that are released come back", needs=("freeze",)
)
def freeze_release(it: Calling) -> None:
    before, serial = it.client.balance(it.accounts.rich), it.serial()
    freeze(it, serial)
    expect_equal(
        it.client.release(serial).state, "released", "解冻的答复不对", "the release is answered wrong"
    )
    expect_equal(it.client.balance(it.accounts.rich), before, "积分没有退回", "the points did not come back")


@scenario(
    "call-find",
    "按流水号查证，没有的就是没有",
    "what happened under a serial is found, and what never happened is not",
    needs=("freeze", "find"),
)
def find(it: Calling) -> None:
    serial = it.serial()
    expect_equal(it.client.find(serial), None, "没送过的流水号被找到", "a serial never sent is found")
    frozen = freeze(it, serial)
    expect_equal(it.client.find(serial), frozen, "查到的与答复不同", "what is found differs from the answer")
    released = it.client.release(serial)
    expect_equal(it.client.find(serial), released, "解冻后查证不对", "after the release it is found wrong")


@scenario(
    "call-freeze-twice",
    "同一流水号冻结两次只冻一次",
    "freezing twice under one serial freezes once",
    needs=("freeze",),
)
def freeze_twice(it: Calling) -> None:
    before, serial = it.client.balance(it.accounts.rich), it.serial()
    first = freeze(it, serial)
    expect_equal(freeze(it, serial), first, "第二次答复不同", "the second answer differs from the first")
    expect_equal(
        it.client.balance(it.accounts.rich), before - POINTS_CENTI, "冻了两次", "the points were frozen twice"
    )
    give_back(it, serial)


@scenario("call-confirm-twice", "确认两次只扣一次", "confirming twice spends once", needs=("freeze",))
def confirm_twice(it: Calling) -> None:
    before, serial = it.client.balance(it.accounts.rich), it.serial()
    freeze(it, serial)
    first = it.client.confirm(serial)
    expect_equal(
        it.client.confirm(serial), first, "第二次答复不同", "the second answer differs from the first"
    )
    expect_equal(
        it.client.balance(it.accounts.rich), before - POINTS_CENTI, "扣了两次", "the points were spent twice"
    )


@scenario("call-release-twice", "解冻两次只退一次", "releasing twice gives back once", needs=("freeze",))
def release_twice(it: Calling) -> None:
    before, serial = it.client.balance(it.accounts.rich), it.serial()
    freeze(it, serial)
    first = it.client.release(serial)
    expect_equal(
        it.client.release(serial), first, "第二次答复不同", "the second answer differs from the first"
    )
    expect_equal(it.client.balance(it.accounts.rich), before, "退了两次", "the points came back twice")


@scenario(
    "call-ask-twice",
    "查询两次结果相同，不改变任何东西",
    "asking twice changes nothing",
    needs=("freeze", "find"),
)
def ask_twice(it: Calling) -> None:
    serial = it.serial()
    freeze(it, serial)
    expect_equal(it.client.find(serial), it.client.find(serial), "两次查证不同", "finding twice differs")
    first = it.client.balance(it.accounts.rich)
    expect_equal(it.client.balance(it.accounts.rich), first, "两次余额不同", "two balances differ")
    give_back(it, serial)


@scenario(
    "call-balance", "余额可查，没有的账户找不到", "a balance is told, and an account nobody has is not found"
)
def balance(it: Calling) -> None:
    rich, empty = it.client.balance(it.accounts.rich), it.client.balance(it.accounts.empty)
    expect(
        rich >= 20 * POINTS_CENTI,
        "测试账户积分太少（至少 20 分）",
        "the test account needs 20 points at least",
        wanted=2000,
        seen=rich,
    )
    expect(empty == 0, "空账户有积分", "the empty account is not empty", wanted=0, seen=empty)
    with expect_error(NotFoundError, "不存在的账户有余额", "nobody has a balance"):
        it.client.balance(it.accounts.unknown)


def _day(it: Calling, on: date) -> list[tuple[str, str, str, int]]:
    lines = it.client.day_statement(on)
    return [(line.reference, line.kind, line.state, line.points_centi) for line in lines]


@scenario(
    "call-statement",
    "日对账单列出当天每一笔，再取相同，空日为空",
    "the day statement lists each movement of ours, twice the same; an empty day is empty",
    needs=("freeze", "statement"),
)
def statement(it: Calling) -> None:
    confirmed, released = it.serial(), it.serial()
    freeze(it, confirmed)
    it.client.confirm(confirmed)
    freeze(it, released)
    it.client.release(released)
    today = beijing_date(datetime.now(UTC))
    lines = _day(it, today)
    for serial, state in ((confirmed, "confirmed"), (released, "released")):
        mine = [line for line in lines if line[0] == serial]
        wanted = [(serial, "redemption", state, POINTS_CENTI)]
        expect_equal(mine, wanted, "对账单里这一笔不对", "the statement tells this one wrong")
    expect_equal(Counter(_day(it, today)), Counter(lines), "再取一次不同", "fetched again it differs")
    ours = [line for line in _day(it, EMPTY_DAY) if line[0].startswith(f"K{it.run_id}")]
    expect_equal(ours, [], "空日有我方流水", "an empty day has movements of ours")


@scenario(
    "call-statement-empty",
    "空日的对账单为空，再取相同",
    "the statement of an empty day is empty, and the same again",
    needs=("statement",),
)
def statement_empty(it: Calling) -> None:
    first, again = _day(it, EMPTY_DAY), _day(it, EMPTY_DAY)
    expect_equal(again, first, "再取一次不同", "fetched again it differs")
    mine = [line for line in first if line[0].startswith(f"K{it.run_id}")]
    expect_equal(mine, [], "空日有我方流水", "an empty day has movements of ours")


@scenario(
    "call-statement-disorder",
    "对账单行重复或乱序也能读",
    "a statement with repeated or disordered lines is read",
    needs=("freeze", "statement"),
    simulator_only=True,
)
def statement_disorder(it: Calling) -> None:
    serials = [it.serial() for _ in range(3)]
    for serial in serials:
        freeze(it, serial)
    today = beijing_date(datetime.now(UTC))
    for fault in ("repeat", "reorder"):
        it.faults.arm(fault, "statement")
        seen = {line[0] for line in _day(it, today)}
        expect(set(serials) <= seen, f"对账单{fault}时漏了行", f"with {fault} lines were lost")
        it.faults.calm()
    give_back(it, *serials)


@scenario(
    "call-many-at-once",
    "八个线程同时冻结，一分不多一分不少",
    "eight threads freezing at once move exactly their points",
    needs=("freeze", "find"),
)
def many_at_once(it: Calling) -> None:
    before, same = it.client.balance(it.accounts.rich), it.serial()
    serials = [it.serial() for _ in range(6)] + [same] * 2
    with ThreadPoolExecutor(8) as pool:
        states = list(pool.map(lambda serial: freeze(it, serial).state, serials))
    expect_equal(states, ["frozen"] * 8, "并发冻结失败", "freezing at once failed")
    expect_equal(
        it.client.balance(it.accounts.rich),
        before - 7 * POINTS_CENTI,
        "并发后余额不对",
        "the balance afterwards is wrong",
    )
    give_back(it, *set(serials))
    expect_equal(
        it.client.balance(it.accounts.rich), before, "解冻后余额不对", "the balance after releasing is wrong"
    )


@scenario(
    "call-half-points", "半分也能冻结", "half a point is frozen exactly", needs=("freeze", "half-points")
)
def half_points(it: Calling) -> None:
    before, serial = it.client.balance(it.accounts.rich), it.serial()
    expect_equal(freeze(it, serial, 250).points_centi, 250, "冻结的分数不对", "the frozen points are wrong")
    expect_equal(it.client.balance(it.accounts.rich), before - 250, "余额不对", "the balance is wrong")
    give_back(it, serial)


@scenario(
    "call-whole-points",
    "不收小数的镇，半分在送出前就被拒绝",
    "a town without half points is never sent half a point",
    needs=("freeze", "whole-points"),
)
def whole_points(it: Calling) -> None:
    try:
        freeze(it, it.serial(), 250)
    except (RefusedError, InvalidError):
        return
    raise ScenarioFailedError("半分被送出", "half a point was sent", wanted="refused", seen="frozen")
