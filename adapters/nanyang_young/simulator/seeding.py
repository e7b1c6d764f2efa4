"""The year of an invented Nanyang: the town's own books, residents who link in a browser, and a feed to be read."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import requests

from adapters.nanyang_young.simulator.browser import Browser, PageError
from adapters.nanyang_young.simulator.place import hook_secret
from adapters.nanyang_young.simulator.sender import Sender
from adapters.nanyang_young.simulator.town import invent_town
from adapters.simulating import Resident, SeedGround, Sent

CLIENT_ID: Final = ""  # the town sends signed events; what changed is fetched from it
MOST_LINKED: Final = 40  # each is a resident with a browser, going through every page
CHANGES: Final = 5000


def seed_year(ground: SeedGround) -> Sent:
    """The town's books first, then residents who link (some agree to one purpose only), then one signed event: read the feed."""
    residents = [member for family in ground.families for member in family.members[:2]]
    known = [{"id_no": r.id_no, "name": r.name} for r in residents]
    town = invent_town(ground.seed, ground.today_on, members=max(ground.size // 5, len(known)), known=known)
    _post(ground, "/_accounts", town.members)
    known_already = int(_calls(ground).get(ground.place.address + "/_state", timeout=30).json()["changes"])
    step = ground.step("南阳young 变动 changes", len(town.changes))
    for start in range(known_already, len(town.changes), CHANGES):
        part = town.changes[start : start + CHANGES]
        _post(ground, "/_changes", {"changes": part})
        step(len(part))
    linked = _link(ground, residents[:MOST_LINKED], [member["openid"] for member in town.members])
    url = f"{ground.gateway}/towns/nanyang_young/v1/events"
    answer = Sender(url, (hook_secret(ground.place),), ground.place.ca_file).send()
    answer.raise_for_status()
    rows = (
        ("变动待取 changes to be fetched", len(town.changes), Counter[str]()),
        ("绑定 links", sum(linked.values()), linked),
        ("通知 events", 1, Counter(accepted=1)),
    )
    return Sent(rows, Counter(), ground.families)


def _link(ground: SeedGround, residents: list[Resident], openids: list[str]) -> Counter[str]:
    step = ground.step("南阳young 绑定 links", len(residents))
    answers: Counter[str] = Counter()
    for number, (resident, openid) in enumerate(zip(residents, openids, strict=False)):
        browser = Browser(ground.place.ca_file)
        purposes = ("loan_mapping",) if number % 7 == 6 else ("loan_mapping", "redemption")
        try:
            browser.link(ground.entry(resident), openid, purposes)
            answers["accepted"] += 1
        except PageError:
            answers["rejected"] += 1
        finally:
            browser.close()
        step(1)
    return answers


def _post(ground: SeedGround, path: str, content: Any) -> None:
    answer = _calls(ground).post(ground.place.address + path, json=content, timeout=60)
    answer.raise_for_status()


def _calls(ground: SeedGround) -> requests.Session:
    calls = requests.Session()
    calls.trust_env = False
    calls.verify = str(ground.place.ca_file)
    return calls
