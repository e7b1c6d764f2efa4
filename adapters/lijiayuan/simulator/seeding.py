"""The year of an invented Guali, sent through the gateway's door as the platform would send it."""

from __future__ import annotations

from typing import Any, Final

import requests

from adapters.lijiayuan.simulator.pusher import DoorAccess, Pusher
from adapters.lijiayuan.simulator.town import Town, invent_town
from adapters.simulating import Family, Resident, SeedGround, Sent

CLIENT_ID: Final = "lijiayuan-platform"


def seed_year(ground: SeedGround) -> Sent:
    """Families first, then what they did in the order it happened, then the withdrawn consents; the town's books at the end."""
    town = invented(ground)
    pusher = pusher_of(ground)
    registrations = town.registrations()
    registered = pusher.register(registrations, done=ground.step("沥家园 家庭 families", len(registrations)))
    pushed = pusher.push_all(town.items, done=ground.step("沥家园 积分 contributions", len(town.items)))
    withdrawn = pusher.withdraw(
        town.withdrawals, done=ground.step("沥家园 撤回 withdrawals", len(town.withdrawals))
    )
    _post(ground, "/_accounts", town.balances())
    rows = (
        ("家庭 families", len(registrations), registered),
        ("积分 contributions", len(town.items), pushed.counts),
        ("撤回 withdrawals", len(town.withdrawals), withdrawn),
    )
    return Sent(rows, pushed.codes, families_of(town), town.balances())


def invented(ground: SeedGround) -> Town:
    """The town of this seed: the same every time."""
    return invent_town(ground.seed, ground.size, ground.today_on, zeal=ground.zeal)


def pusher_of(ground: SeedGround) -> Pusher:
    """The platform's sender; what the gateway acknowledged is booked at the simulated town, so that its statements list it."""
    certs = ground.place.certs
    access = DoorAccess(
        ground.gateway, CLIENT_ID, certs / "assertion-lijiayuan.key", certs / "client-lijiayuan.crt",
        certs / "client-lijiayuan.key", ground.place.ca_file,
    )  # fmt: skip
    return Pusher(access, seed=ground.seed, told=lambda items: _post(ground, "/_sent", items))


def families_of(town: Town) -> list[Family]:
    """Everybody who consented to something, the head first: they may live in other towns too."""
    found = []
    for family in town.families:
        members = sorted(family.registration["members"], key=lambda member: not member["isHead"])
        kept = tuple(
            Resident(m["memberIdNo"], m["memberName"], m.get("phone") or "") for m in members if m["consents"]
        )
        if kept and members[0]["consents"]:
            found.append(Family(family.village, kept))
    return found


def _post(ground: SeedGround, path: str, content: Any) -> None:
    answer = requests.post(
        ground.place.address + path, json=content, verify=str(ground.place.ca_file), timeout=30
    )
    answer.raise_for_status()
