"""Bar 1: from sign-in to receipt by keyboard alone, zh and en, for each town, a two-town basket and a proxy, also at 200 % zoom.

Every page is kept as a picture in both languages and judged by axe; at 200 % nothing runs out of the page and what has the
focus is seen.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, sync_playwright

from gateway.db.embedded import Embedded
from schemas.staff import Role
from tests.bank_stage import resident_id
from tests.browser.chromium import NEEDS_CHROMIUM, find_chromium
from tests.desk_stage import (
    BOTH,
    FAMILY_OF_TWO,
    LIJIAYUAN,
    RESIDENTS,
    WUHE,
    DeskStage,
    desk_stage,
    family_code,
)
from tests.served import scratch_database
from tests.staff_stage import Person

pytestmark = NEEDS_CHROMIUM
PICTURES = Path(__file__).parents[2] / "artefacts" / "screenshots"
SEEN = """(() => {
  const at = document.activeElement.getBoundingClientRect();
  return at.height > 0 && at.top >= 0 && at.bottom <= window.innerHeight && at.left >= 0 && at.right <= window.innerWidth + 1;
})()"""
#: texts that stand over one another, or are cut by their own box
SPOILT = """[...document.querySelectorAll('main *, header *')].filter(e => e.children.length === 0 && e.textContent.trim()
  && getComputedStyle(e).overflow !== 'visible' && e.scrollWidth > e.clientWidth + 1).map(e => e.outerHTML.slice(0, 80))"""
WIDE, ZOOMED = (1280, 800, 1), (640, 400, 2)  # 1280×800 at 200 %


@pytest.fixture(scope="module")
def stage(postgres: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskStage]:
    with (
        scratch_database(postgres) as database,
        desk_stage(database, tmp_path_factory.mktemp("desk")) as made,
    ):
        yield made


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        yield browser
        browser.close()


class Clerk:
    """Somebody at a screen who has no mouse."""

    def __init__(
        self, chromium: Any, stage: DeskStage, person: Person, lang: str, screen: tuple[int, int, int] = WIDE
    ) -> None:
        width, height, scale = screen
        self.zoomed, self.lang, self.person = scale > 1, lang, person
        self.context = chromium.new_context(
            ignore_https_errors=True, viewport={"width": width, "height": height}, device_scale_factor=scale
        )
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.page.goto(f"{stage.served.url}/staff/sign-in?lang={lang}")

    def keys(self, *pressed: str) -> None:
        for key in pressed:
            if key in ("Enter", "Tab", "Space", "ArrowDown"):
                self.page.keyboard.press(key)
            else:
                self.page.keyboard.type(key)

    def look(self, name: str, *, judged: bool) -> None:
        """At 200 % zoom nothing runs out of the page, is cut, or takes the focus where nobody sees it. `judged`: a picture is
        kept, and axe finds nothing serious."""
        page = self.page
        if self.zoomed:
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (
                f"{name} runs out"
            )
            assert page.evaluate(SPOILT) == [], name
        if page.evaluate("document.activeElement !== document.body"):
            assert page.evaluate(SEEN), f"{name}: what has the focus is not seen"
        if judged or self.zoomed:
            PICTURES.mkdir(parents=True, exist_ok=True)
            suffix = f"{self.lang}-zoom200" if self.zoomed else self.lang
            page.screenshot(path=str(PICTURES / f"desk-{name}-{suffix}.png"), full_page=True)
        if not judged:
            return
        found = Axe().run(page).response["violations"]
        assert [
            (v["id"], v["nodes"][0]["html"][:120]) for v in found if v["impact"] in ("serious", "critical")
        ] == [], name

    def sign_in(self, *, judged: bool = False) -> None:
        self.look("sign-in", judged=judged)
        self.keys(
            self.person.teller_no,
            "Tab",
            self.person.credentials.password,
            "Tab",
            self.person.fresh_code(),
            "Enter",
        )
        self.page.wait_for_url("**/staff/")
        self.look("home", judged=judged)

    def find(self, words: str, *, judged: bool = False) -> None:
        """From the home page (or any with the next resident in focus) to the resident's page."""
        self.keys("Enter")
        self.page.wait_for_url("**/desk/")
        self.look("start", judged=judged)
        self.keys(words, "Enter")
        self.page.wait_for_url("**/desk/find")

    def redeem(self, counts: tuple[str, ...] = ("1",), *, judged: bool = False, then: str = "Enter") -> None:
        """Counts into the quantities from the first one on, down to the frozen redemption's page."""
        self.look("resident", judged=judged)
        self.keys(counts[0], *(key for count in counts[1:] for key in ("Tab", count)), then)
        self.page.wait_for_url("**/desk/basket")
        self.look("basket", judged=judged)
        self.keys("Enter")
        self.page.wait_for_url("**/redemptions/*")
        self.look("frozen", judged=judged)

    def finish(self, *, judged: bool = False) -> None:
        """The resident agrees, the goods go, the receipt comes."""
        self.keys("Enter")
        self.page.wait_for_selector("p.done")
        self.look("confirmed", judged=judged)
        self.keys("Enter")
        self.page.wait_for_selector('a[href$="/receipt"]')
        self.look("done", judged=judged)
        self.keys("Enter")
        self.page.wait_for_url("**/receipt")
        self.look("receipt", judged=judged)


