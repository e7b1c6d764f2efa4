"""The sign-in as a browser meets it: real TLS, cookies, forms, refusals."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.db.embedded import Embedded
from schemas.staff import Role
from tests.conftest import TestDatabase
from tests.served import Served, scratch_database, served_gateway
from tests.staff_stage import Browser, add_person


@pytest.fixture(scope="module")
def database(postgres: Embedded) -> Iterator[TestDatabase]:
    with scratch_database(postgres) as made:
        yield made


@pytest.fixture(scope="module")
def served(database: TestDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served_gateway(database, tmp_path_factory.mktemp("web"), web_processes="1") as running:
        yield running


@pytest.fixture
def browser(served: Served) -> Iterator[Browser]:
    made = Browser(served.url, served.certificates.ca_cert)
    yield made
    made.close()


def test_a_clerk_signs_in_and_out(served: Served, browser: Browser) -> None:
    clerk = add_person(served.house, "D001", Role.CLERK)
    asked = browser.get("/staff/")
    assert (asked.status_code, asked.headers["Location"]) == (
        303,
        "/staff/sign-in?next=/staff/&why=session-missing",
    )
    entered = browser.sign_in(clerk)
    assert (entered.status_code, entered.headers["Location"]) == (303, "/staff/")
    cookie = entered.headers["Set-Cookie"]
    assert cookie.startswith("__Host-session=")
    for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert word in cookie
    assert "Domain" not in cookie
    home = browser.get("/staff/")
    assert home.status_code == 200
    assert "D001" in home.text
    assert 'lang="zh-CN"' in home.text
    assert home.headers["Cache-Control"] == "no-store"
    policy = home.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "form-action 'self'" in policy
    token = browser.session.cookies["__Host-session"]
    left = browser.post("/staff/sign-out", page="/staff/")
    assert left.status_code == 200
    assert "已退出" in left.text
    browser.session.cookies.set("__Host-session", token)  # whoever kept the cookie has nothing
    assert browser.get("/staff/").status_code == 303


def test_the_chosen_language_stays(served: Served, browser: Browser) -> None:
    clerk = add_person(served.house, "D002", Role.CLERK)
    assert "Sign in" in browser.get("/staff/sign-in?lang=en").text
    browser.sign_in(clerk)
    assert "What you may do" in browser.get("/staff/").text
    assert "您的权限" in browser.get("/staff/?lang=zh").text
    assert "您的权限" in browser.get("/staff/").text


def test_wrong_credentials_say_so_and_keep_the_number(served: Served, browser: Browser) -> None:
    add_person(served.house, "D003", Role.CLERK)
    refused = browser.post("/staff/sign-in", teller_no="D003", password="<b>not this one", code="123456")
    assert refused.status_code == 401
    assert "柜员号、密码或验证码有误" in refused.text
    assert 'value="D003"' in refused.text
    assert "not this one" not in refused.text


@pytest.mark.parametrize("path", ["/staff/sign-out", "/staff/password"])
def test_a_forged_form_is_refused_and_recorded(
    served: Served, browser: Browser, database: TestDatabase, path: str
) -> None:
    clerk = add_person(served.house, f"F{path[-3:]}", Role.CLERK)
    browser.sign_in(clerk)
    token = browser.form_token("/staff/")
    forged = [
        browser.send(path, {"old": "x"}),
        browser.send(path, {"form_token": "0" * 64}),
        browser.send(path, {"form_token": "不是"}),
        browser.send(path, {"form_token": token}, **{"Sec-Fetch-Site": "cross-site"}),
        browser.send(path, {"form_token": token}, **{"Sec-Fetch-Site": "same-site"}),
    ]
    assert [answer.status_code for answer in forged] == [403] * 5
    assert all("form-forged" in answer.text for answer in forged)
    assert browser.get("/staff/").status_code == 200
    found = database.sql(
        "select count(*) from staff_event where code = 'form-forged' and teller_no = %s and place = %s",
        [clerk.teller_no, path],
    )
    assert found == [(5,)]


def test_a_sign_in_from_another_site_is_refused(served: Served, browser: Browser) -> None:
    clerk = add_person(served.house, "D004", Role.CLERK)
    fields = {"teller_no": "D004", "password": clerk.credentials.password, "code": clerk.fresh_code()}
    assert browser.send("/staff/sign-in", fields).status_code == 403
    fields["form_token"] = browser.form_token("/staff/sign-in")
    assert browser.send("/staff/sign-in", fields, **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert "__Host-session" not in browser.session.cookies


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "evil"]
)
def test_the_way_back_leads_to_us(served: Served, browser: Browser, back: str) -> None:
    clerk = add_person(served.house, f"W{abs(hash(back)) % 10**8}", Role.CLERK)
    entered = browser.post(
        "/staff/sign-in",
        teller_no=clerk.teller_no,
        password=clerk.credentials.password,
        code=clerk.fresh_code(),
        next=back,
    )
    assert (entered.status_code, entered.headers["Location"]) == (303, "/staff/")


def test_refusals_are_pages(served: Served, browser: Browser) -> None:
    clerk = add_person(served.house, "D005", Role.CLERK)
    browser.sign_in(clerk)
    answer = browser.session.post(served.url + "/staff/password", json={"a": 1}, timeout=10)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (415, "no-store")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "未能办理" in answer.text


def test_a_password_is_changed_on_its_page(served: Served, browser: Browser) -> None:
    clerk = add_person(served.house, "D006", Role.CLERK)
    browser.sign_in(clerk)
    new = "a sentence of my own"
    fields = {"old": clerk.credentials.password, "new": new}
    refused = browser.post("/staff/password", **fields, again="something else", code=clerk.fresh_code())
    assert refused.status_code == 400
    assert "两次输入的新密码不一致" in refused.text
    changed = browser.post("/staff/password", **fields, again=new, code=clerk.fresh_code())
    assert changed.status_code == 200, changed.text
    assert "密码已修改" in changed.text
    assert browser.get("/staff/").status_code == 303


def test_no_log_line_holds_a_secret(served: Served, browser: Browser) -> None:
    clerk = add_person(served.house, "D007", Role.CLERK)
    browser.sign_in(clerk)
    token = browser.session.cookies["__Host-session"]
    browser.get("/staff/")
    lines = "\n".join(served.log_lines())
    assert clerk.credentials.password not in lines
    assert token not in lines
    assert "测试D007" not in lines
