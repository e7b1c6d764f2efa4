"""Scenarios of part 'call' in which something fails: each failure has one meaning, and none moves a point twice."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from adapters.kit.calling import EMPTY_DAY, POINTS_CENTI, REASON, freeze, give_back
from adapters.kit.scenario import ScenarioFailedError, expect, expect_equal, expect_error, scenario
from adapters.kit.subject import Calling
from schemas.boundary import NeighbourCalledInTransactionError, transaction_open
from schemas.errors import (
    ConflictError,
    GatewayError,
    NotFoundError,
    OutcomeUnknownError,
    RefusedError,
    UnavailableError,
)
from schemas.ports import FreezeState, TownClient
from schemas.values import Serial

NOBODY_LISTENS = "https://127.0.0.1:9"  # discard: nothing stands there
LOSSES = ("drop", "slow", "garbage")
ATTEMPTS, ASK_AGAIN_AFTER_S = 10, 0.3


@scenario(
    "call-conflict",
    "同一流水号、内容不同，是冲突",
    "the same serial with other content is a conflict",
    needs=("freeze",),
)
def conflict(it: Calling) -> None:
    before, serial = it.client.balance(it.accounts.rich), it.serial()
    freeze(it, serial)
    with expect_error(ConflictError, "内容不同却未报冲突", "other content is no conflict"):
        freeze(it, serial, 2 * POINTS_CENTI)
    expect_equal(
        it.client.balance(it.accounts.rich),
        before - POINTS_CENTI,
        "冲突仍然改变了余额",
        "a conflict moved points",
    )
    give_back(it, serial)


@scenario("call-not-enough", "积分不足被拒绝", "too few points are a refusal", needs=("freeze",))
def not_enough(it: Calling) -> None:
    with expect_error(RefusedError, "积分不足未被拒绝", "too few points are not refused"):
        it.client.freeze(it.serial(), it.accounts.empty, POINTS_CENTI, REASON)


@scenario(
    "call-unknown-account", "没有的账户就是找不到", "an account nobody has is not found", needs=("freeze",)
)
def unknown_account(it: Calling) -> None:
    with expect_error(NotFoundError, "冻结不存在的账户", "freezing for nobody"):
        it.client.freeze(it.serial(), it.accounts.unknown, POINTS_CENTI, REASON)


@scenario(
    "call-unknown-serial",
    "没有冻结过的不能确认也不能解冻",
    "what was never frozen can be neither confirmed nor released",
    needs=("freeze",),
)
def unknown_serial(it: Calling) -> None:
    for act in (it.client.confirm, it.client.release):
        with expect_error(NotFoundError, "没冻结过却能继续", "what was never frozen goes on"):
            act(it.serial())


@scenario(
    "call-ended",
    "确认后不能解冻，解冻后不能确认",
    "what is confirmed cannot be released, nor the other way",
    needs=("freeze",),
)
def ended(it: Calling) -> None:
    confirmed, released = it.serial(), it.serial()
    freeze(it, confirmed)
    it.client.confirm(confirmed)
    freeze(it, released)
    it.client.release(released)
    before = it.client.balance(it.accounts.rich)
    with expect_error(ConflictError, "确认后仍能解冻", "what is confirmed is released"):
        it.client.release(confirmed)
    with expect_error(ConflictError, "解冻后仍能确认", "what is released is confirmed"):
        it.client.confirm(released)
    expect_equal(it.client.balance(it.accounts.rich), before, "余额变了", "points moved")


def _ready(it: Calling, loss: str) -> TownClient:
    """The client to lose an answer of: a hasty one where the answer comes late. It has its token, so that the next message is
    the one that is meant."""
    client = it.hasty if loss == "slow" and it.hasty is not None else it.client
    for attempt in range(ATTEMPTS):
        try:
            client.balance(it.accounts.rich)
        except UnavailableError:
            if attempt == ATTEMPTS - 1:
                raise
        else:
            break
    return client


def _asked(it: Calling, serial: Serial) -> str | None:
    """What became of a serial. A town that answers late may act late too: it is asked again for a while."""
    for _ in range(ATTEMPTS):
        found = it.client.find(serial)
        if found is not None:
            return found.state
        time.sleep(ASK_AGAIN_AFTER_S)
    return None


def lost(
    it: Calling,
    action: str,
    prepare: Callable[[Serial], Any],
    act: Callable[[TownClient, Serial], FreezeState],
    state: str,
) -> None:
    """Each way of losing an answer after the town acted: unknown, found by asking, and the same again is once."""
    for loss in LOSSES:
        serial = it.serial()
        prepare(serial)
        client = _ready(it, loss)
        it.faults.arm(loss, action)
        with expect_error(
            OutcomeUnknownError, f"答复丢失（{loss}）未报结果不明", f"a lost answer ({loss}) is not unknown"
        ):
            act(client, serial)
        it.faults.calm()
        seen = _asked(it, serial)
        expect_equal(
            seen,
            state,
            f"答复丢失（{loss}）后查证不到",
            f"after a lost answer ({loss}) asking does not tell",
        )
        again = act(it.client, serial)
        expect_equal(
            again.state, state, "查证后再送答复不同", "sent again after asking, it is answered differently"
        )
        if state == "frozen":
            give_back(it, serial)


@scenario(
    "call-lost-freeze",
    "冻结的答复丢失：结果不明，查证后可知",
    "a freeze whose answer is lost is unknown, and asking tells",
    needs=("freeze", "find"),
)
def lost_freeze(it: Calling) -> None:
    before = it.client.balance(it.accounts.rich)
    lost(
        it,
        "freeze",
        lambda _: None,
        lambda client, serial: client.freeze(serial, it.accounts.rich, POINTS_CENTI, REASON),
        "frozen",
    )
    expect_equal(it.client.balance(it.accounts.rich), before, "积分对不上", "points are lost or doubled")


@scenario(
    "call-lost-confirm",
    "确认的答复丢失：结果不明，查证后可知",
    "a confirmation whose answer is lost is unknown, and asking tells",
    needs=("freeze", "find"),
)
def lost_confirm(it: Calling) -> None:
    before = it.client.balance(it.accounts.rich)
    lost(it, "confirm", lambda serial: freeze(it, serial), lambda client, s: client.confirm(s), "confirmed")
    spent = before - len(LOSSES) * POINTS_CENTI
    expect_equal(it.client.balance(it.accounts.rich), spent, "积分对不上", "points are lost or doubled")


@scenario(
    "call-lost-release",
    "解冻的答复丢失：结果不明，查证后可知",
    "a release whose answer is lost is unknown, and asking tells",
    needs=("freeze", "find"),
)
def lost_release(it: Calling) -> None:
    before = it.client.balance(it.accounts.rich)
    lost(it, "release", lambda serial: freeze(it, serial), lambda client, s: client.release(s), "released")
    expect_equal(it.client.balance(it.accounts.rich), before, "积分对不上", "points are lost or doubled")


@scenario(
    "call-lost-question", "查询没有答复等于什么都没发生", "a question without an answer changed nothing"
)
def lost_question(it: Calling) -> None:
    for loss in LOSSES:
        client = _ready(it, loss)
        it.faults.arm(loss, "balance")
        with expect_error(
            UnavailableError,
            f"查询无答复（{loss}）未报不可用",
            f"a question without answer ({loss}) is not unavailable",
        ):
            client.balance(it.accounts.rich)
        it.faults.calm()


@scenario(
    "call-busy",
    "对方忙：什么都没发生，稍后再送",
    "a busy town did nothing, and says when to come again",
    needs=("freeze", "find"),
    simulator_only=True,
)
def busy(it: Calling) -> None:
    serial = it.serial()
    it.faults.arm("busy", "freeze")
    with expect_error(UnavailableError, "忙未报不可用", "busy is not unavailable"):
        freeze(it, serial)
    expect_equal(it.client.find(serial), None, "忙时仍然冻结了", "a busy town acted")
    expect_equal(freeze(it, serial).state, "frozen", "再送不成功", "sent again it does not freeze")
    give_back(it, serial)


@scenario(
    "call-refused",
    "对方按规则拒绝：不再重送",
    "a refusal by rule is a refusal",
    needs=("freeze",),
    simulator_only=True,
)
def refused(it: Calling) -> None:
    it.faults.arm("refuse", "freeze")
    with expect_error(RefusedError, "拒绝未报拒绝", "a refusal is not refused"):
        freeze(it, it.serial())


@scenario("call-nobody-listens", "连不上：什么都没发生", "where nobody listens nothing happened")
def nobody_listens(it: Calling) -> None:
    away = it.create(dataclasses.replace(it.config, address=NOBODY_LISTENS))
    with expect_error(UnavailableError, "连不上未报不可用", "no connection is not unavailable"):
        away.balance(it.accounts.rich)
    if it.capabilities.can_freeze:
        with expect_error(UnavailableError, "连不上却结果不明", "no connection leaves a freeze unknown"):
            away.freeze(it.serial(), it.accounts.rich, POINTS_CENTI, REASON)


@scenario(
    "call-foreign-certificate",
    "证书不是信任的机构签发，就不通话",
    "a certificate of another authority is not talked to",
)
def foreign_certificate(it: Calling) -> None:
    doubtful = it.create(dataclasses.replace(it.config, ca_file=Path(it.strange_ca)))
    with expect_error(UnavailableError, "不信任的证书仍被接受", "an untrusted certificate is talked to"):
        doubtful.balance(it.accounts.rich)


@scenario("call-stranger", "凭证不对的调用方被拒之门外", "a caller with wrong credentials is turned away")
def stranger(it: Calling) -> None:
    expect(bool(it.town.stranger), "没有说明怎样冒充", "the town does not say what a stranger is")
    changes = it.town.stranger(it.config) if callable(it.town.stranger) else it.town.stranger
    unknown = it.create(dataclasses.replace(it.config, **changes))
    try:
        unknown.balance(it.accounts.rich)
    except (UnavailableError, RefusedError) as exc:
        expect(bool(exc.code), "没有代码", "no code")
    except GatewayError as exc:
        raise ScenarioFailedError(
            "冒充者得到别的答复",
            "a stranger is told something else",
            wanted="UnavailableError or RefusedError",
            seen=type(exc).__name__,
        ) from exc
    else:
        raise ScenarioFailedError(
            "冒充者得到余额", "a stranger is told a balance", wanted="an error", seen="a balance"
        )


@scenario("call-in-transaction", "数据库事务里不许调用对方", "no call leaves inside a transaction")
def in_transaction(it: Calling) -> None:
    serial = it.serial()
    calls: list[Callable[[], Any]] = [lambda: it.client.balance(it.accounts.rich)]
    if it.capabilities.can_freeze:
        calls += [
            lambda: freeze(it, serial),
            lambda: it.client.confirm(serial),
            lambda: it.client.release(serial),
        ]
    if it.capabilities.can_find:
        calls.append(lambda: it.client.find(serial))
    if it.capabilities.day_statement:
        calls.append(lambda: list(it.client.day_statement(EMPTY_DAY)))
    for call in calls:
        with transaction_open():
            try:
                call()
            except NeighbourCalledInTransactionError:
                continue
        raise ScenarioFailedError(
            "事务里调用了对方", "a call left inside a transaction", wanted="refused", seen="called"
        )


@scenario(
    "call-not-offered",
    "声明没有的能力，不发出任何消息就拒绝",
    "what is declared lacking is refused before anything is sent",
    needs=("no-freeze",),
)
def not_offered(it: Calling) -> None:
    serial = it.serial()
    away = it.create(
        dataclasses.replace(it.config, address=NOBODY_LISTENS)
    )  # whatever is sent fails otherwise
    acts: list[Callable[[], Any]] = [
        lambda: away.freeze(serial, it.accounts.rich, POINTS_CENTI, REASON),
        lambda: away.confirm(serial),
        lambda: away.release(serial),
    ]
    for act in acts:
        with expect_error(
            RefusedError, "没有的能力未被拒绝", "what is not offered is not refused", code="not-offered"
        ):
            act()
