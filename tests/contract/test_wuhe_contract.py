"""五和众联's words read into ours, held to the schema, and what a list may have wrong."""

from __future__ import annotations

import re
from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from lxml import etree  # type: ignore[import-untyped]

from adapters.soap_contract import SoapContract
from adapters.soap_reading import parse_xml
from adapters.wuhe_zhonglian import create_reader, create_soap, wire
from adapters.wuhe_zhonglian.mapping import CONTRACT
from adapters.wuhe_zhonglian.rule_book import ITEMS, RULE_BOOKS
from adapters.wuhe_zhonglian.simulator.town import BONUS, DEDUCTIONS, GENERAL
from schemas.errors import InvalidError
from schemas.scoreboards import ScoreboardReader, ScoreLine, period_ends_on
from schemas.values import Category, Purpose
from tests.soap_keys import signing_identity

READER = create_reader()
RECORDED = Path(__file__).parent / "recorded" / "wuhe_zhonglian"
NO_CODES: dict[str, Category] = {}
PUSH = (RECORDED / "push.xml").read_bytes()


def tree() -> Any:
    return etree.fromstring(PUSH)


def at(root: Any, *steps: str) -> Any:
    for step in steps:
        root = root.find(f"{{{wire.NAMESPACE}}}{step}")
    return root


@pytest.fixture(scope="module")
def contract() -> SoapContract:
    return SoapContract(CONTRACT, "gateway.wsdl", "1.1")


@pytest.mark.parametrize("name", ["push", "correction", "households", "withdrawals"])
def test_what_was_recorded_follows_the_schema(contract: SoapContract, name: str) -> None:
    contract.validate(parse_xml((RECORDED / f"{name}.xml").read_bytes(), "payload"))


def test_the_service_has_the_operations_of_the_wsdl() -> None:
    service = create_soap(signing_identity("gateway"))
    assert service.kinds() == {"scoreboard", "correction", "score-receipt", "households", "withdrawals"}


def test_both_contracts_are_complete() -> None:
    for wsdl in ("gateway.wsdl", "platform.wsdl"):
        made = SoapContract(CONTRACT, wsdl, "1.1")
        served = made.served("wsdl", "https://localhost/x")
        assert served is not None
        assert b"https://localhost/x" in served
        root = etree.parse(str(files("adapters.wuhe_zhonglian") / "contract" / wsdl))
        assert not [
            o for o in root.iter("{*}operation") if o.getparent().tag.endswith("portType") and not o[0].text
        ]


def test_a_list_reads_into_our_words() -> None:
    board = READER.read_scoreboard(PUSH, NO_CODES)
    assert (board.list_no, board.village, board.period, board.rule_book) == (
        "2026Q3-04-1",
        "示例东山村",
        "2026Q3",
        "2026",
    )
    assert board.rule_book_known
    assert board.faults == []
    assert [(h.household_code, h.score_centi, len(h.lines)) for h in board.households] == [
        ("HS000003", 6600, 8),
        ("HS000009", 3600, 7),
        ("HS000099", 0, 0),
    ]
    assert board.households[0].lines[-1] == ScoreLine("D02", Category.SORTING, True, 700)
    assert isinstance(READER, ScoreboardReader)


def test_a_correction_reads_into_our_words() -> None:
    said = READER.read_correction((RECORDED / "correction.xml").read_bytes(), NO_CODES)
    assert said.correction_no.startswith("GZ-")
    assert said.objection_no.startswith("YY-")
    assert said.line.deducts
    assert said.line.points_centi < said.posted_points_centi


def test_households_and_withdrawals_read_into_our_words() -> None:
    families, faults = READER.read_households((RECORDED / "households.xml").read_bytes())
    assert faults == []
    assert {name for f in families for m in f.members if m.is_head for name in [m.name]} >= {
        "测试𠮷",
        "测试·阿依古丽",
        "测试䶮",
    }
    assert {c.purpose for f in families for m in f.members for c in m.consents} == set(Purpose)
    (withdrawal,), faults = READER.read_withdrawals((RECORDED / "withdrawals.xml").read_bytes())
    assert (withdrawal.purpose, faults) == (Purpose.LOAN_MAPPING, [])


def test_an_unknown_item_is_never_guessed() -> None:
    root = tree()
    at(root, "Households", "Household", "Line", "ItemCode").text = "B77"
    body = etree.tostring(root)
    assert READER.read_scoreboard(body, NO_CODES).households[0].lines[0].category is None
    known = READER.read_scoreboard(body, {"B77": Category.CHARITY})
    assert known.households[0].lines[0] == ScoreLine("B77", Category.CHARITY, False, 700)


def test_an_unknown_rule_book_is_known_when_an_operator_added_it() -> None:
    root = tree()
    at(root, "RuleBookVersion").text = "2031"
    assert not READER.read_scoreboard(etree.tostring(root), NO_CODES).rule_book_known
    assert READER.read_scoreboard(etree.tostring(root), {"RuleBook/2031": Category.OTHER}).rule_book_known


def _line_twice(root: Any) -> None:
    entry = at(root, "Households", "Household")
    entry.append(etree.fromstring(etree.tostring(entry[2])))


def _other_sum(root: Any) -> None:
    at(root, "Households", "Household", "PostedScore").text = "67"


@pytest.mark.parametrize(("change", "code"), [(_line_twice, "line-twice"), (_other_sum, "score-differs")])
def test_an_entry_that_contradicts_itself_is_a_fault_of_its_own(change: Any, code: str) -> None:
    root = tree()
    change(root)
    board = READER.read_scoreboard(etree.tostring(root), NO_CODES)
    assert [(f.item_no, f.code, f.reference) for f in board.faults] == [(0, code, "HS000003")]
    assert [h.item_no for h in board.households] == [1, 2]


