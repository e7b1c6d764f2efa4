"""Bar 5: an auditor finds a resident, sees the picture, follows one number to its reference, checks it in the page, exports the
evidence; in zh and en; pictures of every page, and axe finds nothing serious."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import Page, Route, sync_playwright

from gateway.db.embedded import Embedded
from gateway.flows.list_log_keys import list_log_keys
from gateway.translog.note import Verifier, parse_vkey
from gateway.verifier.evidence import verify_evidence
from schemas.staff import Role
from tests.audit_stage import WANG, AuditStage, audit_stage, close
from tests.browser.chromium import NEEDS_CHROMIUM, find_chromium
from tests.staff_stage import Person, add_person

pytestmark = NEEDS_CHROMIUM
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
    page.screenshot(path=str(PICTURES / f"audit-{name}.png"), full_page=not name.startswith("resident"))
    found = Axe().run(page).response["violations"]
    assert [
        (v["id"], [n["html"][:200] for n in v["nodes"]])
        for v in found
        if v["impact"] in ("serious", "critical")
    ] == [], name
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (
        "nothing runs out of the page"
    )


def _sign_in(page: Page, stage: AuditStage, lang: str, auditor: Person) -> None:
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
    refused: list[str] = []
    page.on("console", lambda said: refused.append(said.text) if said.type == "error" else None)
    _sign_in(page, stage, lang, stage.auditor if lang == "zh" else stage.other_auditor)
    _look(page, f"search-{lang}")
    page.fill("#words", WANG)
    page.select_option("#reason", "audit_objection")
    page.keyboard.press("Enter")
    page.wait_for_url("**/audit/looks/*/")
    _look(page, f"resident-{lang}")
    where = page.url
    page.get_by_role("button", name="现在核验" if lang == "zh" else "Check this now").click()
    verdict = page.locator("#check [role=status]")
    verdict.and_(page.locator(".done")).wait_for()
    assert "town.example/witness" in verdict.inner_text()
    assert page.locator(".steps .good").count() == 10
    assert page.locator(".steps .bad").count() == 0
    page.locator("#check").scroll_into_view_if_needed()
    _look(page, f"checked-{lang}")
    page.locator("svg a", has_text="100%").first.click()
    page.wait_for_url("**/audit/rulesets/*")
    row = page.locator("tr:target")
    assert "weight_percent: 100" in row.inner_text()
    assert "[P] everyday duties are capped" in row.inner_text()
    _look(page, f"ruleset-{lang}")
    page.goto(where)
    zh = lang == "zh"
    page.get_by_role("link", name="与上一次决定对比" if zh else "Compare with the decision before").click()
    page.wait_for_url("**/before")
    _look(page, f"before-{lang}")
    page.get_by_role("link", name="时间线" if zh else "Timeline").click()
    page.wait_for_url("**/timeline")
    _look(page, f"timeline-{lang}")
    for name in ("period", "staff"):
        page.goto(f"{stage.served.url}/audit/{name}")
        _look(page, f"{name}-{lang}")
    page.goto(where)
    with page.expect_download() as download:
        page.get_by_role("button", name="导出本决定" if zh else "Export this decision").click()
    keys = [parse_vkey(one) for one in [*list_log_keys(stage.house), stage.witness.vkey]]
    verdict = verify_evidence(Path(download.value.path()).read_bytes(), keys, quorum=1)
    assert verdict.about_id == str(stage.decisions()[-1])
    assert refused == []
    context.close()


@pytest.fixture(scope="module")
def case(stage: AuditStage, chromium: Any) -> Iterator[Page]:
    """A third auditor with a resident's page before them."""
    context = chromium.new_context(ignore_https_errors=True, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(20_000)
    person = add_person(stage.served.house, "A003", Role.AUDITOR)
    _sign_in(page, stage, "en", person)
    page.fill("#words", WANG)
    page.select_option("#reason", "audit_sample")
    page.keyboard.press("Enter")
    page.wait_for_url("**/audit/looks/*/")
    yield page
    context.close()


def _checked(page: Page) -> tuple[str, str]:
    """Check now; (class of the verdict, the last step)."""
    page.locator("#check button").click()
    verdict = page.locator("#check [role=status]:is(.done, .fault, .hint)")
    verdict.wait_for()
    page.wait_for_function("!document.querySelector('#check button').disabled")
    return str(verdict.get_attribute("class")), page.locator(".steps li").last.inner_text()


def _of(document: Any, kind: str) -> Any:
    return next(one for one in document["statements"] if json.loads(one["record"])["kind"] == kind)


def _leaf(document: Any) -> None:
    one = _of(document, "decision")
    one["record"] = one["record"].replace("stage", "other").replace("shimin", "shimim")


def _proof(document: Any) -> None:
    path = _of(document, "decision")["path"]
    path[0] = base64.b64encode(bytes(32)).decode()


def _position(document: Any) -> None:
    _of(document, "decision")["leaf"] += 1


def _root(document: Any) -> None:
    lines = document["checkpoint"].split("\n")
    lines[2] = base64.b64encode(bytes(32)).decode()
    document["checkpoint"] = "\n".join(lines)


def _witness(document: Any) -> None:
    lines = document["checkpoint"].splitlines(keepends=True)
    document["checkpoint"] = "".join(line for line in lines if "town.example" not in line)


def _discount(document: Any) -> None:
    _of(document, "decision")["opening"]["content"]["discount_bp"] += 10


def _trace(document: Any) -> None:
    attached = _of(document, "decision")["attached"]
    attached["body"] = attached["body"].replace("shimin", "shimim").replace('"v":1', '"v":2')


def _facts(document: Any) -> None:
    attached = _of(document, "decision")["attached"]
    attached["facts"] = attached["facts"].replace('"v":1', '"v":2')


def _rule(document: Any) -> None:
    attached = _of(document, "ruleset_proposed")["attached"]
    attached["document"] = attached["document"].replace("150", "160")


def _unapproved(document: Any) -> None:
    document["statements"].remove(_of(document, "ruleset_approved"))


def _other_key(document: Any) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()
    document["keys"] = [Verifier("gateway.example/log", 1, key).vkey()]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_leaf, "does not lead to the signed root"),
        (_proof, "does not lead to the signed root"),
        (_position, "does not lead to the signed root"),
        (_root, "signature of gateway.example/log does not hold"),
        (_witness, "Only 0 of 1 witnesses"),
        (_discount, "are not those the record committed to"),
        (_trace, "trace or its result is not the one committed to"),
        (_facts, "facts are not those committed to"),
        (_rule, "ruleset is not the recorded one"),
        (_unapproved, "approval is missing"),
        (_other_key, "No signature of the log by a key we know"),
    ],
)
def test_what_was_altered_is_seen_in_the_page(case: Page, change: Any, said: str) -> None:
    """Whatever of the server's answer is altered on the way, the page says so, and where."""

    def altered(route: Route) -> None:
        answer = route.fetch()
        document = answer.json()
        change(document)
        route.fulfill(response=answer, json=document)

    case.route("**/proof", altered)
    look, last = _checked(case)
    case.unroute("**/proof")
    assert (look, said in last) == ("fault", True), last


