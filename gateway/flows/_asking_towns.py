"""The calls to towns on behalf of a redemption, and what follows from their answers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from gateway import redemptions
from gateway.db import Transaction
from gateway.flows._redemption_moves import Actor, move, postpone
from gateway.house import House
from gateway.redemptions import LegNews, RedemptionEvent, Step, plan
from gateway.redemptions.states import ASKING
from schemas.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    OutcomeUnknownError,
    RefusedError,
    UnavailableError,
)
from schemas.ports import FreezeState, Reversing
from schemas.redemptions import Aim, Heard, Leg, Redemption, RedemptionState
from schemas.values import TownCode

log = logging.getLogger(__name__)
S, E = RedemptionState, RedemptionEvent
ABSENT_AFTER = timedelta(
    seconds=20
)  # a request may still be on its way: only then "never heard of it" is believed
ROUNDS = 4  # freeze, undo, and what a town answers meanwhile
_HEARD = {
    "frozen": Heard.FROZEN,
    "confirmed": Heard.CONFIRMED,
    "released": Heard.ENDED,
    "expired": Heard.ENDED,
    "reversed": Heard.ENDED,
}


def drive(
    house: House,
    redemption: Redemption,
    *,
    actor: Actor,
    accounts: Mapping[TownCode, str] | None = None,
    clock: Callable[[], datetime],
) -> Redemption:
    """Ask the towns what the state asks of them ‖ write what they said, until nothing is to be asked. `accounts` for a freeze."""
    for _ in range(ROUNDS):
        if redemption.state not in ASKING:
            break
        news = [_ask(house, redemption, leg, accounts or {}) for leg in redemption.legs]  # ‖
        with house.db.transaction() as tx:
            present = redemptions.lock_redemption(tx, redemption.redemption_id)
            if present.state is not redemption.state:
                return present  # somebody else took over when our lease lapsed
            redemption = conclude(house, tx, present, [n for n in news if n], actor=actor, now=clock())
            if redemption.state is present.state:
                break  # a town is away: later
    return redemption


def inquire(house: House, redemption: Redemption, *, now: datetime) -> list[LegNews]:
    """What each town knows of our serial (查证)."""
    return [_find(house, leg, now) for leg in redemption.legs]


def conclude(
    house: House, tx: Transaction, redemption: Redemption, news: list[LegNews], *, actor: Actor, now: datetime
) -> Redemption:
    """What follows from the answers: the next edge, or none when nothing new is known."""
    heard = {leg.town: leg.heard for leg in redemption.legs} | {item.town: item.heard for item in news}
    code = next((item.code for item in news if item.code), "")
    step = plan(redemption.wanted, list(heard.values()))

    def walk(event: RedemptionEvent, aim: Aim | None = None, why: str = "") -> Redemption:
        return move(house, tx, redemption, event, actor=actor, code=why or code, news=news, aim=aim, now=now)

    if redemption.state is S.UNKNOWN:
        return _settle(tx, redemption, step, heard, walk, now)
    if step is Step.ASK:
        return walk(E.ANSWER_LOST)
    if redemption.state is S.FREEZING:
        if step is Step.FROZEN:
            return walk(E.TOWN_FROZE)
        return walk(E.TOWN_REFUSED) if step is Step.REFUSE else walk(E.RELEASE_NEEDED, Aim.RELEASE)
    if redemption.state is S.CONFIRMING:
        if step is Step.CONFIRMED:
            return walk(E.TOWN_CONFIRMED)
        if step is Step.CONFIRM:  # a town was away: it is asked first when it is back
            return walk(E.ANSWER_LOST, why=code or "town-away")
        return walk(E.RELEASE_NEEDED, Aim.RELEASE)
    if step is Step.ENDED:
        return walk(E.TOWN_REVERSED if redemption.posted else E.TOWN_RELEASED)
    return postpone(tx, redemption, now=now)


def _settle(
    tx: Transaction,
    redemption: Redemption,
    step: Step,
    heard: Mapping[TownCode, Heard],
    walk: Callable[..., Redemption],
    now: datetime,
) -> Redemption:
    """The answer was lost, and the towns were asked."""
    overdue = now >= redemption.expires_at and Heard.CONFIRMED not in heard.values()
    undoing = redemption.wanted in (Aim.RELEASE, Aim.REVERSE)
    match step:
        case Step.ASK:
            return postpone(tx, redemption, now=now)
        case Step.REFUSE:
            return walk(E.FOUND_NOTHING)
        case Step.FROZEN:
            return walk(E.RELEASE_NEEDED, Aim.RELEASE, "hold-ended") if overdue else walk(E.FOUND_FROZEN)
        case Step.CONFIRM:
            return walk(E.RELEASE_NEEDED, Aim.RELEASE, "hold-ended") if overdue else walk(E.CONFIRM_SENT)
        case Step.CONFIRMED:
            return walk(E.FOUND_CONFIRMED)
        case Step.UNDO:
            return walk(E.RELEASE_NEEDED, None if undoing else Aim.RELEASE)
        case Step.ENDED:
            return walk(E.FOUND_REVERSED if redemption.posted else E.FOUND_RELEASED)


def doubt(redemption: Redemption) -> list[LegNews]:
    """Whoever was asking died: which towns may have heard something since."""
    concerned = {
        S.FREEZING: {Heard.ASKED},
        S.CONFIRMING: {Heard.FROZEN},
        S.RELEASING: {Heard.FROZEN, Heard.CONFIRMED},
    }.get(redemption.state, set())
    return [LegNews(leg.town, Heard.DOUBTFUL) for leg in redemption.legs if leg.heard in concerned]


def can_reverse(house: House, redemption: Redemption) -> bool:
    """Whether every town takes confirmed points back."""
    return all(
        leg.town in house.clients and house.readers[leg.town].capabilities.can_reverse
        for leg in redemption.legs
    )


def _ask(house: House, redemption: Redemption, leg: Leg, accounts: Mapping[TownCode, str]) -> LegNews | None:
    """One town's answer; None when there is nothing to ask of it."""
    client = house.clients.get(leg.town)
    serial = leg.serial
    call: Callable[[], FreezeState]
    if client is None:
        return LegNews(
            leg.town, leg.heard if leg.heard is not Heard.ASKED else Heard.ABSENT, code="town-not-connected"
        )
    if redemption.state is S.FREEZING and leg.heard is Heard.ASKED:
        account, reason = accounts.get(leg.town, ""), f"兑换 {redemption.serial}"
        call = lambda: client.freeze(serial, account, leg.total_centi, reason)  # noqa: E731 - one of four calls, told apart here
    elif redemption.state is S.CONFIRMING and leg.heard is Heard.FROZEN:
        call = lambda: client.confirm(serial)  # noqa: E731
    elif redemption.state is S.RELEASING and leg.heard is Heard.FROZEN:
        call = lambda: client.release(serial)  # noqa: E731
    elif redemption.state is S.RELEASING and leg.heard is Heard.CONFIRMED:
        if not isinstance(client, Reversing):
            return LegNews(leg.town, leg.heard, code="town-cannot-reverse")
        reversing = client
        call = lambda: reversing.reverse(serial)  # noqa: E731
    else:
        return None
    try:
        said = call()
    except UnavailableError as exc:  # nothing happened
        return LegNews(leg.town, Heard.ABSENT if leg.heard is Heard.ASKED else leg.heard, code=exc.code)
    except (RefusedError, NotFoundError, InvalidError, ForbiddenError) as exc:
        if leg.heard is Heard.ASKED:
            return LegNews(leg.town, Heard.ABSENT, code=exc.code)
        return LegNews(leg.town, Heard.DOUBTFUL, code=exc.code)
    except (ConflictError, OutcomeUnknownError) as exc:
        return LegNews(leg.town, Heard.DOUBTFUL, code=exc.code)
    except Exception as exc:  # whatever it is, the town may have heard: ask, never send again
        log.error("asking %s failed unexpectedly: %s, serial %s", leg.town, type(exc).__name__, serial)
        return LegNews(leg.town, Heard.DOUBTFUL, code="unexpected")
    return _news(leg, said)


