"""Bar 5: an auditor finds a resident, sees the picture, follows one number to its reference, checks it in the page, exports the
evidence; in zh and en; pictures of every page, and axe finds nothing serious."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, sync_playwright

from gateway.db.embedded import Embedded
from tests.audit_stage import WANG, AuditStage, audit_stage, close
from tests.browser.chromium import find_chromium

pytestmark = pytest.mark.skipif(
    find_chromium() is None, reason="no Chromium on this machine: .ci/run installs it"
)
PICTURES = Path(__file__).parents[2] / "artefacts" / "screenshots"


@pytest.fixture(scope="module")
def stage(postgres: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuditStage]:
    with audit_stage(postgres, tmp_path_factory.mktemp("audit")) as made:
        yield made
        close(made)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        yield browser
        browser.close()


def _look(page: Page, name: str) -> None:
    """Keep a picture, and let axe judge."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(PICTURES / f"audit-{name}.png"))
    page.screenshot(path=str(PICTURES / f"audit-{name}-whole.png"), full_page=True)
    found = Axe().run(page).response["violations"]
    assert [
        (v["id"], [n["html"][:200] for n in v["nodes"]])
        for v in found
        if v["impact"] in ("serious", "critical")
    ] == [], name
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (
        "nothing runs out of the page"
    )


def _sign_in(page: Page, stage: AuditStage, lang: str) -> None:
    auditor = stage.auditor if lang == "zh" else stage.other_auditor
    page.goto(f"{stage.served.url}/staff/sign-in?next=/audit/&lang={lang}")
    page.fill("#teller_no", auditor.teller_no)
    page.fill("#password", auditor.credentials.password)
    page.fill("#code", auditor.fresh_code())
    page.keyboard.press("Enter")
    page.wait_for_url("**/audit/")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_an_auditor_sees_why_and_proves_it(stage: AuditStage, chromium: Any, lang: str) -> None:
    context = chromium.new_context(ignore_https_errors=True, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    _sign_in(page, stage, lang)
    _look(page, f"search-{lang}")
    page.fill("#words", WANG)
    page.select_option("#reason", "audit_objection")
    page.keyboard.press("Enter")
    page.wait_for_url("**/audit/looks/*/")
    _look(page, f"resident-{lang}")
    page.locator("svg a", has_text="100%").first.click()
    page.wait_for_url("**/audit/rulesets/*")
    row = page.locator("tr:target")
    assert "weight_percent: 100" in row.inner_text()
    assert "[P] everyday duties are capped" in row.inner_text()
    _look(page, f"ruleset-{lang}")
    context.close()
