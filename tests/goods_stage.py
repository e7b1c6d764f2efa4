"""Goods over the counter, against a simulated town: for tests whose subject is what comes after."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from uuid6 import uuid7

from gateway import goods
from gateway.flows.confirm_redemption import confirm_redemption
from gateway.flows.hand_over_goods import hand_over_goods
from gateway.flows.inspect_resident import inspect_resident
from gateway.flows.offer_goods import offer_goods
from gateway.flows.redeem_points import redeem_points
from gateway.flows.stock_goods import stock_goods
from gateway.house import House
from schemas import goods as good_words
from schemas.goods import Movement, NewGood, NewPrice
from schemas.redemptions import Basket, LookReason, ProxyProof
from schemas.staff import Role, StaffCaller
from tests.contract.simulated_town import SimulatedTown
from tests.plain_town import NOW, TOWN

BRANCH = "330109001"


def a_clerk(teller_no: str = "T009", now: datetime = NOW) -> StaffCaller:
    """Somebody who is signed in."""
    roles = frozenset({Role.CLERK})
    return StaffCaller(uuid7(), uuid7(), "", BRANCH, teller_no, roles, "directory", now, now)


def stock_pans(house: House, town: SimulatedTown, count: int = 20) -> UUID:
    """A pan for 50 points; the family of F0 has 900 in the town."""
    town.calls.post(f"{town.address}/_accounts", json={"F0": 90_000}, timeout=5).raise_for_status()
    price = NewPrice("PAN", TOWN, NOW.date(), 5_000, 5_000, "agreement")
    offer_goods(house, [NewGood("PAN", "炒锅", "Pan")], [price], by="t", now=NOW)
    with house.db.transaction() as tx:
        good_id: UUID = goods.list_goods(tx)[0].good_id
    stock_goods(house, [Movement("receive", BRANCH, good_id, count, 0)], by="t", cause_id=uuid7(), now=NOW)
    return good_id


def take_pan(
    house: House,
    clerk: StaffCaller,
    person_id: int,
    good_id: UUID,
    *,
    proxy_id: int | None = None,
    now: datetime = NOW,
) -> UUID:
    """One pan for somebody, perhaps fetched by another; handed over."""
    for one in (person_id, proxy_id):
        if one is not None:
            inspect_resident(house, clerk, one, LookReason.REDEMPTION, now=now)
    wanted = (good_words.Wanted(good_id, TOWN, 1),)
    shown = ProxyProof.KINSHIP if proxy_id is not None else None
    basket = Basket(uuid7().hex, person_id, proxy_id, wanted, {TOWN: 5_000}, shown)
    redemption_id = redeem_points(house, clerk, basket, now=now).redemption_id
    confirm_redemption(house, clerk, redemption_id, now=now)
    assert hand_over_goods(house, clerk, redemption_id, now=now).state == "handed_over"
    return redemption_id
