"""Linking an account at 南阳young through the served pages and the simulated town's real authorization server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest

from adapters.nanyang_young.simulator import Browser, PageError
from adapters.nanyang_young.simulator.browser import hidden_fields
from gateway import links, subjects
from gateway.db.embedded import Embedded
from gateway.flows import complete_link as completing
from gateway.flows import pull_history as history
from gateway.flows import unlink_account as unlinking
from gateway.flows._linking import TEXT_VERSION
from gateway.flows.issue_entry import issue_entry
from gateway.flows.pull_changes import pull_changes
from gateway.flows.pull_history import pull_history
from gateway.flows.renew_links import renew_links
from gateway.flows.seal_log import seal_log
from gateway.flows.verify_log import verify_log
from gateway.web.link_words import CONSENT
from schemas.canonical import canonical_sha256
from schemas.errors import InvalidError, UnavailableError
from schemas.feeds import EntryIdentity
from tests.conftest import TestDatabase
from tests.nanyang_stage import (
    TOWN,
    SimulatedNanyang,
    Stage,
    change,
    entry,
    id_no_of,
    member,
    openid,
    served_with_nanyang,
)
from tests.served import Served, scratch_database


@pytest.fixture(scope="module")
def database(postgres: Embedded) -> Iterator[TestDatabase]:
    with scratch_database(postgres) as made:
        yield made


@pytest.fixture(scope="module")
def stage(database: TestDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with served_with_nanyang(database, tmp_path_factory.mktemp("linking")) as running:
        yield running


@pytest.fixture
def town(stage: Stage) -> SimulatedNanyang:
    return stage.town


@pytest.fixture
def served(stage: Stage) -> Served:
    return stage.served


@pytest.fixture
def browser(served: Served) -> Iterator[Browser]:
    made = Browser(served.certificates.ca_cert)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def calm(town: SimulatedNanyang) -> Iterator[None]:
    yield
    town.calm()


def consents(database: TestDatabase, served: Served, number: int) -> set[str]:
    with served.house.db.transaction() as tx:
        person = subjects.find_person(tx, served.house.keys, member(number)["id_no"])
    rows = database.sql("select purpose from consent where person_id = %s and withdrawn_at is null", [person])
    return {str(purpose) for (purpose,) in rows}


def find_linked(served: Served, number: int) -> bool:
    with served.house.db.transaction() as tx:
        person = subjects.find_person(tx, served.house.keys, member(number)["id_no"])
        return person is not None and links.find_link(tx, TOWN, person) is not None


def test_a_resident_links_and_what_was_held_back_is_fetched(
    served: Served, town: SimulatedNanyang, browser: Browser, database: TestDatabase
) -> None:
    house = served.house
    town.post("/_changes", {"changes": [change(n, 1) for n in range(1, 8)]})
    assert pull_changes(house, now=house.clock(), unasked=True)["rejected"] == 7
    page = browser.link(entry(served.house, 1), openid(1))
    assert "关联成功" in page.text
    assert consents(database, served, 1) == {"loan_mapping", "redemption"}
    assert database.sql("select distinct text_version, recipient from consent") == [(TEXT_VERSION, "bank")]
    assert pull_history(house, now=house.clock())["accepted"] == 7
    assert pull_history(house, now=house.clock()) == {}
    assert database.sql("select sum(points_centi) from contribution") == [(7 * 250,)]
    with house.db.transaction() as tx:
        person = subjects.find_person(tx, house.keys, member(1)["id_no"])
        assert person is not None
        assert links.list_accounts(tx, house.keys, TOWN, [person]) == {person: openid(1)}
    seal_log(house, now=house.clock())
    report = verify_log(house, now=house.clock())
    assert report.ok, report


def test_nothing_readable_of_a_person_lies_in_the_tables(database: TestDatabase, served: Served) -> None:
    for table in ("link", "link_grant", "link_attempt", "identifier", "hook_event", "feed", "record"):
        text = str(database.sql(f"select t::text from {table} t"))
        assert openid(1) not in text
        assert member(1)["id_no"] not in text
    assert openid(1) not in served.log.read_text()


@pytest.mark.parametrize("purpose", ["loan_mapping", "redemption"])
def test_one_purpose_alone_is_enough(
    served: Served, browser: Browser, database: TestDatabase, purpose: str
) -> None:
    number = 4 if purpose == "redemption" else 5
    browser.link(entry(served.house, number), openid(number), [purpose])
    assert consents(database, served, number) == {purpose}


def test_agreeing_to_nothing_keeps_nothing(served: Served, browser: Browser, database: TestDatabase) -> None:
    before = database.sql("select count(*) from link_attempt")
    with pytest.raises(PageError) as caught:
        browser.agree(entry(served.house, 6), [])
    assert caught.value.answer.status_code == 400
    assert "没有选择任何一项" in caught.value.answer.text
    assert database.sql("select count(*) from link_attempt") == before


def test_linking_twice_is_once(served: Served, browser: Browser, database: TestDatabase) -> None:
    browser.link(entry(served.house, 7), openid(7))
    count = database.sql("select (select count(*) from consent), (select count(*) from link)")
    url = entry(served.house, 7)
    assert "已关联" in browser.get(url).text
    form = re.findall(r'name="form_token" value="([0-9a-f]+)"', browser.get(url).text)
    fields = [("entry", url.partition("entry=")[2]), ("form_token", form[0]), ("purpose", "loan_mapping")]
    sent = browser.post(f"{served.url}/link/{TOWN}/consents", fields)
    assert browser.get(browser.sign_in(sent.headers["Location"], openid(7))).status_code == 200
    assert database.sql("select (select count(*) from consent), (select count(*) from link)") == count


def test_withdrawing_one_consent_leaves_the_other_and_the_link(
    served: Served, browser: Browser, database: TestDatabase
) -> None:
    browser.link(entry(served.house, 8), openid(8))
    url = entry(served.house, 8)
    assert browser.withdraw(url, ["loan_mapping"]).status_code == 200
    assert consents(database, served, 8) == {"redemption"}
    assert find_linked(served, 8)
    assert browser.withdraw(url, ["loan_mapping"]).status_code == 200, "twice is once"
    assert consents(database, served, 8) == {"redemption"}
    page = browser.get(url).text
    fields = [*hidden_fields(page).items()]
    assert ("purpose", "loan_mapping") in fields, "the page offers to agree again"
    sent = browser.post(f"{served.url}/link/{TOWN}/consents", fields)
    assert browser.get(browser.sign_in(sent.headers["Location"], openid(8))).status_code == 200
    assert consents(database, served, 8) == {"loan_mapping", "redemption"}


def test_unlinking_ends_consents_tokens_and_the_towns_grant(
    served: Served, town: SimulatedNanyang, browser: Browser, database: TestDatabase
) -> None:
    house = served.house
    browser.link(entry(served.house, 9), openid(9))
    assert openid(9) in town.state()["granted"]
    answer = browser.withdraw(entry(served.house, 9))
    assert "关联已解除" in answer.text
    assert consents(database, served, 9) == set()
    assert not find_linked(served, 9)
    assert openid(9) not in town.state()["granted"]
    with house.db.transaction() as tx:
        assert links.list_ended_grants(tx, house.keys, TOWN, 100) == []
    town.post("/_changes", {"changes": [change(9000, 9)]})
    assert pull_changes(house, now=house.clock(), unasked=True)["rejected"] == 1
    browser.link(entry(served.house, 9), openid(9))
    assert consents(database, served, 9) == {"loan_mapping", "redemption"}


def test_when_the_town_is_away_unlinking_stands_and_it_is_told_later(
    served: Served, town: SimulatedNanyang, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed at the `‖` before the town is told: the job tells it."""
    house = served.house
    browser.link(entry(served.house, 10), openid(10))
    url = entry(served.house, 10)
    fields = re.findall(r'name="form_token" value="([0-9a-f]+)"', browser.get(url).text)

    class Away:
        def __getattr__(self, name: str) -> object:
            return getattr(house.linkings[TOWN], name)

        def revoke(self, _: str) -> None:
            raise UnavailableError("away", code="linking-unavailable")

    away = replace(house, linkings={TOWN: Away()})  # type: ignore[dict-item]
    done = unlinking.unlink_account(
        away, TOWN, url.partition("entry=")[2], session=str(browser.session.cookies["__Host-link"]),
        form_token=fields[0], purposes=(), now=house.clock(),
    )  # fmt: skip
    assert done == {"withdrawn": 2, "unlinked": 1}
    assert openid(10) in town.state()["granted"]
    assert renew_links(house, now=house.clock())["revoked"] == 1
    assert openid(10) not in town.state()["granted"]


