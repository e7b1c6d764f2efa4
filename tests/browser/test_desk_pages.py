"""Bar 1: from sign-in to receipt by keyboard alone, in zh and en; pictures of every page, and axe finds nothing serious."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, sync_playwright

from tests.browser.chromium import find_chromium
from tests.flows.test_desk_door import FAMILY, ID_NO, Desk, desk

__all__ = ["desk"]  # the fixture
pytestmark = pytest.mark.skipif(
    find_chromium() is None, reason="no Chromium on this machine: .ci/run installs it"
)
PICTURES = Path(__file__).parents[2] / "artefacts" / "screenshots"


def _look(page: Page, name: str) -> None:
    """Keep a picture, and let axe judge."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(PICTURES / f"desk-{name}.png"))
    found = Axe().run(page).response["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == [], name


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_from_sign_in_to_receipt_by_keyboard(desk: Desk, lang: str) -> None:
    desk.town.calls.post(f"{desk.town.address}/_accounts", json={FAMILY: 100_000}, timeout=5)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        context = browser.new_context(ignore_https_errors=True, viewport={"width": 1280, "height": 800})
        page, clerk = context.new_page(), desk.clerk
        page.goto(f"{desk.served.url}/staff/sign-in?lang={lang}")
        _look(page, f"sign-in-{lang}")
        keys = page.keyboard
        for text in (clerk.teller_no, clerk.credentials.password):
            keys.type(text)
            keys.press("Tab")
        keys.type(clerk.fresh_code())
        keys.press("Enter")
        steps = (("home", "**/staff/", ""), ("start", "**/desk/", ID_NO), ("resident", "**/desk/find", "1"),
                 ("basket", "**/desk/basket", ""), ("frozen", "**/redemptions/*", ""))  # fmt: skip
        for name, address, typed in steps:
            page.wait_for_url(address)
            _look(page, f"{name}-{lang}")
            keys.type(typed)
            keys.press("Enter")
        page.wait_for_selector("p.done")
        _look(page, f"confirmed-{lang}")
        keys.press("Enter")
        page.wait_for_selector('a[href$="/receipt"]')
        _look(page, f"done-{lang}")
        keys.press("Enter")
        page.wait_for_url("**/receipt")
        _look(page, f"receipt-{lang}")
        browser.close()
