"""The last year of an invented Heshang: its households, the lists of its quarters and what was corrected, signed and sent."""

from __future__ import annotations

from typing import Any, Final

import requests

from adapters.simulating import SeedGround, Sent
from adapters.wuhe_zhonglian.simulator.envelopes import Signing
from adapters.wuhe_zhonglian.simulator.pusher import DoorAccess, Pusher
from adapters.wuhe_zhonglian.simulator.town import Known, invent_town

CLIENT_ID: Final = "wuhe-platform"
HOUSEHOLDS: Final = 681  # signed the rule book (domain.md)
CORRECTIONS: Final = 60


def seed_year(ground: SeedGround) -> Sent:
    """Households first, then the lists and corrections in order, then the withdrawn consents; the town's books at the end."""
    known = [[Known(*member) for member in family.members] for family in ground.families[:HOUSEHOLDS]]
    town = invent_town(ground.seed, min(ground.size, HOUSEHOLDS), ground.today_on, known=known)
    del town.corrections[CORRECTIONS:]
    certs = ground.place.certs
    signing = Signing(
        certs / "signing-wuhe_zhonglian.key", certs / "signing-wuhe_zhonglian.crt", (certs / "soap.crt",)
    )
    pusher = Pusher(DoorAccess(ground.gateway, signing, ground.place.ca_file))
    households = town.registrations()
    registered = pusher.register(households, done=ground.step("五和众联 家庭 households", len(households)))
    papers = len(town.lists) + len(town.corrections)
    pushed = pusher.push_all(town.lists, town.corrections, done=ground.step("五和众联 榜单 lists", papers))
    withdrawn = pusher.withdraw(
        town.withdrawals, done=ground.step("五和众联 撤回 withdrawals", len(town.withdrawals))
    )
    balances = town.balances()
    _post(ground, "/_accounts", {code: max(centi, 0) for code, centi in balances.items()})
    _post(ground, "/_sent", pushed.lines)
    rows = (
        ("家庭 households", len(households), registered),
        (f"榜单与更正 {papers} lists and corrections: entries", pushed.counts.total(), pushed.counts),
        ("撤回 withdrawals", len(town.withdrawals), withdrawn),
    )
    return Sent(rows, pushed.codes, ground.families, balances)


def _post(ground: SeedGround, path: str, content: Any) -> None:
    answer = requests.post(
        ground.place.address + path, json=content, verify=str(ground.place.ca_file), timeout=30
    )
    answer.raise_for_status()