def test_a_page_that_shows_something_else_is_seen(case: Page) -> None:
    case.evaluate("document.getElementById('check').dataset.discount = '99'")
    look, last = _checked(case)
    assert (look, "shows 99, sealed is 45" in last) == ("fault", True), last
    case.reload()
    assert _checked(case)[0] == "done"


def test_a_log_that_was_rewritten_since_is_seen(case: Page) -> None:
    """The browser keeps what it saw; a log that does not continue it, with right signatures, is found."""
    assert _checked(case)[0] == "done"
    case.evaluate("""() => { for (const key of Object.keys(localStorage)) { const kept = JSON.parse(localStorage[key]);
        localStorage[key] = JSON.stringify({size: kept.size - 1, root: kept.root}); } }""")
    look, last = _checked(case)
    assert (look, "it was rewritten" in last) == ("fault", True), last
    case.evaluate("localStorage.clear()")


def test_a_browser_that_cannot_says_so(case: Page) -> None:
    case.evaluate(
        """() => { crypto.subtle.importKey = async () => { throw new DOMException('', 'NotSupportedError'); }; }"""
    )
    look, last = _checked(case)
    assert (look, "does not know Ed25519" in last) == ("hint", True), last
    case.reload()


def test_keys_from_paper_are_used_alone(stage: AuditStage, case: Page) -> None:
    case.locator("#check summary").click()
    case.fill("#keys", "\n".join([*list_log_keys(stage.house), stage.witness.vkey]))
    assert _checked(case)[0] == "done"
    assert "pasted by you" in case.locator(".steps li").first.inner_text()
    case.fill("#keys", "nonsense")
    assert _checked(case)[1].endswith("Not a verifier key: nonsense")
    case.reload()
