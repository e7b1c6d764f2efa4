"""A resident links and unlinks in a real browser: policy, cookies and redirects as Chromium enforces them; axe finds nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, sync_playwright

from gateway.db.embedded import Embedded
from tests.browser.chromium import NEEDS_CHROMIUM, find_chromium
from tests.conftest import TestDatabase
from tests.nanyang_stage import Stage, entry, openid, served_with_nanyang
from tests.served import scratch_database

PICTURES = Path(__file__).parents[2] / "artefacts" / "screenshots"
pytestmark = NEEDS_CHROMIUM


@pytest.fixture(scope="module")
def database(postgres: Embedded) -> Iterator[TestDatabase]:
    with scratch_database(postgres) as made:
        yield made


@pytest.fixture(scope="module")
def stage(database: TestDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with served_with_nanyang(database, tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        yield browser
        browser.close()


@pytest.fixture(params=[(1280, 800), (390, 844)], ids=["desk", "phone"])
def page(chromium: Any, request: pytest.FixtureRequest) -> Iterator[Page]:
    width, height = request.param
    context = chromium.new_context(
        viewport={"width": width, "height": height}, ignore_https_errors=True, locale="zh-CN"
    )
    made = context.new_page()
    made.set_default_timeout(20_000)
    yield made
    context.close()


def looked_at(page: Page, name: str) -> None:
    """A picture for people, and what axe says of the page."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    width = page.viewport_size["width"] if page.viewport_size else 0
    page.screenshot(path=PICTURES / f"link-{name}-{width}.png", full_page=True)
    found = Axe().run(page).response["violations"]
    assert [(v["id"], [n["html"][:120] for n in v["nodes"]]) for v in found] == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (
        "nothing runs out of the page"
    )


def test_a_resident_links_and_unlinks(stage: Stage, page: Page) -> None:
    refused: list[str] = []
    page.on("console", lambda said: refused.append(said.text) if said.type == "error" else None)
    wide = bool(page.viewport_size and page.viewport_size["width"] > 1000)
    number = 35 if wide else 36
    url = entry(stage.served.house, number)
    page.goto(url)
    looked_at(page, "consent-zh")
    page.get_by_role("link", name="English").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Link your Nanyang young points account"
    looked_at(page, "consent-en")
    page.get_by_role("link", name="中文").click()
    page.get_by_role("button").click()
    assert "没有选择任何一项" in page.get_by_role("alert").inner_text()
    looked_at(page, "nothing-chosen")
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button").click()
    page.select_option("select", openid(number))
    page.get_by_role("button", name="同意授权").click()
    assert page.get_by_role("heading", level=1).inner_text() == "关联成功"
    looked_at(page, "done")
    page.goto(entry(stage.served.house, number))
    looked_at(page, "linked")
    page.get_by_role("button", name="全部撤回并解除关联").click()
    assert "账户关联已解除" in page.get_by_role("status").inner_text()
    looked_at(page, "ended")
    page.goto(url)
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button").click()
    assert "链接已使用过" in page.get_by_role("alert").inner_text()
    looked_at(page, "refused")
    assert [said for said in refused if "Content Security Policy" in said or "Refused" in said] == []


def test_a_return_that_nobody_began_is_refused_in_words(stage: Stage, page: Page) -> None:
    page.goto(f"{stage.served.url}/link/nanyang_young/callback?state=x&code=y&iss=z")
    assert "已失效" in page.get_by_role("alert").inner_text()
