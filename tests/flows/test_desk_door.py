"""The branch desk as a browser meets it: from the search to the receipt, and what is refused; real TLS, a simulated town."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import orjson
import pytest

from gateway.db.embedded import Embedded
from gateway.flows.offer_goods import offer_goods
from gateway.flows.picture_good import picture_good
from gateway.flows.register_households import register_households
from gateway.flows.stock_goods import stock_goods
from schemas.goods import Movement, NewGood, NewPrice
from schemas.staff import Role
from schemas.values import TownCode
from tests.bank_stage import resident_id
from tests.conftest import TestDatabase
from tests.contract.simulated_town import SimulatedTown, running_town
from tests.desk_stage import drawn_picture
from tests.served import Served, scratch_database, served_gateway
from tests.staff_stage import BRANCH, Browser, Person, add_person

TOWN = TownCode("lijiayuan")
FAMILY, ID_NO = "GL000001", resident_id(7)
OTHER_ID = resident_id(8)
FORMS = "application/x-www-form-urlencoded"


@dataclass
class Desk:
    """A served gateway with a stocked branch, its town, and its people."""

    served: Served
    town: SimulatedTown
    database: TestDatabase
    clerk: Person
    supervisor: Person
    pan: UUID
    television: UUID
    inside: dict[str, Browser] = field(default_factory=dict)

    def enter(self, person: Person) -> Browser:
        """Signed in once: a code of the second factor opens the door once."""
        if person.teller_no in self.inside:
            return self.inside[person.teller_no]
        browser = self.inside[person.teller_no] = Browser(self.served.url, self.served.certificates.ca_cert)
        assert browser.sign_in(person).status_code == 303
        return browser


@pytest.fixture(scope="module")
def desk(postgres: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("desk")
    with running_town(folder / "town") as town, scratch_database(postgres) as database:
        neighbours = folder / "neighbours.toml"
        config = town.config
        neighbours.write_text(
            f'[lijiayuan]\naddress = "{config.address}"\nclient_id = "gateway"\nkey_file = "{config.key_file}"\n'
            f'key_id = "{config.key_id}"\nca_file = "{config.ca_file}"\nanswer_timeout_s = 1.0\nsandbox = true\n'
        )
        with served_gateway(database, folder, web_processes="1", neighbours_file=str(neighbours)) as served:
            made = _set_up(served, town, database)
            yield made
            for browser in made.inside.values():
                browser.close()


def _set_up(served: Served, town: SimulatedTown, database: TestDatabase) -> Desk:
    house, now = served.house, datetime.now(UTC)
    consents = [
        {
            "purpose": p,
            "givenAt": "2026-01-01T08:00:00+08:00",
            "textVersion": "v1",
            "evidence": "form",
            "guardian": False,
        }
        for p in ("loanMapping", "redemption")
    ]
    member = {"memberIdNo": ID_NO, "memberName": "测试甲", "isHead": True, "consents": consents}
    other = {**member, "memberIdNo": OTHER_ID, "memberName": "邻乙", "isHead": False}
    body = {
        "households": [
            {"familyCode": FAMILY, "village": "试村", "memberSince": "2025-01-01", "members": [member, other]}
        ]
    }
    answer = register_households(house, TOWN, "lijiayuan-test", orjson.dumps(body), now=now)
    assert [str(item.status) for item in answer] == ["accepted"], answer
    on = date(2026, 1, 1)
    offer_goods(
        house,
        [NewGood("PAN", "炒锅", "Pan", "pan"), NewGood("TV", "电视", "Television")],
        [NewPrice("PAN", TOWN, on, 1_000, 5_000, "a"), NewPrice("TV", TOWN, on, 2_000, 90_000, "a")],
        by="test",
        now=now,
    )
    found = {str(code): str(good) for code, good in database.sql("select code, good_id::text from good")}
    pan, television = UUID(found["PAN"]), UUID(found["TV"])
    stock_goods(
        house,
        [Movement("receive", BRANCH, good, 9, 0) for good in (pan, television)],
        by="test",
        cause_id=uuid4(),
        now=now,
    )
    return Desk(
        served,
        town,
        database,
        add_person(house, "C001", Role.CLERK),
        add_person(house, "S001", Role.SUPERVISOR),
        pan,
        television,
    )


@pytest.fixture
def clerk(desk: Desk) -> Iterator[Browser]:
    desk.town.calls.post(f"{desk.town.address}/_accounts", json={FAMILY: 100_000}, timeout=5)
    yield desk.enter(desk.clerk)
    desk.town.calls.delete(f"{desk.town.address}/_faults", timeout=5)


def _form_of(text: str, action: str) -> dict[str, str]:
    inner = text.partition(f'action="{action}"')[2].partition("</form>")[0]
    return dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', inner))


def _redeem(desk: Desk, clerk: Browser, good: UUID, count: str = "1") -> str:
    """From the search to the redemption's page; its address."""
    found = clerk.post("/desk/find", page="/desk/", words=ID_NO, reason="redemption")
    assert found.status_code == 200, found.text
    chosen = {**_form_of(found.text, "/desk/basket"), f"q:{good}:{TOWN}": count}
    basket = clerk.send("/desk/basket", chosen)
    assert basket.status_code == 200, basket.text
    done = clerk.send("/desk/redeem", _form_of(basket.text, "/desk/redeem"))
    assert done.status_code == 303, done.text
    return done.headers["Location"]


