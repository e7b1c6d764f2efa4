"""Goods for points: the basket is written, stock and points set aside ‖ the towns freeze ‖ what they said is written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from gateway import goods, ledger, redemptions, staff
from gateway.db import Transaction
from gateway.flows._asking_towns import drive
from gateway.flows._basket import Priced, TownAccount, list_consented, list_town_accounts, price_basket
from gateway.flows._open_day import require_open_day
from gateway.flows._proposal_moves import serial_of
from gateway.flows._redemption_moves import actor_of, get_known, move, movements_of, ticking
from gateway.house import House
from gateway.ledger import NewHold
from gateway.redemptions import NewLeg, NewRedemption, RedemptionEvent
from gateway.translog import append_records
from schemas.canonical import canonical_sha256
from schemas.errors import ConflictError, InvalidError, RefusedError
from schemas.redemptions import Basket, Redemption
from schemas.staff import StaffCaller
from schemas.values import Serial, TownCode, beijing_date

PROXY_SEEN_WITHIN = timedelta(hours=1)


def redeem_points(house: House, caller: StaffCaller, basket: Basket, *, now: datetime) -> Redemption:
    """Freeze a basket: points at every town, goods here. The redemption as it stands: frozen, refused, unknown, or being undone.

    The same basket under the same key is one redemption; another basket under it is a ConflictError. Nothing is written
    for a basket that cannot be (RefusedError: no consent, no account, not offered, out of stock). Killed while a town is
    asked: the lease lapses and `settle_redemptions` asks the town what it heard.
    """
    content = _digest(basket)
    try:
        with house.db.transaction() as tx:
            redemption, accounts = _open(house, tx, caller, basket, content, now=now)
    except ConflictError as exc:
        raise _told_apart(exc) from exc
    if accounts is None:  # opened before under this key
        return redemption
    calls = {town: found.account for town, found in accounts.items()}
    return drive(house, redemption, actor=actor_of(caller), accounts=calls, clock=ticking(now))  # ‖


def _open(
    house: House, tx: Transaction, caller: StaffCaller, basket: Basket, content: str, *, now: datetime
) -> tuple[Redemption, Mapping[TownCode, TownAccount] | None]:
    redemptions.lock_person(tx, basket.person_id)
    before = redemptions.find_by_key(tx, caller.staff_id, basket.idempotency_key)
    if before is not None:
        if before.content_sha256 != content:
            raise ConflictError("this page was used for another basket", code="idempotency-key-reused")
        return get_known(tx, before.redemption_id), None
    require_open_day(tx, caller.branch_no, now)
    on = beijing_date(now)
    _check_proxy(tx, caller, basket, now=now)
    consented = list_consented(tx, basket.person_id)
    accounts = list_town_accounts(house, tx, basket.person_id, on, consented)
    towns = sorted({line.town for line in basket.lines})
    _check_towns(house, consented, towns, accounts)
    priced = price_basket(tx, caller.branch_no, basket.person_id, basket.lines, basket.shown_centi, on)
    redemption = _write(house, tx, caller, basket, content, priced, accounts, now=now)
    return redemption, {town: accounts[town] for town in towns}


def _check_proxy(tx: Transaction, caller: StaffCaller, basket: Basket, *, now: datetime) -> None:
    """Whoever acts for a resident is another person we know, and a proof of it was seen."""
    if (basket.proxy_person_id is None) != (basket.proxy_proof is None):
        raise InvalidError(
            "a proxy and the proof that was seen belong together",
            code="proxy-incomplete",
            where="proxy_proof",
        )
    if basket.proxy_person_id is None:
        return
    if basket.proxy_person_id == basket.person_id:
        raise InvalidError("nobody acts for themselves", code="proxy-is-resident", where="proxy_person_id")
    if not staff.has_looked(tx, caller, basket.proxy_person_id, now - PROXY_SEEN_WITHIN):
        raise RefusedError(
            "the proxy's id card was not read at this desk", code="proxy-not-identified", where="proxy_person_id",
            remedy="read the proxy's id card on the resident's page",
        )  # fmt: skip


def _check_towns(
    house: House, consented: set[TownCode], towns: list[TownCode], accounts: Mapping[TownCode, TownAccount]
) -> None:
    for town in towns:
        if town not in house.clients:
            raise RefusedError("the town is not connected", code="town-not-connected", where=town)
        if not house.readers[town].capabilities.can_freeze:
            raise RefusedError(
                "the town's platform cannot set points aside", code="town-cannot-freeze", where=town
            )
        if town not in consented:
            raise RefusedError(
                "the resident has not agreed to use this town's points for goods",
                code="no-consent",
                where=town,
            )
        if town not in accounts:
            raise RefusedError("the resident has no account in this town", code="no-account", where=town)


def _write(
    house: House,
    tx: Transaction,
    caller: StaffCaller,
    basket: Basket,
    content: str,
    priced: Priced,
    accounts: Mapping[TownCode, TownAccount],
    *,
    now: datetime,
) -> Redemption:
    on, redemption_id = beijing_date(now), house.new_id()
    expires_at = now + timedelta(seconds=house.config.desk_hold_s)
    needs_approval = priced.value_fen >= house.config.desk_approval_fen or bool(priced.over_limit)
    new = NewRedemption(
        redemption_id,
        f"D{on:%Y%m%d}{redemption_id.hex[-10:].upper()}",
        caller.branch_no,
        caller.teller_no,
        caller.staff_id,
        basket.idempotency_key,
        content,
        basket.person_id,
        basket.proxy_person_id,
        basket.proxy_proof or "",
        on,
        needs_approval,
        expires_at,
    )
    legs = []
    for town, total_centi in sorted(priced.total_centi.items()):
        leg_id = house.new_id()
        serial = Serial(serial_of("F", on, leg_id))
        legs.append(NewLeg(town, serial, accounts[town].holder_id, house.new_id(), total_centi))
    redemption = redemptions.insert_redemption(tx, new, priced.lines, legs, now=now)
    ledger.open_holds(
        tx,
        [NewHold(leg.hold_id, leg.town, leg.holder_id, leg.total_centi, expires_at) for leg in legs],
        now=now,
    )
    held = movements_of(redemption, "hold")
    drafts = goods.move_stock(tx, redemption_id, held, by=caller.teller_no, now=now)
    append_records(tx, drafts, now=now, new_id=house.new_id)
    code = "over-limit" if priced.over_limit else ""
    return move(
        house, tx, redemption, RedemptionEvent.FREEZE_SENT, actor=actor_of(caller), code=code, now=now
    )


def _digest(basket: Basket) -> str:
    if not 16 <= len(basket.idempotency_key) <= 64:
        raise InvalidError("a basket carries a key of its own", code="idempotency-key-invalid", where="key")
    lines = [[str(line.good_id), line.town, line.quantity_count] for line in basket.lines]
    proof = [str(basket.proxy_proof)] if basket.proxy_proof else []
    parts = [basket.person_id, basket.proxy_person_id, lines, dict(basket.shown_centi), *proof]
    return canonical_sha256(parts).hex()


def _told_apart(exc: ConflictError) -> ConflictError | RefusedError:
    """PostgreSQL's refusals in the words of the counter."""
    if exc.where in ("held_is_there", "stock_not_negative"):
        return RefusedError("another branch desk took the last one", code="out-of-stock", where="stock")
    return exc
