"""Scenarios of part 'call' about taking a confirmed freeze back (冲正), for towns that declare it."""

from __future__ import annotations

from adapters.kit.calling import POINTS_CENTI, freeze, give_back
from adapters.kit.failing import LOSSES, lost
from adapters.kit.scenario import ScenarioFailedError, expect_equal, expect_error, scenario
from adapters.kit.subject import Calling
from schemas.errors import ConflictError, NotFoundError
from schemas.ports import Reversing
from schemas.values import Serial


def _reversing(it: Calling, client: object = None) -> Reversing:
    found = client or it.client
    if not isinstance(found, Reversing):
        raise ScenarioFailedError(
            "声明能冲正却没有该操作", "declares that it reverses and has no such operation"
        )
    return found


def _confirmed(it: Calling, serial: Serial) -> None:
    freeze(it, serial)
    it.client.confirm(serial)


@scenario(
    "call-reverse",
    "确认后冲正，积分退回，重复只退一次",
    "what was confirmed and is reversed comes back, once however often it is asked",
    needs=("freeze", "reverse"),
)
def reverse(it: Calling) -> None:
    before, serial = it.client.balance(it.accounts.rich), it.serial()
    _confirmed(it, serial)
    first = _reversing(it).reverse(serial)
    expect_equal(
        (first.serial, first.state, first.points_centi),
        (serial, "reversed", POINTS_CENTI),
        "冲正的答复不对",
        "the reversal is answered wrong",
    )
    expect_equal(
        _reversing(it).reverse(serial), first, "第二次答复不同", "the second answer differs from the first"
    )
    expect_equal(it.client.find(serial), first, "冲正后查证不对", "after the reversal it is found wrong")
    expect_equal(
        it.client.balance(it.accounts.rich), before, "积分没有退回", "the points did not come back once"
    )


@scenario(
    "call-reverse-open",
    "未确认的不能冲正，没有的找不到",
    "only what was confirmed is reversed",
    needs=("freeze", "reverse"),
)
def reverse_open(it: Calling) -> None:
    serial = it.serial()
    freeze(it, serial)
    with expect_error(ConflictError, "未确认也能冲正", "what is only frozen is reversed"):
        _reversing(it).reverse(serial)
    with expect_error(NotFoundError, "没冻结过却能冲正", "what was never frozen is reversed"):
        _reversing(it).reverse(it.serial())
    give_back(it, serial)


@scenario(
    "call-lost-reverse",
    "冲正的答复丢失：结果不明，查证后可知",
    "a reversal whose answer is lost is unknown, and asking tells",
    needs=("freeze", "find", "reverse"),
)
def lost_reverse(it: Calling) -> None:
    before = it.client.balance(it.accounts.rich)
    lost(
        it,
        "reverse",
        lambda s: _confirmed(it, s),
        lambda client, s: _reversing(it, client).reverse(s),
        "reversed",
    )
    expect_equal(
        it.client.balance(it.accounts.rich),
        before,
        f"{len(LOSSES)} 次中积分对不上",
        "points are lost or doubled",
    )