def _act(browser: Browser, where: str, action: str) -> str:
    done = browser.send(f"{where}/{action}", {"form_token": browser.form_token(where)})
    assert done.status_code == 303, done.text
    return browser.get(where).text


def test_from_search_to_receipt(desk: Desk, clerk: Browser) -> None:
    found = clerk.post("/desk/find", page="/desk/", words=ID_NO, reason="redemption").text
    assert "测**" in found
    assert "沥家园" in found
    for personal in (ID_NO, "测试甲", FAMILY):
        assert personal not in found
    assert ">1000<" in found
    where = _redeem(desk, clerk, desk.pan, "2")
    assert "积分已冻结" in clerk.get(where).text
    assert "请交付商品" in _act(clerk, where, "confirm")
    assert "办理完成" in _act(clerk, where, "hand-over")
    receipt = clerk.get(where + "/receipt").text
    assert receipt.count("炒锅 ×2") == 2
    assert "居民联" in receipt
    assert "银行联" in receipt
    looks = desk.database.sql("select reason from staff_look where teller_no = 'C001'")
    assert ("redemption",) in looks
    assert FAMILY not in "\n".join(desk.served.log_lines())
    assert ID_NO not in "\n".join(desk.served.log_lines())


@pytest.mark.parametrize("words", [FAMILY, ID_NO.lower()])
def test_a_resident_is_found_by_what_they_carry(clerk: Browser, words: str) -> None:
    assert "测**" in clerk.post("/desk/find", page="/desk/", words=words, reason="enquiry").text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"words": "330109999", "reason": "redemption"}, "没有找到该居民"),
        ({"words": "???", "reason": "redemption"}, "请输入 18 位身份证号"),
        ({"words": ID_NO, "reason": "curiosity"}, "请选择查询原因"),
        ({"words": ID_NO}, "请选择查询原因"),
    ],
)
def test_a_search_that_cannot_be_says_why(clerk: Browser, fields: dict[str, str], said: str) -> None:
    answer = clerk.post("/desk/find", page="/desk/", **fields)
    assert answer.status_code in (400, 404)
    assert said in answer.text


