"""The sandbox's residents of 南阳young link their accounts: each by the real pages, with a browser that is played.

Killed half-way, the next start links those who are not linked yet.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from pathlib import Path

import requests

from adapters.nanyang_young.simulator import Browser, PageError, Sender, Town, invent_town
from gateway.flows.issue_entry import issue_entry
from gateway.house import House
from schemas.feeds import EntryIdentity
from schemas.values import TownCode

log = logging.getLogger(__name__)
TOWN = TownCode("nanyang_young")
SEED, CHUNK, BROWSERS = 20261124, 5000, 4


def open_town(
    address: str, ca_file: Path, today: date, *, members: int, known: Iterable[Mapping[str, str]] = ()
) -> Town:
    """Invent the town and tell its simulator, once. `known` are residents (id_no, name) who have points elsewhere too."""
    town = invent_town(SEED, today, members=members, known=known)
    with requests.Session() as calls:
        calls.trust_env = False
        calls.verify = str(ca_file)
        if calls.get(f"{address}/_state", timeout=30).json()["changes"]:
            return town
        calls.post(f"{address}/_accounts", json=town.members, timeout=60).raise_for_status()
        for first in range(0, len(town.changes), CHUNK):
            chunk = {"changes": town.changes[first : first + CHUNK]}
            calls.post(f"{address}/_changes", json=chunk, timeout=60).raise_for_status()
        calls.post(f"{address}/_save", timeout=60).raise_for_status()
    return town


def link_residents(
    house: House, town: Town, ca_file: Path, done: Callable[[int], None] = lambda count: None
) -> Counter[str]:
    """Link everybody; one in five agrees to redeeming only. Counts: linked, stood (linked already), refused."""
    counts: Counter[str] = Counter()
    work = partial(_link, house, ca_file)
    with ThreadPoolExecutor(BROWSERS, thread_name_prefix="browser") as pool:
        for outcome in pool.map(work, range(len(town.members)), town.members):
            counts[outcome] += 1
            done(1)
    return counts


def _link(house: House, ca_file: Path, number: int, member: Mapping[str, str]) -> str:
    entry = issue_entry(house, TOWN, EntryIdentity(member["id_no"], member["name"]), now=house.clock())
    purposes = ("redemption",) if number % 5 == 4 else ("loan_mapping", "redemption")
    browser = Browser(ca_file)
    try:
        if "/withdrawals" in browser.get(entry).text:
            return "stood"
        browser.link(entry, member["openid"], purposes)
    except PageError as exc:
        log.warning("a resident of the sandbox could not link: %s", exc)
        return "refused"
    finally:
        browser.close()
    return "linked"


def say_changed(web: str, secret: str, ca_file: Path) -> int:
    """The town's event that something changed; the status of the answer."""
    return int(Sender(f"{web}/towns/{TOWN}/v1/events", (secret,), ca_file).send().status_code)