def _find(house: House, leg: Leg, now: datetime) -> LegNews:
    client = house.clients.get(leg.town)
    if client is None:
        return LegNews(leg.town, Heard.DOUBTFUL, code="town-not-connected")
    try:
        said = client.find(leg.serial)
    except Exception as exc:  # an inquiry changes nothing at the town: ask again later
        code = str(getattr(exc, "code", "unexpected"))
        log.warning("an inquiry at %s had no answer", leg.town, extra={"code": code})
        return LegNews(leg.town, Heard.DOUBTFUL, code=code)
    if said is not None:
        return _news(leg, said)
    if leg.heard in (Heard.ASKED, Heard.DOUBTFUL) and now - leg.asked_at < ABSENT_AFTER:
        return LegNews(leg.town, Heard.DOUBTFUL, code="perhaps-on-its-way")
    return LegNews(leg.town, Heard.ABSENT)


def _news(leg: Leg, said: FreezeState) -> LegNews:
    if said.points_centi != leg.total_centi:
        log.error("%s speaks of other points than ours, serial %s", leg.town, leg.serial)
        return LegNews(leg.town, Heard.DOUBTFUL, said.town_reference, "points-differ")
    return LegNews(leg.town, _HEARD.get(said.state, Heard.DOUBTFUL), said.town_reference)


def lock_and_move(
    house: House,
    redemption_id: UUID,
    event: RedemptionEvent,
    *,
    states: frozenset[RedemptionState],
    actor: Actor,
    code: str,
    aim: Aim,
    now: datetime,
) -> Redemption | None:
    """Walk an edge if the redemption still stands where it did; None when it does not."""
    with house.db.transaction() as tx:
        redemption = redemptions.lock_redemption(tx, redemption_id)
        if redemption.state not in states:
            return None
        return move(house, tx, redemption, event, actor=actor, code=code, aim=aim, now=now)