def test_a_household_that_stands_twice_is_guessed_neither_time() -> None:
    root = tree()
    households = at(root, "Households")
    households.append(etree.fromstring(etree.tostring(households[0])))
    board = READER.read_scoreboard(etree.tostring(root), NO_CODES)
    assert [(f.item_no, f.code) for f in board.faults] == [(0, "household-twice"), (3, "household-twice")]


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        (("Households", "Household", "Line", "Points"), said)
        for said in (
            "-1",
            "",
            "１２",
            "abc",
            "NaN",
            "1e3",
            "0x10",
            "1,000",
            "2.345",
            "007",
            "100001",
            "1" * 40,
        )
    ]
    + [
        (("Households", "Household", "PostedScore"), "--1"),
        (("Households", "Household", "Line", "ItemCode"), "G1"),
        (("Households", "Household", "HouseholdCode"), "HS 1"),
        (("Quarter",), "2026Q0"),
        (("PostedAt",), "2026-10-08T09:00:00"),
        (("PostedAt",), "2026-13-08T09:00:00+08:00"),
        (("ListNo",), "a/b"),
        (("ListNo",), ""),
    ],
)
def test_what_leaves_the_contract_is_refused_by_schema_and_reader_alike(
    contract: SoapContract, steps: tuple[str, ...], text: str
) -> None:
    root = tree()
    at(root, *steps).text = text
    body = etree.tostring(root)
    for read in (
        lambda: contract.validate(parse_xml(body, "payload")),
        lambda: READER.read_scoreboard(body, NO_CODES),
    ):
        with pytest.raises(InvalidError) as caught:
            read()
        assert caught.value.code == "contract-violated"
        assert len(text) < 6 or text not in str(caught.value)


def test_the_largest_list_is_read_and_one_more_is_not() -> None:
    root = tree()
    households = at(root, "Households")
    entry = etree.tostring(households[2])
    for child in list(households):
        households.remove(child)
    for number in range(wire.MAX_HOUSEHOLDS):
        households.append(etree.fromstring(entry.replace(b"HS000099", f"HS{number:06d}".encode())))
    assert len(READER.read_scoreboard(etree.tostring(root), NO_CODES).households) == 5000
    households.append(etree.fromstring(entry))
    with pytest.raises(InvalidError):
        READER.read_scoreboard(etree.tostring(root), NO_CODES)


@pytest.mark.parametrize(
    ("change", "code", "where"),
    [
        (lambda m: m.__setattr__("text", "330199197803050025"), "id-checksum", "IdNo"),
        (lambda m: m.__setattr__("text", "330199780305002"), "id-15-digits", "IdNo"),
        (lambda m: m.__setattr__("text", "1"), "id-length", "IdNo"),
    ],
)
def test_a_wrong_member_is_refused_with_its_place_and_never_repeated(
    change: Any, code: str, where: str
) -> None:
    root = etree.fromstring((RECORDED / "households.xml").read_bytes())
    named = at(root, "Household", "Member", "IdNo")
    change(named)
    families, faults = READER.read_households(etree.tostring(root))
    assert [(f.item_no, f.code, f.where) for f in faults] == [
        (0, code, f"/RegisterHouseholds/Household[1]/Member[1]/{where}")
    ]
    assert len(families) == 3
    assert named.text not in faults[0].detail or len(named.text) < 3


def test_a_payload_of_another_operation_is_refused() -> None:
    with pytest.raises(InvalidError) as caught:
        READER.read_correction(PUSH, NO_CODES)
    assert caught.value.code == "operation-unknown"


def test_the_rule_book_is_as_published() -> None:
    """10 general rules, 30 bonus items, 20 deductions (domain.md); each with words of its own in both languages."""
    assert Counter(code[0] for code in ITEMS) == {"G": 10, "B": 30, "D": 20}
    assert set(ITEMS) == {*GENERAL, *BONUS, *DEDUCTIONS}
    for column in (1, 2):
        words = [item[column] for item in ITEMS.values()]
        assert len(set(words)) == 60
    assert all(re.search(r"[\u4e00-\u9fff]", item.zh) for item in ITEMS.values())
    assert RULE_BOOKS


@pytest.mark.parametrize(
    ("period", "on"),
    [("2026Q1", "2026-03-31"), ("2026Q2", "2026-06-30"), ("2026Q3", "2026-09-30"), ("2026Q4", "2026-12-31")],
)
def test_a_quarter_ends(period: str, on: str) -> None:
    assert period_ends_on(period).isoformat() == on


@pytest.mark.parametrize(
    "period", ["2026Q5", "2026Q0", "26Q1", "2026q1", "2026Q", "2026Q11", "２０２６Q1", ""]
)
def test_what_is_no_quarter_has_no_end(period: str) -> None:
    with pytest.raises(ValueError, match=r"quarter|base 10"):
        period_ends_on(period)


def test_entries_cut_out_leave_the_others_their_numbers_and_no_trace(contract: SoapContract) -> None:
    kept = READER.without_items(PUSH, {0}, as_lines=False)
    board = READER.read_scoreboard(kept, NO_CODES)
    assert ([h.item_no for h in board.households], board.faults) == ([1, 2], [])
    assert b"HS000003" not in kept
    with pytest.raises(InvalidError):  # nobody can send such an entry
        contract.validate(parse_xml(kept, "payload"))
    correction = (RECORDED / "correction.xml").read_bytes()
    assert READER.without_items(correction, {0}, as_lines=False) == correction