@pytest.fixture
def enter(chromium: Any, stage: DeskStage) -> Iterator[Any]:
    inside: list[Clerk] = []

    def make(lang: str, screen: tuple[int, int, int] = WIDE, role: Role = Role.CLERK) -> Clerk:
        stage.fill()
        inside.append(Clerk(chromium, stage, stage.teller(role), lang, screen))
        return inside[-1]

    yield make
    for clerk in inside:
        clerk.context.close()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_from_sign_in_to_receipt_by_keyboard_in_every_town(enter: Any, lang: str) -> None:
    clerk = enter(lang)
    clerk.sign_in(judged=True)
    clerk.find(resident_id(BOTH), judged=True)
    clerk.redeem(("1", "1"), judged=True)
    assert clerk.page.locator("tr.sum").count() == 2
    clerk.finish(judged=True)
    for number in (n for n in RESIDENTS if len(RESIDENTS[n]) == 1 and n != FAMILY_OF_TWO):
        clerk.find(resident_id(number))
        clerk.redeem()
        clerk.finish()
        assert clerk.page.locator(".slip").count() == 2


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_same_at_200_percent_and_on_a4(enter: Any, lang: str) -> None:
    clerk = enter(lang, ZOOMED)
    clerk.sign_in()
    clerk.find(resident_id(BOTH))
    clerk.redeem(("1", "1"))
    clerk.finish()
    clerk.keys("Tab", "Enter")
    clerk.page.wait_for_url("**paper=a4")
    clerk.look("receipt-a4", judged=True)
    assert clerk.page.locator(".sheet").count() == 2


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_proxy_acts_by_keyboard_and_stands_on_the_receipt(enter: Any, stage: DeskStage, lang: str) -> None:
    clerk = enter(lang)
    clerk.sign_in()
    clerk.find(family_code(FAMILY_OF_TWO))
    clerk.look("candidates", judged=True)
    clerk.keys("Enter")
    clerk.page.wait_for_url("**/desk/resident")
    clerk.keys("1")
    clerk.keys("Tab", "Tab", "Enter", "Tab")  # over the other good, open the proxy's fields, into the first
    clerk.keys(resident_id(116))  # a reader ends with Enter: the proof is still missing, and the page says so
    clerk.keys("Enter")
    clerk.page.wait_for_selector('[role="alert"]')
    clerk.look("proxy-incomplete", judged=True)
    clerk.keys(resident_id(116), "Tab", "ArrowDown", "ArrowDown", "Tab", "Enter")
    clerk.page.wait_for_selector('form[action="/desk/redeem"]')
    clerk.look("basket-proxy", judged=True)
    clerk.keys("Enter")
    clerk.page.wait_for_url("**/redemptions/*")
    clerk.finish()
    clerk.look("receipt-proxy", judged=True)
    said = {"zh": "同一户口簿", "en": "Household register with both"}[lang]
    assert clerk.page.locator(".slip", has_text=said).count() == 2
    found = stage.database.sql(
        "select proxy_proof, proxy_person_id is not null from redemption where proxy_proof <> ''"
    )
    assert ("household_book", True) in found


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_history_open_outcomes_and_the_supervisors_page(enter: Any, stage: DeskStage, lang: str) -> None:
    clerk = enter(lang, role=Role.SUPERVISOR)
    clerk.sign_in()
    stage.towns[WUHE].arm("drop", "freeze")
    stage.towns[WUHE].arm("busy", "find", times=50)
    clerk.find(resident_id(13))
    clerk.redeem()
    assert clerk.page.locator(".tag.warn").count() >= 1
    clerk.look("unknown", judged=True)
    clerk.page.goto(f"{stage.served.url}/desk/waiting")
    clerk.look("waiting", judged=True)
    clerk.page.goto(f"{stage.served.url}/desk/supervisor")
    clerk.look("supervisor", judged=True)
    stage.towns[WUHE].calm()
    clerk.page.goto(f"{stage.served.url}/desk/")
    clerk.keys(resident_id(13), "Enter")
    clerk.page.wait_for_url("**/desk/find")
    clerk.page.focus("form[action='/desk/history'] button")
    clerk.keys("Enter")
    clerk.page.wait_for_url("**/desk/history")
    assert clerk.page.locator("ol.timeline").count() >= 1
    clerk.look("history", judged=True)


def test_a_receipt_prints_on_a_roll_or_on_a4(enter: Any, stage: DeskStage, tmp_path: Path) -> None:
    clerk = enter("zh")
    clerk.sign_in()
    clerk.find(resident_id(11))
    clerk.redeem()
    clerk.finish()
    assert _page_sizes_mm(clerk.page.pdf(prefer_css_page_size=True)) == [(80, 200), (80, 200)]
    clerk.page.goto(clerk.page.url + "?paper=a4")
    assert _page_sizes_mm(clerk.page.pdf(prefer_css_page_size=True)) == [(210, 297), (210, 297)]
    assert stage.towns[LIJIAYUAN].state()["freezes"]


def _page_sizes_mm(document: bytes) -> list[tuple[int, int]]:
    """Width and height of each page, from the media boxes (1/72 inch)."""
    import re

    boxes = re.findall(rb"/MediaBox\s*\[\s*0 0 ([0-9.]+) ([0-9.]+)\s*\]", document)
    return [(round(float(w) * 25.4 / 72), round(float(h) * 25.4 / 72)) for w, h in boxes]
