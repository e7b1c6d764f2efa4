"""Redemptions to look at: a day at the sandbox's branch, walked through the same corridors as a clerk's clicks.

Handed over (one by a proxy, one after approval), reversed, given up, refused, one whose outcome is open because the
simulated town keeps silent, one that waits for a supervisor and one that waits for the resident.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import requests

from adapters.simulating import Family, SimulatorPlace
from gateway.flows.approve_redemption import approve_redemption
from gateway.flows.confirm_redemption import confirm_redemption
from gateway.flows.hand_over_goods import hand_over_goods
from gateway.flows.identify_proxy import identify_proxy
from gateway.flows.inspect_resident import ResidentView, inspect_resident
from gateway.flows.list_staff import list_staff
from gateway.flows.redeem_points import redeem_points
from gateway.flows.release_redemption import release_redemption
from gateway.flows.reverse_redemption import reverse_redemption
from gateway.flows.search_residents import search_residents
from gateway.house import House
from gateway.sandbox.counter import BRANCH
from schemas.errors import NotFoundError
from schemas.goods import Offer, Wanted
from schemas.redemptions import Basket, LookReason, ProxyProof, Redemption
from schemas.staff import Role, StaffCaller
from schemas.values import TownCode

MOST_TRIED = 150  # residents looked at until enough are found who agreed and have points
SILENT_TIMES = 5000  # inquiries the simulated town leaves unanswered: about a day


class _Customer(NamedTuple):
    """A resident who can buy `offer`, over its limit too."""

    person_id: int
    id_no: str
    offer: Offer


class _Day:
    """Who serves, at which town."""

    def __init__(self, house: House, town: TownCode, families: Sequence[Family]) -> None:
        self.house, self.town = house, town
        self.clerk, self.supervisor = _at_work(house, Role.CLERK), _at_work(house, Role.SUPERVISOR)
        self.customers = self._coming(families)
        self.made: list[Redemption] = []

    def freeze(self, *, over_limit: bool = False, proxy: _Customer | None = None) -> Redemption | None:
        """The next customer's basket; None when nobody is left."""
        customer = next(self.customers, None)
        if customer is None:
            return None
        offer, proxy_id = customer.offer, None
        count = offer.limit_count + 1 if over_limit else 1
        if proxy is not None:
            seen = identify_proxy(
                self.house, self.clerk, proxy.id_no, resident_id=customer.person_id, now=self.house.clock()
            )
            proxy_id = seen.person_id
        basket = Basket(
            f"sandbox-counter-{len(self.made):04d}",
            customer.person_id,
            proxy_id,
            (Wanted(offer.good_id, self.town, count),),
            {str(self.town): offer.price_centi * count},
            None if proxy is None else ProxyProof.HOUSEHOLD_BOOK,
        )
        done = redeem_points(self.house, self.clerk, basket, now=self.house.clock())
        self.made.append(done)
        return done

    def hand_over(self, redemption: Redemption | None) -> None:
        """The resident agrees and takes the goods."""
        if redemption is None:
            return
        taken = confirm_redemption(self.house, self.clerk, redemption.redemption_id, now=self.house.clock())
        if taken.state == "confirmed":
            hand_over_goods(self.house, self.clerk, redemption.redemption_id, now=self.house.clock())

    def _coming(self, families: Sequence[Family]) -> Iterator[_Customer]:
        for family in families[:MOST_TRIED]:
            id_no = family.members[0].id_no
            try:
                (found, *_) = search_residents(self.house, id_no, now=self.house.clock())
            except NotFoundError:
                continue
            reason, now = LookReason.REDEMPTION, self.house.clock()
            view = inspect_resident(self.house, self.clerk, found.person_id, reason, now=now)
            offer = _affordable(view, self.town)
            if offer is not None:
                yield _Customer(found.person_id, id_no, offer)


def walk_counter_day(house: House, place: SimulatorPlace, families: Sequence[Family]) -> int:
    """Make them at the town that stands at `place`; how many there are."""
    day = _Day(house, TownCode(place.name), families)
    day.hand_over(day.freeze())
    day.hand_over(day.freeze(proxy=next(day.customers, None)))
    approved = day.freeze(over_limit=True)
    if approved is not None:
        approve_redemption(house, day.supervisor, approved.redemption_id, now=house.clock())
    day.hand_over(approved)
    back = day.freeze()
    day.hand_over(back)
    if back is not None:
        reverse_redemption(house, day.supervisor, back.redemption_id, now=house.clock())
    given_up = day.freeze()
    if given_up is not None:
        release_redemption(house, day.clerk, given_up.redemption_id, now=house.clock())
    with _town_told(place) as tell:
        tell("refuse", "freeze", 1)
        day.freeze()
        tell("drop", "freeze", 1)
        tell("busy", "find", SILENT_TIMES)
        day.freeze()
    day.freeze(over_limit=True)
    day.freeze()
    return len(day.made)


def _affordable(view: ResidentView, town: TownCode) -> Offer | None:
    """The cheapest good with a limit, when the resident can spend more than the limit allows."""
    spendable = next((p.spendable_centi for p in view.towns if p.town == town), 0)
    offers = [o for o in view.offers if o.town == town and o.limit_count]
    cheapest = min(offers, key=lambda o: o.price_centi * (o.limit_count + 1), default=None)
    enough = cheapest is not None and cheapest.price_centi * (cheapest.limit_count + 1) <= spendable
    return cheapest if enough else None


def _at_work(house: House, role: Role) -> StaffCaller:
    """The branch's person of this role, as when signed in."""
    account = next(a for a in list_staff(house) if a.branch_no == BRANCH and role in a.roles)
    now = house.clock()
    return StaffCaller(
        account.staff_id, house.new_id(), account.name, account.branch_no, account.teller_no, account.roles,
        account.source, now, now,
    )  # fmt: skip


class _Teller:
    """Arms faults of the simulated town."""

    def __init__(self, place: SimulatorPlace, calls: requests.Session) -> None:
        self._address, self._calls = place.address, calls

    def __call__(self, fault: str, on: str, times: int) -> None:
        body = {"fault": fault, "on": on, "times": times}
        self._calls.post(f"{self._address}/_faults", json=body, timeout=10).raise_for_status()


@contextmanager
def _town_told(place: SimulatorPlace) -> Iterator[_Teller]:
    with requests.Session() as calls:
        calls.trust_env = False
        calls.verify = str(place.ca_file)
        calls.cert = tuple(map(str, place.caller_cert))  # type: ignore[assignment]
        yield _Teller(place, calls)
