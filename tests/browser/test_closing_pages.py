"""The supervisor's pages over real TLS and in a real browser: the day's end, the month, stock and the dashboard."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, sync_playwright

from schemas.values import beijing_date
from tests.browser.chromium import NEEDS_CHROMIUM, find_chromium
from tests.flows.test_desk_door import FAMILY, Desk, _act, _redeem, desk
from tests.staff_stage import Browser, Person

__all__ = ["desk"]  # the fixture
PICTURES = Path(__file__).parents[2] / "artefacts" / "screenshots"


@pytest.fixture
def clerk(desk: Desk) -> Browser:
    desk.town.calls.post(f"{desk.town.address}/_accounts", json={FAMILY: 100_000}, timeout=5)
    return desk.enter(desk.clerk)


def _count_form(browser: Browser, **found: int) -> dict[str, str]:
    """The form of the page, every good as the book has it; `found` by code says otherwise."""
    text = browser.get("/closing/count").text
    sent = dict(
        re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', text.partition("/closing/count")[2])
    )
    for good_id, code in re.findall(r'name="reason:([0-9a-f-]+)"[^>]*aria-label="[^"]* ([A-Z0-9-]+)"', text):
        book = int(sent[f"book:{good_id}"])
        sent[f"counted:{good_id}"] = str(found.get(code, book))
        if found.get(code, book) != book:
            sent[f"reason:{good_id}"] = "运输破损"
    return sent


def test_goods_are_received_and_written_off_once(desk: Desk, clerk: Browser) -> None:
    def form_of(browser: Browser, task: str, **fields: str) -> dict[str, str]:
        text = browser.get(f"/stock/{task}").text.partition(f'action="/stock/{task}"')[2]
        hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', text))
        return {**hidden, f"count:{desk.pan}": "2", **fields}

    sent = form_of(clerk, "receive", reason="送货单 7")
    assert clerk.send("/stock/receive", sent).status_code == 303
    again = clerk.send("/stock/receive", sent)
    assert (again.status_code, "未重复入账" in again.text) == (409, True)
    wrong = clerk.send(
        "/stock/receive", {**form_of(clerk, "receive"), f"count:{desk.pan}": "x", "reason": "?!"}
    )
    assert (wrong.status_code, "数量须为整数" in wrong.text) == (400, True)
    off = form_of(desk.enter(desk.supervisor), "write-off", reason="破损")
    assert desk.enter(desk.supervisor).send("/stock/write-off", off).status_code == 303
    assert clerk.send("/stock/write-off", form_of(clerk, "write-off", reason="破损")).status_code == 403
    table = clerk.get("/stock/stock.csv")
    assert ",PAN,炒锅,Pan," in table.content.decode("utf-8-sig")


def test_the_day_is_counted_and_signed(desk: Desk, clerk: Browser) -> None:
    where = _redeem(desk, clerk, desk.pan)
    supervisor = desk.enter(desk.supervisor)
    assert "1 笔业务未了结" in supervisor.get("/closing/").text
    today = beijing_date(datetime.now(UTC)).isoformat()
    refused = supervisor.post("/closing/sign", page="/closing/count", on=today)
    assert refused.status_code == 422, refused.status_code
    assert "未了结" in refused.text
    _act(clerk, where, "confirm")
    _act(clerk, where, "hand-over")
    wrong = _count_form(clerk)
    name = next(n for n in wrong if n.startswith("counted:"))
    answer = clerk.send("/closing/count", {**wrong, name: "x"})
    assert answer.status_code == 400
    assert "请为每件商品填写实存数" in answer.text
    assert clerk.send("/closing/count", _count_form(clerk, PAN=7)).status_code == 303
    text = supervisor.get("/closing/").text
    assert "已盘点（柜员 C001" in text
    assert f"/closing/sign?on={today}" in text
    assert "运输破损" in text
    assert f"/closing/sign?on={today}" not in clerk.get("/closing/").text
    forbidden = clerk.post("/closing/sign", page="/closing/count", on=today)
    assert forbidden.status_code == 403


def test_papers_are_carried_away_and_a_month_that_goes_on_is_not_settled(desk: Desk) -> None:
    supervisor, month = desk.enter(desk.supervisor), f"{beijing_date(datetime.now(UTC)):%Y-%m}"
    where = f"/settlement/lijiayuan/{month}"
    for kind, begins in (("pdf", b"%PDF-"), ("xlsx", b"PK")):
        paper = supervisor.get(f"{where}.{kind}")
        assert paper.content.startswith(begins)
        assert f'filename="lijiayuan-{month}-draft.{kind}"' in paper.headers["Content-Disposition"]
        assert paper.headers["Cache-Control"] == "no-store"
    token = supervisor.form_token("/settlement/")
    refused = supervisor.send(where, {"form_token": token})
    assert (refused.status_code, "该月尚未结束" in refused.text) == (400, True)
    assert supervisor.get("/settlement/nowhere/2026-10").status_code == 404
    assert supervisor.get("/settlement/lijiayuan/2026-13").status_code == 404
    assert desk.enter(desk.clerk).get(where).status_code == 403


def _look(page: Page, name: str) -> None:
    """Keep a picture, and let axe judge."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(PICTURES / f"closing-{name}.png"), full_page=True)
    found = Axe().run(page).response["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == [], name


def _enter(page: Page, desk: Desk, person: Person, lang: str) -> None:
    page.goto(f"{desk.served.url}/staff/sign-in?lang={lang}")
    page.fill("[name=teller_no]", person.teller_no)
    page.fill("[name=password]", person.credentials.password)
    page.fill("[name=code]", person.fresh_code())
    page.keyboard.press("Enter")
    page.wait_for_url("**/staff/")


@NEEDS_CHROMIUM
def test_every_page_is_looked_at_and_the_day_closes_by_keyboard(desk: Desk) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        context = browser.new_context(ignore_https_errors=True, viewport={"width": 1280, "height": 800})
        page = context.new_page()
        _enter(page, desk, desk.supervisor, "zh")
        for lang in ("zh", "en"):
            for name in ("", "count", "sign"):
                page.goto(f"{desk.served.url}/closing/{name}?lang={lang}")
                _look(page, f"{name or 'day'}-{lang}")
            for name in ("", "receive", "send", "write-off"):
                page.goto(f"{desk.served.url}/stock/{name}?lang={lang}")
                _look(page, f"stock-{name or 'list'}-{lang}")
        page.goto(f"{desk.served.url}/closing/?lang=zh")
        page.wait_for_selector('a[href^="/closing/sign"]:focus')
        page.keyboard.press("Enter")  # the step in focus: check and sign
        page.wait_for_url("**/closing/sign?on=*")
        page.wait_for_selector("button.warn:focus")
        page.keyboard.press("Enter")
        page.wait_for_selector("p.done")
        _look(page, "closed-zh")
        month = f"{beijing_date(datetime.now(UTC)):%Y-%m}"
        for lang in ("zh", "en"):
            for name in ("", f"lijiayuan/{month}"):
                page.goto(f"{desk.served.url}/settlement/{name}?lang={lang}")
                _look(page, f"{'month' if name else 'months'}-{lang}")
            page.goto(f"{desk.served.url}/overview/?lang={lang}")
            _look(page, f"overview-{lang}")
        browser.close()
