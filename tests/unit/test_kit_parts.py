"""The kit's own parts: masking, declared lacks, reports that cannot be altered, settings that say everything at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters import lijiayuan
from adapters.kit.masking import mask, shown
from adapters.kit.report import (
    LANGUAGES,
    TYPE,
    compare_reports,
    make_report,
    report_page,
    sign_report,
    verify_report,
)
from adapters.kit.running import FAILED, LACKING, PASSED, Outcome, run_one, scenarios
from adapters.kit.scenario import SCENARIOS, Scenario, ScenarioFailedError, lack_of, scenario
from adapters.kit.vendor import example_settings, read_vendor_settings
from adapters.wire_tap import Exchange
from certs.assertion import public_jwks
from certs.files import key_pem, new_ec_key, write_private
from gateway.wiring import receipt_signer
from schemas.errors import InvalidError, TamperedError, UnavailableError
from schemas.ports import Capabilities

ALL = lijiayuan.CAPABILITIES
NOTHING = Capabilities("person", False, False, False, False, False, 10, speaks="soap")
ID_NO = "330199197803050024"  # invented


def one(run: Callable[[object], None], needs: tuple[str, ...] = ()) -> Scenario:
    return Scenario("read-x", "read", "中文", "english", needs, run)


def test_every_scenario_is_told_in_both_languages() -> None:
    for found in scenarios():
        assert any("\u4e00" <= c <= "\u9fff" for c in found.zh), found.id
        assert found.en.isascii(), found.id
    assert len({found.zh for found in scenarios()}) == len(scenarios())


def test_nothing_stands_in_the_suite_twice() -> None:
    with pytest.raises(ValueError, match="read-golden"):
        scenario("read-golden", "再", "again")(fails)
    with pytest.raises(ValueError, match="nowhere"):
        scenario("nowhere-x", "再", "again")(fails)
    with pytest.raises(ValueError, match="read-new"):
        scenario("read-new", "再", "again", needs=("wings",))(fails)
    assert "read-new" not in SCENARIOS


def test_a_declared_lack_says_which() -> None:
    cannot = lack_of(one(lambda _: None, ("freeze",)), NOTHING)
    assert cannot == ("已声明：不能冻结积分", "declared: cannot freeze")
    assert lack_of(one(lambda _: None, ("freeze", "find")), ALL) is None


def fails(_: object) -> None:
    raise ScenarioFailedError("不对", "wrong", wanted=1, seen=2)


def is_away(_: object) -> None:
    raise UnavailableError("away", code="neighbour-away")


def breaks(_: object) -> None:
    raise KeyError(ID_NO)


@pytest.mark.parametrize(
    ("run", "needs", "came", "told"),
    [
        (lambda _: None, (), PASSED, ""),
        (lambda _: None, ("freeze",), LACKING, "declared: cannot freeze"),
        (fails, (), FAILED, "wrong; wanted 1, seen 2"),
        (is_away, (), FAILED, "an answer nobody expected: away (UnavailableError, neighbour-away)"),
        (breaks, (), FAILED, "the adapter broke: KeyError"),  # and not what it broke on: that may be a person
    ],
)
def test_whatever_is_raised_is_an_outcome(
    run: Callable[[object], None], needs: tuple[str, ...], came: str, told: str
) -> None:
    outcome = run_one(one(run, needs), None, NOTHING)
    assert (outcome.outcome, outcome.reason_en) == (came, told)


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        (f'{{"memberIdNo":"{ID_NO}"}}', ID_NO),
        (f"<SFZH>{ID_NO}</SFZH>", ID_NO),
        (f"/accounts/{ID_NO}/balance", ID_NO),
        ('{"memberName": "测试甲", "x": 1}', "测试甲"),
        ("<XM>𠮷田</XM>", "𠮷田"),
        ('<a:XM id="1">𠮷田</a:XM>', "𠮷田"),
        ('{"phone":"13800138000"}', "13800138000"),
        ("grant_type=x&client_assertion=eyJ.abc.def&y=1", "eyJ.abc.def"),
        ('{"access_token":"secret-one","expires_in":600}', "secret-one"),
        ("code=authorization-one&state=2", "authorization-one"),
        ('<wsse:Password Type="x">hunter2</wsse:Password>', "hunter2"),
        ("<ds:SignatureValue>AAAA</ds:SignatureValue>", "AAAA"),
        ('<ds:Signature xmlns:ds="x"><ds:SignedInfo>\nBBBB</ds:SignedInfo></ds:Signature>', "BBBB"),
    ],
)
def test_what_is_shown_is_masked(text: str, hidden: str) -> None:
    seen = mask(text, ("memberName", "XM"))
    assert hidden not in seen
    assert "*" in seen


def test_what_is_needed_to_understand_stays() -> None:
    text = '{"code":"notEnoughPoints","serial":"K26112414384900003","points":"1"}'
    assert mask(text) == text


def test_an_exchange_is_read_in_its_own_encoding() -> None:
    body = '<?xml version="1.0" encoding="GB18030"?><XM>阿依·测试</XM><HD>巡逻</HD>'.encode("gb18030")
    exchange = Exchange(
        "POST", f"https://town.test/a/{ID_NO}", {"Authorization": "Bearer x"}, body, None, {}, b"", 5
    )
    seen = shown(exchange, ("XM",))
    assert "巡逻" in seen.sent
    assert "阿依" not in seen.sent
    assert "Bearer" not in seen.sent
    assert (seen.status, ID_NO in seen.request) == ("no answer", False)


OUTCOMES = [
    Outcome("read-a", "read", "甲", "a", PASSED),
    Outcome("call-b", "call", "乙", "b", FAILED, "<不对>", "<wrong>"),
    Outcome("call-c", "call", "丙", "c", LACKING, "已声明：不能", "declared: cannot"),
]


@pytest.fixture
def signed(tmp_path: Path) -> tuple[dict[str, object], Mapping[str, object]]:
    key = tmp_path / "receipt.key"
    write_private(key, key_pem(new_ec_key()))
    made = make_report(
        OUTCOMES, profile=lijiayuan.PROFILE, version="lijiayuan/1", capabilities=ALL, address="https://town.test",
        by="tester", now=datetime(2026, 11, 24, 8, tzinfo=UTC),
    )  # fmt: skip
    return sign_report(made, receipt_signer(key, TYPE)), public_jwks([key])


def test_a_signed_report_verifies_and_survives_its_file(
    signed: tuple[dict[str, object], Mapping[str, object]],
) -> None:
    report, keys = signed
    again = json.loads(json.dumps(report, ensure_ascii=False, indent=1))
    assert verify_report(again, keys)
    assert (report["ready"], report["counts"]) == (False, {PASSED: 1, FAILED: 1, LACKING: 1})


@pytest.mark.parametrize("name", ["ready", "outcomes", "address", "by", "town", "signature", "new"])
def test_an_altered_report_is_told(name: str, signed: tuple[dict[str, object], Mapping[str, object]]) -> None:
    report, keys = signed
    value = report.get(name)
    altered: object = value[:-1] if isinstance(value, (list, str)) else not value
    with pytest.raises(TamperedError):
        verify_report({**report, name: altered}, keys)


def test_a_receipt_is_no_report(
    signed: tuple[dict[str, object], Mapping[str, object]], tmp_path: Path
) -> None:
    """The same key signs receipts of pushes: such a signature must not pass for a report's."""
    report, keys = signed
    told = {name: value for name, value in report.items() if name != "signature"}
    forged = sign_report(told, receipt_signer(tmp_path / "receipt.key"))
    with pytest.raises(TamperedError):
        verify_report(forged, keys)
    with pytest.raises(InvalidError):
        verify_report({"kind": "something else"}, keys)


