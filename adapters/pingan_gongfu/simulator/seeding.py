"""The year of an invented Yaqian: its people, and what they did, 500 a message in GB18030."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import requests

from adapters.pingan_gongfu.simulator.pusher import DoorAccess, Pusher
from adapters.pingan_gongfu.simulator.town import invent_town
from adapters.simulating import SeedGround, Sent

CLIENT_ID: Final = "pingan-platform"
PERSONS: Final = 1000
#: FHM of an item → the gateway's word for it, as every town's table shows it
WORDS: Final = {
    "0000": "accepted",
    "1001": "duplicate",
    "1002": "conflict",
    "4001": "quarantined",
    "4002": "rejected",
}


def seed_year(ground: SeedGround) -> Sent:
    """Persons first, then what they did in the order it happened, then the withdrawn consents; the town's books at the end."""
    residents = [member._asdict() for family in ground.families for member in family.members][
        : PERSONS * 2 // 3
    ]
    persons = max(min(ground.size, PERSONS), len(residents))
    town = invent_town(ground.seed, persons, ground.today_on, zeal=ground.zeal, residents=residents)
    certs = ground.place.certs
    access = DoorAccess(
        f"{ground.gateway}/towns/pingan_gongfu/soap", CLIENT_ID, (certs / "password-pingan_gongfu").read_text().strip(),
        certs / "client-pingan_gongfu.crt", certs / "client-pingan_gongfu.key", ground.place.ca_file,
    )  # fmt: skip
    pusher = Pusher(access, seed=ground.seed)
    people = town.registrations()
    registered = pusher.register(people, done=ground.step("平安共富 居民 persons", len(people)))
    pushed = pusher.push_all(town.items, done=ground.step("平安共富 积分 contributions", len(town.items)))
    withdrawn = pusher.withdraw(
        town.withdrawals, done=ground.step("平安共富 撤回 withdrawals", len(town.withdrawals))
    )
    _post(ground, "/_accounts", town.balances())
    _post(ground, "/_caps", town.caps())
    for day, items in town.days().items():
        _post(ground, f"/_items/{day}", items)
    rows = (
        ("居民 persons", len(people), _in_words(registered)),
        ("积分 contributions", len(town.items), _in_words(pushed.counts)),
        ("撤回 withdrawals", len(town.withdrawals), _in_words(withdrawn)),
    )
    return Sent(rows, pushed.codes, ground.families, town.balances())


def _in_words(answers: Counter[str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for code, count in answers.items():
        found[WORDS.get(code, code)] += count
    return found


def _post(ground: SeedGround, path: str, content: Any) -> None:
    cert = (str(ground.place.caller_cert[0]), str(ground.place.caller_cert[1]))
    answer = requests.post(
        ground.place.address + path, json=content, verify=str(ground.place.ca_file), cert=cert, timeout=30
    )
    answer.raise_for_status()
