"""The pages of operations: for operators only, numbers and reasons, in Chinese and English."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.db.embedded import Embedded
from gateway.flows.note_neighbour import note_neighbour
from gateway.flows.switch_neighbour import switch_neighbour
from schemas.staff import Role
from tests.conftest import TestDatabase
from tests.served import Served, scratch_database, served_gateway
from tests.staff_stage import Browser, add_person

PAGES = ("/operations/", "/operations/differences", "/operations/quarantine")
PICTURES = Path(__file__).parents[2] / "artefacts" / "screenshots"


@pytest.fixture(scope="module")
def database(postgres: Embedded) -> Iterator[TestDatabase]:
    with scratch_database(postgres) as made:
        yield made


@pytest.fixture(scope="module")
def served(database: TestDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served_gateway(database, tmp_path_factory.mktemp("web"), web_processes="1") as running:
        _arrange(running, database)
        yield running


def _arrange(served: Served, database: TestDatabase) -> None:
    """A paused town, a bank whose breaker opened, items in quarantine, differences of three kinds."""
    now = datetime.now(UTC)
    switch_neighbour(served.house, "lijiayuan", paused=True, why="平台升级", by="li", now=now)
    note_neighbour(served.house, "bank_core", "failed", now=now, code="bank-timeout")
    for number, (code, detail) in enumerate(
        (("unknown-activity", "activity 'drone'"), ("unknown-household", "no family"))
    ):
        database.sql(
            "insert into quarantined_item values (gen_random_uuid(), %s, 'lijiayuan', %s, %s, %s, %s, %s)",
            (number, f"LJY-Q-{number}", code, detail, now - timedelta(days=3), now + timedelta(days=87)),
        )
    steps = (
        ("LJY-1", "theirs_only", "", "", "award 300", "town", "send-again", "open", ""),
        (
            "LJY-2",
            "differs",
            "points,account",
            "award 250",
            "award 300",
            "town",
            "reverse-and-send",
            "open",
            "",
        ),
        ("=LJY-3", "ours_only", "", "spend 1250", "", "town", "list-or-reverse", "explained", "镇街次日补列"),
    )
    for reference, *said in steps:
        database.sql(
            "insert into difference_change values ('lijiayuan', 'contribution', %s, 1, gen_random_uuid(), %s, %s, %s, %s, %s, %s,"
            " %s, %s, %s, 'gateway', %s, %s)",
            (reference, (now - timedelta(days=2)).date(), *said, now - timedelta(days=2), now),
        )


@pytest.fixture
def browser(served: Served) -> Iterator[Browser]:
    made = Browser(served.url, served.certificates.ca_cert)
    yield made
    made.close()


def _text(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, (path, answer.status_code, answer.text[:300])
    return answer.text


def test_an_operator_sees_how_everybody_stands(served: Served, browser: Browser) -> None:
    browser.sign_in(add_person(served.house, "O001", Role.OPERATOR))
    page = _text(browser, "/operations/")
    for words in (
        "沥家园",
        "瓜沥镇",
        "银行信贷系统",
        "未知活动代码",
        "待处理",
        "1 已说明",
        "2 个对端需要处理",
    ):
        assert words in page, words
    english = _text(browser, "/operations/?lang=en")
    for words in ("Bank credit system", "Unknown activity", "open", "1 explained"):
        assert words in english, words
    _text(browser, "/operations/?lang=zh")
    listed = _text(browser, "/operations/differences?town=lijiayuan")
    for words in ("LJY-1", "对方有我无", "分值、账户", "奖励 2.5", "镇街次日补列", "2 天"):
        assert words in listed, words
    assert "LJY-1" not in _text(browser, "/operations/differences?on=2020-01-01")
    assert "LJY-Q-0" in _text(browser, "/operations/quarantine")
    _keep(browser)


def _keep(browser: Browser) -> None:
    """The pages as files with their styles, for `make screenshots` and whoever wants to look."""
    styles = "".join(browser.get(f"/static/{name}").text for name in ("gateway.css", "staff.css"))
    PICTURES.mkdir(parents=True, exist_ok=True)
    for path in PAGES:
        name = path.strip("/").replace("/", "-")
        text = _text(browser, path).replace("</head>", f"<style>{styles}</style></head>")
        (PICTURES / f"{name}.html").write_text(text)


def test_the_table_to_take_away(served: Served, browser: Browser) -> None:
    browser.sign_in(add_person(served.house, "O002", Role.OPERATOR))
    answer = browser.get("/operations/differences.csv?town=lijiayuan")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="differences-lijiayuan-open.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["reference"] for row in rows] == ["'=LJY-3", "LJY-1", "LJY-2"]
    assert {row["owner"] for row in rows} == {"town"}


@pytest.mark.parametrize("path", [*PAGES, "/operations/differences.csv"])
def test_nobody_else_sees_them(served: Served, browser: Browser, path: str) -> None:
    asked = browser.get(path)
    assert (asked.status_code, asked.headers["Location"].partition("?")[0]) == (303, "/staff/sign-in")
    number = f"C{abs(hash(path)) % 10_000:04d}"
    browser.sign_in(add_person(served.house, number, Role.CLERK, Role.SUPERVISOR))
    assert browser.get(path).status_code == 403


def test_the_short_address_leads_there_and_the_start_page_names_it(browser: Browser) -> None:
    answer = browser.get("/neighbours")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/operations/")
    assert 'href="/operations/"' in _text(browser, "/")


def test_the_same_numbers_for_prometheus(browser: Browser) -> None:
    text = _text(browser, "/metrics")
    for line in (
        'gateway_neighbour_up{neighbour="lijiayuan"} 0.0',
        'gateway_neighbour_up{neighbour="bank_core"} 0.0',
        'gateway_quarantine_items{code="unknown-activity",town="lijiayuan"} 1.0',
        'gateway_differences{owner="town",state="open",town="lijiayuan"} 2.0',
        'gateway_differences{owner="town",state="explained",town="lijiayuan"} 1.0',
    ):
        assert line in text, line
    assert 'gateway_differences_oldest_seconds{owner="town",state="open",town="lijiayuan"} 172' in text