def test_the_same_click_twice_is_one_redemption(desk: Desk, clerk: Browser) -> None:
    found = clerk.post("/desk/find", page="/desk/", words=ID_NO, reason="redemption")
    chosen = {**_form_of(found.text, "/desk/basket"), f"q:{desk.pan}:{TOWN}": "1"}
    form = _form_of(clerk.send("/desk/basket", chosen).text, "/desk/redeem")
    first, second = clerk.send("/desk/redeem", form), clerk.send("/desk/redeem", form)
    assert first.headers["Location"] == second.headers["Location"]
    _act(clerk, first.headers["Location"], "release")


def test_a_tampered_price_is_refused(desk: Desk, clerk: Browser) -> None:
    found = clerk.post("/desk/find", page="/desk/", words=ID_NO, reason="redemption")
    chosen = {**_form_of(found.text, "/desk/basket"), f"q:{desk.pan}:{TOWN}": "1"}
    form = _form_of(clerk.send("/desk/basket", chosen).text, "/desk/redeem")
    answer = clerk.send("/desk/redeem", {**form, f"shown:{TOWN}": "1"})
    assert answer.status_code == 409
    assert "价格已变更" in answer.text


def test_a_second_person_approves_and_reverses(desk: Desk, clerk: Browser) -> None:
    where = _redeem(desk, clerk, desk.television)
    assert "等待授权主管授权" in clerk.get(where).text
    refused = clerk.send(f"{where}/confirm", {"form_token": clerk.form_token(where)})
    assert refused.status_code == 422
    assert "须由另一位授权主管授权" in refused.text
    tried = clerk.send(f"{where}/approve", {"form_token": clerk.form_token(where)})
    assert tried.status_code == 403
    supervisor = desk.enter(desk.supervisor)
    assert where in supervisor.get("/desk/supervisor").text
    _act(supervisor, where, "approve")
    _act(clerk, where, "confirm")
    _act(clerk, where, "hand-over")
    assert "已冲正" in _act(supervisor, where, "reverse")
    recorded = desk.database.sql(
        "select place from staff_event where teller_no = 'C001' and event = 'refused'"
    )
    assert any("approve" in str(place) or "action" in str(place) for (place,) in recorded)


def test_a_lost_answer_is_shown_with_what_to_tell(desk: Desk, clerk: Browser) -> None:
    where = _redeem(desk, clerk, desk.pan)
    desk.town.arm("drop", "confirm")
    assert "请勿交付商品" in _act(clerk, where, "confirm")
    refused = clerk.send(f"{where}/hand-over", {"form_token": clerk.form_token("/desk/")})
    assert refused.status_code == 409


def test_others_do_not_pass(desk: Desk) -> None:
    stranger = desk.enter(add_person(desk.served.house, "X001", Role.CLERK, branch_no="330109009"))
    auditor = desk.enter(add_person(desk.served.house, "A001", Role.AUDITOR))
    redemption = desk.database.sql("select redemption_id::text from redemption limit 1")[0][0]
    assert stranger.get(f"/desk/redemptions/{redemption}").status_code == 403
    assert stranger.get(f"/desk/redemptions/{uuid4()}").status_code == 404
    assert stranger.get("/desk/supervisor").status_code == 403
    assert auditor.get("/desk/").status_code == 403


def test_a_scanner_and_a_card_reader_type_more_than_a_number(clerk: Browser) -> None:
    for words in (
        f"https://ljy.example.invalid/me?familyCode={FAMILY}&v=1",
        f"测试甲 男 汉 试村 {ID_NO} 某公安局 20200101-20400101",
    ):
        assert "测**" in clerk.post("/desk/find", page="/desk/", words=words, reason="enquiry").text
    refused = clerk.post(
        "/desk/find", page="/desk/", words="https://ljy.example.invalid/me?other=1", reason="enquiry"
    )
    assert refused.status_code == 400
    assert "扫描平台二维码" in refused.text


