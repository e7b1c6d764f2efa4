"""Linking under false pretences: each case of the corpus is refused, and nothing stands after it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode

import pytest
import requests

from adapters.nanyang_young.simulator import Browser
from adapters.nanyang_young.simulator.browser import hidden_fields
from gateway.db.embedded import Embedded
from gateway.flows._linking import Entry, seal_entry
from gateway.flows.issue_entry import issue_entry
from gateway.house import House
from schemas.crypto import KeyRing
from schemas.values import TownCode
from tests.attacks import cases, problem_code, stored
from tests.conftest import TestDatabase
from tests.nanyang_stage import TOWN, Stage, entry, identity, openid, served_with_nanyang
from tests.served import scratch_database

VICTIM = 30


@pytest.fixture(scope="module")
def database(postgres: Embedded) -> Iterator[TestDatabase]:
    with scratch_database(postgres) as made:
        yield made


@pytest.fixture(scope="module")
def stage(database: TestDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with served_with_nanyang(database, tmp_path_factory.mktemp("attacks")) as running:
        yield running


@pytest.fixture
def browser(stage: Stage) -> Iterator[Browser]:
    made = Browser(stage.served.certificates.ca_cert)
    yield made
    made.close()


def attack(stage: Stage, browser: Browser, do: dict[str, Any]) -> requests.Response:
    """The resident's way with what `do` says changed; the answer that refuses."""
    url = entry_url(stage.served.house, do.get("entry", ""))
    page = browser.get(url)
    if page.status_code != 200:
        return page
    sent = agree(stage, browser, url, page.text, do)
    if sent.status_code != 303:
        return sent
    at_town = sent.headers["Location"]
    if "authorize" in do:
        at_town = changed(at_town, do["authorize"], f"{stage.served.url}/link/{TOWN}/callback")
        shown = browser.get(at_town)
        if shown.status_code != 200:
            return shown
    if "lie" in do:
        stage.town.arm(do["lie"], "id_token")
    back = browser.sign_in(at_town, openid(do.get("as", VICTIM)), do.get("decision", "allow"))
    return come_back(stage, browser, back, do.get("callback", ""))


def entry_url(house: House, how: str) -> str:
    now = house.clock()
    good = entry(house, VICTIM)
    base, _, text = good.partition("entry=")
    if how == "expired":
        return issue_entry(house, TOWN, identity(VICTIM), now=now - timedelta(days=1))
    if how == "other_town":
        other = Entry(house.new_id(), TownCode("lijiayuan"), identity(VICTIM), now + timedelta(minutes=5))
        text = seal_entry(house, other)
    if how == "other_key":
        keys = KeyRing(
            "international", house.keys.current, {house.keys.current: os.urandom(32)}, os.urandom(32)
        )
        other = Entry(house.new_id(), TOWN, identity(VICTIM), now + timedelta(minutes=5))
        text = seal_entry(replace(house, keys=keys), other)
    if how == "tampered":
        text = text[:-3] + ("A" if text[-3] != "A" else "B") + text[-2:]
    if how == "truncated":
        text = text[: len(text) // 2]
    if how == "empty":
        text = ""
    return f"{base}entry={text}"


def agree(stage: Stage, browser: Browser, url: str, page: str, do: dict[str, Any]) -> requests.Response:
    """Send the form, or another in its place."""
    fields = {**hidden_fields(page), "purpose": "redemption", **do.get("form", {})}
    sender = browser
    if do.get("form_entry"):
        fields["entry"] = entry(stage.served.house, VICTIM).partition("entry=")[2]
    if do.get("form_browser"):
        sender = Browser(stage.served.certificates.ca_cert)
        sender.get(url)
    address = f"{stage.served.url}/link/{TOWN}/consents"
    if "withdraw_token" in do:
        fields["form_token"], address = do["withdraw_token"], f"{stage.served.url}/link/{TOWN}/withdrawals"
    sent = sender.post(address, list(fields.items()))
    if sender is not browser:
        sender.close()
    return sent


def changed(url: str, values: dict[str, str], callback: str) -> str:
    base, _, query = url.partition("?")
    fields = dict(parse_qsl(query))
    fields |= {name: value.replace("{callback}", callback) for name, value in values.items()}
    return f"{base}?{urlencode(fields)}"


def come_back(stage: Stage, browser: Browser, back: str, how: str) -> requests.Response:
    """Open the town's return, or what an attacker makes of it."""
    base, _, query = back.partition("?")
    fields = {name: found[0] for name, found in parse_qs(query).items()}
    if how == "twice":
        first = browser.get(changed(back, {"code": "guess"}, ""))
        assert first.status_code == 422
    if how == "other_code":
        fields["code"] = secrets.token_urlsafe(32)
    if how == "no_code":
        del fields["code"]
    if how == "unasked":
        fields["state"] = secrets.token_urlsafe(32)
    back = f"{base}?{urlencode(fields)}"
    if how == "state_twice":
        back += "&" + urlencode({"state": fields["state"]})
    if how == "no_cookie":
        browser.session.cookies.clear()
    if how == "other_browser":
        browser.session.cookies.clear()
        browser.get(entry(stage.served.house, VICTIM))
    return browser.get(back)


@pytest.mark.parametrize("case", cases("linking"))
def test_a_linking_that_is_not_good_is_refused(
    stage: Stage, browser: Browser, database: TestDatabase, case: dict[str, Any]
) -> None:
    before, lines = stored(database), len(stage.served.log_lines())
    try:
        answer = attack(stage, browser, case["do"])
        assert stage.town.authority.lies == [], "the lie was told"
    finally:
        stage.town.calm()
    assert [answer.status_code, problem_code(answer) if case["expect"][1] else ""] == case["expect"], (
        answer.text
    )
    assert stored(database) == before
    assert not [line for line in stage.served.log_lines()[lines:] if "Traceback" in line]


def test_no_attack_leaves_a_grant_at_the_town(stage: Stage, browser: Browser) -> None:
    """After a refused identity the town's grant is revoked; a code that was never exchanged gave none."""
    assert attack(stage, browser, {"lie": "wrong_nonce"}).status_code == 422
    assert openid(VICTIM) not in stage.town.state()["granted"]


def test_a_code_is_used_once_also_after_success(stage: Stage, browser: Browser) -> None:
    back = browser.sign_in(browser.agree(entry(stage.served.house, 33)), openid(33))
    assert browser.get(back).status_code == 200
    again = browser.get(back)
    assert (again.status_code, problem_code(again)) == (422, "link-state")


def test_an_entry_link_links_once_and_is_tried_five_times(stage: Stage, browser: Browser) -> None:
    url = entry(stage.served.house, 34)
    for _ in range(5):
        browser.agree(url)
    page = browser.get(url)
    sent = browser.post(
        f"{stage.served.url}/link/{TOWN}/consents",
        [*hidden_fields(page.text).items(), ("purpose", "redemption")],
    )
    assert (sent.status_code, problem_code(sent)) == (422, "entry-used")


def test_the_valid_twin_links(stage: Stage, browser: Browser, database: TestDatabase) -> None:
    before = stored(database)["link"]
    assert browser.link(entry(stage.served.house, VICTIM), openid(VICTIM)).status_code == 200
    assert stored(database)["link"] == before + 1