def test_tokens_are_renewed_and_replaced(served: Served, town: SimulatedNanyang, browser: Browser) -> None:
    house = served.house
    browser.link(entry(served.house, 11), openid(11))
    with house.db.transaction() as tx:
        before = {
            g.account: g.refresh_token
            for g in links.list_grants_to_renew(tx, house.keys, TOWN, house.clock(), 99)
        }
    assert renew_links(house, now=house.clock() + timedelta(days=2))["renewed"] == len(before)
    with house.db.transaction() as tx:
        later = house.clock() + timedelta(days=9)
        after = {
            g.account: g.refresh_token for g in links.list_grants_to_renew(tx, house.keys, TOWN, later, 99)
        }
    assert after.keys() == before.keys()
    assert not set(after.values()) & set(before.values())


def test_killed_between_the_towns_new_token_and_ours_nothing_is_lost(
    served: Served, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = served.house
    browser.link(entry(served.house, 12), openid(12))
    later = house.clock() + timedelta(days=20)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(links, "write_renewed", killed)
        with pytest.raises(KeyboardInterrupt):
            renew_links(house, now=later)
    counts = renew_links(house, now=later)
    assert counts["renewed"] >= 1
    assert "ended" not in counts


def test_a_grant_taken_back_at_the_town_ends_the_link_here(
    served: Served, town: SimulatedNanyang, browser: Browser, database: TestDatabase
) -> None:
    browser.link(entry(served.house, 13), openid(13))
    town.post("/_end_grant", {"openid": openid(13)})
    counts = renew_links(served.house, now=served.house.clock() + timedelta(days=40))
    assert counts["ended"] == 1
    assert consents(database, served, 13) == set()
    assert not find_linked(served, 13)
    assert database.sql("select count(*) from link where ended_by = 'town'") == [(1,)]


def test_killed_between_exchange_and_store_the_resident_begins_again(
    served: Served,
    town: SimulatedNanyang,
    browser: Browser,
    database: TestDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    house = served.house
    url = entry(served.house, 14)
    back = browser.sign_in(browser.agree(url), openid(14))
    asked = dict(pair.split("=", 1) for pair in back.partition("?")[2].split("&"))
    session = str(browser.session.cookies["__Host-link"])

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(completing, "_store", killed)
        with pytest.raises(KeyboardInterrupt):
            completing.complete_link(
                house, TOWN, session=session, state=asked["state"], code=asked["code"],
                issuer=town.address, error="", now=house.clock(),
            )  # fmt: skip
    assert not find_linked(served, 14)
    assert browser.get(back).status_code == 422, "the state was good once"
    assert "关联成功" in browser.link(url, openid(14)).text


def test_killed_while_history_is_stored_it_goes_on(
    served: Served,
    town: SimulatedNanyang,
    browser: Browser,
    database: TestDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    house = served.house
    pull_history(house, now=house.clock())
    town.post("/_changes", {"changes": [change(n, 15) for n in range(20_000, 21_100)]})
    pull_changes(house, now=house.clock(), unasked=True)
    browser.link(entry(served.house, 15), openid(15))
    calls = iter([False, True])
    move = history._move

    def second_dies(*arguments: object) -> None:
        if next(calls, False):
            raise KeyboardInterrupt
        move(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(history, "_move", second_dies)
        with pytest.raises(KeyboardInterrupt):
            pull_history(house, now=house.clock())
    assert pull_history(house, now=house.clock())["accepted"] == 600


def test_one_account_is_one_persons(
    served: Served, town: SimulatedNanyang, browser: Browser, database: TestDatabase
) -> None:
    """Two platforms' accounts with one id number: the second cannot take the first one's name."""
    browser.link(entry(served.house, 16), openid(16))
    town.books.add_members([{**member(16), "openid": "o_second0016"}])
    other = Browser(served.certificates.ca_cert)
    url = entry(served.house, 16)
    fields = re.findall(r'name="form_token" value="([0-9a-f]+)"', other.get(url).text)
    form = [("entry", url.partition("entry=")[2]), ("form_token", fields[0]), ("purpose", "redemption")]
    sent = other.post(f"{served.url}/link/{TOWN}/consents", form)
    refused = other.get(other.sign_in(sent.headers["Location"], "o_second0016"))
    other.close()
    assert refused.status_code == 409
    assert "另一个积分账户" in refused.text
    assert not town.books.members["o_second0016"].granted, "what was not taken was revoked"


def test_a_child_is_sent_to_the_counter(served: Served, browser: Browser) -> None:
    child = EntryIdentity(id_no_of(77, date(2019, 1, 1)), "测试童")
    page = browser.get(issue_entry(served.house, TOWN, child, now=served.house.clock()))
    assert page.status_code == 422
    assert "监护人" in page.text


def test_the_page_names_recipient_purposes_and_kinds(served: Served, browser: Browser) -> None:
    url = entry(served.house, 17)
    chinese, english = browser.get(url), browser.get(url + "&lang=en")
    assert re.findall(r"<html lang=\"([^\"]*)", chinese.text + english.text) == ["zh-CN", "en"]
    for word in (
        "示例农村商业银行",
        "000-00000000",
        "南阳young",
        "身份证号",
        "用于贷款优惠评估",
        "用于积分兑换",
        "不影响",
    ):
        assert word in chinese.text, word
    assert "checked" not in chinese.text, "nothing is chosen beforehand"
    assert member(17)["name"] not in chinese.text
    assert member(17)["id_no"] not in chinese.text
    policy = chinese.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert re.search(r"form-action 'self' https://127\.0\.0\.1:[0-9]+;", policy)
    cookie = chinese.headers["Set-Cookie"]
    assert all(word in cookie for word in ("__Host-link=", "Secure", "HttpOnly", "SameSite=Lax", "Path=/"))
    assert chinese.headers["Cache-Control"] == "no-store"
    assert chinese.headers["Referrer-Policy"] == "no-referrer"


def test_the_text_and_its_version_belong_together() -> None:
    """A changed word is a changed consent: give TEXT_VERSION a new value, then this digest."""
    digest = canonical_sha256({name: list(pair) for name, pair in CONSENT.items()}).hex()
    assert (TEXT_VERSION, digest[:16]) == ("link-2026-11", "8cfdfcf6fe29133a")


def test_an_entry_needs_a_person_that_can_exist(served: Served) -> None:
    wrong = EntryIdentity(member(1)["id_no"][:-1] + "0", "测试")
    with pytest.raises(InvalidError):
        issue_entry(served.house, TOWN, wrong, now=served.house.clock())


def test_attempts_that_never_came_back_leave_nothing_personal(
    served: Served, browser: Browser, database: TestDatabase
) -> None:
    browser.agree(entry(served.house, 18))
    assert database.sql("select count(*) from link_attempt where outcome = 'open' and sealed <> ''") != [(0,)]
    renew_links(served.house, now=served.house.clock() + timedelta(minutes=11))
    assert database.sql("select count(*) from link_attempt where sealed <> ''") == [(0,)]