def test_a_proxy_is_another_known_person_with_a_proof_that_was_seen(desk: Desk, clerk: Browser) -> None:
    found = clerk.post("/desk/find", page="/desk/", words=ID_NO, reason="redemption")
    chosen = {**_form_of(found.text, "/desk/basket"), f"q:{desk.pan}:{TOWN}": "1"}
    for fields, said in (
        ({"proxy": OTHER_ID}, "请选择已核验的代办凭证"),
        ({"proxy": OTHER_ID, "proof": "friendship"}, "请选择已核验的代办凭证"),
        ({"proxy": ID_NO, "proof": "kinship"}, "代办人不能是居民本人"),
        ({"proxy": resident_id(4711), "proof": "kinship"}, "没有查到代办人"),
        ({"proxy": FAMILY, "proof": "kinship"}, "请录入代办人的身份证号"),
    ):
        assert said in clerk.send("/desk/basket", {**chosen, **fields}).text, fields
    basket = clerk.send("/desk/basket", {**chosen, "proxy": OTHER_ID, "proof": "kinship"})
    form = _form_of(basket.text, "/desk/redeem")
    unseen = clerk.send("/desk/redeem", {**form, "proxy_person_id": "999999"})
    assert unseen.status_code == 422
    assert "代办人身份未在本柜台核验" in unseen.text
    where = clerk.send("/desk/redeem", form).headers["Location"]
    page = clerk.get(where).text
    assert "代办人 邻*" in page
    assert OTHER_ID not in page
    looked = "select count(*) from staff_look where person_id = %s and teller_no = 'C001'"
    assert desk.database.sql(looked, (int(form["proxy_person_id"]),))[0][0] == 1
    body = desk.database.sql(
        "select convert_from(body, 'UTF8') from record where kind = 'redemption_event' order by recorded_at desc limit 1"
    )[0][0]
    assert '"proxy_proof":"kinship"' in str(body)
    _act(clerk, where, "release")


def test_a_picture_comes_from_our_own_origin_with_strict_headers(desk: Desk, clerk: Browser) -> None:
    picture_good(desk.served.house, "PAN", drawn_picture("red"), by="test", now=datetime.now(UTC))
    assert not picture_good(
        desk.served.house, "PAN", drawn_picture("red"), by="test", now=datetime.now(UTC)
    ), "the same again is nothing new"
    page = clerk.post("/desk/find", page="/desk/", words=ID_NO, reason="redemption").text
    address = re.search(r'src="(/desk/pictures/[0-9a-f-]{36})"', page)
    assert address is not None
    assert 'src="/static/goods/box.svg"' in page, "a good without a picture has our drawing"
    shown = clerk.get(address[1])
    assert shown.headers["Content-Type"] == "image/webp"
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    assert shown.content[:4] == b"RIFF"
    assert clerk.get(f"/desk/pictures/{uuid4()}").status_code == 404


def test_a_history_is_a_look_and_tells_each_step(desk: Desk, clerk: Browser) -> None:
    where = _redeem(desk, clerk, desk.pan)
    _act(clerk, where, "release")
    found = clerk.post("/desk/find", page="/desk/", words=ID_NO, reason="complaint")
    count = "select count(*) from staff_look where reason = 'complaint'"
    before = int(str(desk.database.sql(count)[0][0]))
    page = clerk.send("/desk/history", _form_of(found.text, "/desk/history")).text
    assert where in page
    assert "居民放弃" in page
    assert int(str(desk.database.sql(count)[0][0])) == before + 1


def test_an_open_outcome_says_what_to_tell_and_stands_still_when_asked(desk: Desk, clerk: Browser) -> None:
    desk.town.arm("drop", "freeze")
    desk.town.arm("busy", "find", times=30)
    where = _redeem(desk, clerk, desk.pan)
    shown = clerk.get(where)
    assert "平台的答复未收到" in shown.text
    assert shown.headers["Refresh"] == "5"
    assert "Refresh" not in clerk.get(where + "?still=1").headers
    waiting = clerk.get("/desk/waiting")
    assert where in waiting.text
    assert "待查证" in waiting.text