def test_a_report_of_strangers_is_told(
    signed: tuple[dict[str, object], Mapping[str, object]], tmp_path: Path
) -> None:
    other = tmp_path / "other.key"
    write_private(other, key_pem(new_ec_key()))
    with pytest.raises(TamperedError):
        verify_report(signed[0], public_jwks([other]))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_says_the_same_each_time(
    language: str, signed: tuple[dict[str, object], Mapping[str, object]]
) -> None:
    page = report_page(signed[0], language)
    assert page == report_page(json.loads(json.dumps(signed[0])), language)
    assert (
        "&lt;不对&gt;" if language == "zh" else "&lt;wrong&gt;"
    ) in page  # what a town sends is text, never markup
    assert ("尚不能上线" if language == "zh" else "Not ready") in page


def test_two_runs_are_compared_by_what_came_of_them() -> None:
    first, second = ({"outcomes": [{"id": "a", "outcome": came}]} for came in (PASSED, FAILED))
    assert compare_reports(first, second) == [("a", PASSED, FAILED)]
    assert compare_reports(first, first) == []
    assert compare_reports(first, {"outcomes": []}) == [("a", PASSED, "")]


def test_settings_say_everything_that_is_wrong_at_once(tmp_path: Path) -> None:
    file = tmp_path / "vendor.toml"
    file.write_text('[accounts]\nrich = "A"\nmore = "B"\n[samples]\npush = "nowhere.json"\n[extra]\n')
    with pytest.raises(InvalidError) as caught:
        read_vendor_settings(file, lijiayuan.Config)
    told = str(caught.value)
    for fault in (
        "[extra]",
        "accounts.empty is missing",
        "accounts.more is not",
        "nowhere.json",
        "[town]",
        "samples.households",
    ):
        assert fault in told
    file.write_text("not = [toml")
    with pytest.raises(InvalidError, match="TOML"):
        read_vendor_settings(file, lijiayuan.Config)
    with pytest.raises(InvalidError, match="cannot be read"):
        read_vendor_settings(tmp_path / "absent.toml", lijiayuan.Config)


def test_the_example_names_every_setting(tmp_path: Path) -> None:
    example = example_settings(lijiayuan.Config)
    file = tmp_path / "vendor.toml"
    file.write_text(example)
    for name in ("push", "households", "withdrawals"):
        (tmp_path / f"{name}.…").write_text("{}")
    read = read_vendor_settings(file, lijiayuan.Config)
    assert set(read.town) == {"address", "client_id", "key_file"}  # what is needed; the others are comments
    assert read.town["key_file"].startswith(str(tmp_path))
    assert "answer_timeout_s" in example