def test_a_receipt_on_a4(desk: Desk, clerk: Browser) -> None:
    where = _redeem(desk, clerk, desk.pan)
    _act(clerk, where, "confirm")
    _act(clerk, where, "hand-over")
    assert clerk.get(where + "/receipt?paper=a4").text.count('class="sheet"') == 2


def _refusals(desk: Desk, teller_no: str) -> list[tuple[str, str]]:
    """What is in the log of what somebody tried: (code, place), oldest first."""
    rows = desk.database.sql(
        "select code, place from staff_event where teller_no = %s and event = 'refused' order by occurred_at",
        [teller_no],
    )
    return [(str(code), str(place)) for code, place in rows]


def test_what_is_tried_at_the_desk_is_refused_and_recorded(desk: Desk, clerk: Browser) -> None:
    """A tampered price, a good that is not offered, a basket under a used key, a guessed address, another branch's redemption,
    one's own approval, a forged form: each is in the log under who tried it."""
    acting = add_person(desk.served.house, "S008", Role.CLERK, Role.SUPERVISOR)
    own = desk.enter(acting)
    where = _redeem(desk, own, desk.television)
    found = own.post("/desk/find", page="/desk/", words=ID_NO, reason="redemption")
    chosen = {**_form_of(found.text, "/desk/basket"), f"q:{desk.pan}:{TOWN}": "1"}
    form = _form_of(own.send("/desk/basket", chosen).text, "/desk/redeem")
    stranger = desk.enter(add_person(desk.served.house, "X008", Role.CLERK, branch_no="330109008"))
    token = {"form_token": own.form_token("/desk/")}
    tried = [
        (own.send(f"{where}/approve", token), 403, "own-redemption"),
        (own.send("/desk/redeem", {**form, f"shown:{TOWN}": "1"}), 409, "price-changed"),
        (own.send("/desk/redeem", {**form, f"q:{uuid4()}:{TOWN}": "1"}), 422, "not-offered"),
        (own.get(f"/desk/redemptions/{uuid4()}"), 404, "not-found"),
        (own.send(f"/desk/redemptions/{uuid4()}/confirm", token), 404, "not-found"),
        (own.send(f"{where}/release", {"form_token": "0" * 64}), 403, "form-forged"),
    ]
    for answer, status, code in tried:
        assert answer.status_code == status, (code, answer.text)
    recorded = _refusals(desk, "S008")
    assert [code for code, _ in recorded] == [code for _, _, code in tried]
    assert not any(where.rsplit("/", 1)[-1] in place for _, place in recorded)
    for action in ("confirm", "release", "hand-over"):
        answer = stranger.send(f"{where}/{action}", {"form_token": stranger.form_token("/desk/")})
        assert answer.status_code == 403
    assert [code for code, _ in _refusals(desk, "X008")] == ["other-branch"] * 3
    own.send(f"{where}/release", token)
    assert desk.database.sql(
        "select count(*) from redemption where state = 'frozen' and teller_no = 'S008'"
    ) == [(0,)]


def test_a_page_that_expired_leads_to_the_sign_in_and_nothing_happens(desk: Desk, clerk: Browser) -> None:
    late = desk.enter(add_person(desk.served.house, "E008", Role.CLERK))
    found = late.post("/desk/find", page="/desk/", words=ID_NO, reason="redemption")
    chosen = {**_form_of(found.text, "/desk/basket"), f"q:{desk.pan}:{TOWN}": "1"}
    form = _form_of(late.send("/desk/basket", chosen).text, "/desk/redeem")
    desk.database.sql(
        "update staff_session set seen_at = seen_at - interval '1 day', started_at = started_at - interval '1 day'"
        " where teller_no = 'E008'"
    )
    answer = late.send("/desk/redeem", form)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/staff/sign-in")
    assert desk.database.sql("select count(*) from redemption where teller_no = 'E008'") == [(0,)]
    ended = desk.database.sql("select end_code from staff_session where teller_no = 'E008'")
    assert ended == [("session-idle",)]
