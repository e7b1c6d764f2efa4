"""沥家园 against the contract of every town, and what is its own."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar

import orjson
import pytest
import yaml
from openapi_spec_validator import validate

from adapters.contract_schemas import component_schemas
from adapters.lijiayuan import create_reader, wire
from adapters.lijiayuan.mapping import CATEGORIES, KINDS
from schemas.contributions import Contribution
from schemas.values import Category, ContributionKind
from tests.contract.town_contract import NO_CODES, JsonTownContract

A, B, X = "330199197803050024", "330199198109110140", "33019919850101003X"
EAST, WEST = "示例东湾村", "示例西塘村"
AT = datetime(2026, 5, 1, 0, 30, tzinfo=UTC)
READER = create_reader()


def said(no: int, kind: str, activity: str, category: Category, centi: int, **more: Any) -> Contribution:
    """A golden item: what is not said is as in the first."""
    settings = {
        "household_code": "GL000001",
        "id_no": A,
        "village": EAST,
        "at": AT,
        "day": "20260501",
        **more,
    }
    return Contribution(
        no, f"LJY-{settings['day']}-{no + 1:07d}", ContributionKind(kind), activity, category, centi, settings["at"],
        settings["household_code"], settings["id_no"], None, settings["village"], settings.get("reverses"), None,
    )  # fmt: skip


class TestLijiayuan(JsonTownContract):
    reader = READER
    recorded = Path(__file__).parent / "recorded" / "lijiayuan"
    listed, reference, activity, points, person = "items", "taskId", "taskType", "points", "memberIdNo"
    golden: ClassVar = [
        said(0, "award", "garbageSorting", Category.SORTING, 500),
        said(1, "award", "volunteerService", Category.VOLUNTEERING, 1250, id_no=B, village=None,
             at=datetime(2026, 5, 1, 1, 0, 0, 123456, UTC)),
        said(2, "deduction", "illegalParking", Category.CONDUCT, 200),
        said(3, "transfer_out", "giftToNeighbour", Category.OTHER, 60000),
        said(4, "transfer_in", "giftToNeighbour", Category.OTHER, 60000, id_no=X, household_code="GL000002", village=WEST),
        said(5, "spend", "mallPurchase", Category.OTHER, 50, id_no=X, household_code="GL000002", village=WEST),
        said(6, "reversal", "volunteerService", Category.VOLUNTEERING, 1250, id_no=B, day="20260502",
             at=datetime(2026, 5, 2, 0, 30, tzinfo=UTC), reverses="LJY-20260501-0000002"),
    ]  # fmt: skip
    wrong: ClassVar = [
        ("taskId", ..., "field-missing"),
        ("taskId", None, "field-null"),
        ("taskId", "", "text-empty"),
        ("taskId", "T" * 65, "text-too-long"),
        ("taskId", "T\n1", "text-control-character"),
        ("taskId", "T 1", "text-pattern"),
        ("taskId", "../x", "text-pattern"),
        ("taskId", 17, "not-a-string"),
        ("taskType", "a\x00b", "text-control-character"),
        ("taskType", " garbageSorting", "text-outer-space"),
        ("taskType", "t" * 65, "text-too-long"),
        ("kind", "Award", "word-unknown"),
        ("kind", ["award"], "word-unknown"),
        ("familyCode", "GL 1", "text-pattern"),
        ("familyCode", "ＧＬ１", "text-pattern"),
        ("memberIdNo", ..., "field-missing"),
        ("memberIdNo", A[:-1] + "5", "id-checksum"),
        ("memberIdNo", A[:6] + A[8:-1], "id-15-digits"),
        ("memberIdNo", A[:10] + "1331" + A[14:], "id-birth-date"),
        ("memberIdNo", 330199197803050024, "not-a-string"),
        ("points", 0, "points-not-positive"),
        ("points", 100_001, "points-too-many"),
        ("points", "１２", "points-not-a-number"),
        ("points", None, "field-null"),
        ("finishedAt", "2026-05-01T08:30:00", "instant-no-offset"),
        ("finishedAt", "1999-05-01T08:30:00+08:00", "instant-out-of-range"),
        ("finishedAt", 1777595400, "not-a-string"),
        ("village", "村\u202e", "text-control-character"),
        ("village", "", "text-empty"),
        ("reverses", "LJY-1", "original-without-reversal"),
        ("counterpartFamilyCode", "GL000002", "counterpart-without-transfer"),
        ("surprise", 1, "field-unknown"),
    ]

    def test_a_reversal_names_its_original(self) -> None:
        (fault,) = self.reader.read_push(orjson.dumps(self.one_item(kind="reversal")), NO_CODES).faults
        assert (fault.code, fault.where) == ("reversal-without-original", "/reverses")

    def test_null_is_absent_where_a_field_may_be_absent(self) -> None:
        read = self.reader.read_push(
            orjson.dumps({**self.one_item(), "village": None, "reverses": None}), NO_CODES
        )
        assert read.items[0].village is None


def family(**changes: Any) -> dict[str, Any]:
    found = orjson.loads(TestLijiayuan.bytes_of("households.json"))["households"][0]
    return {**found, **changes}


def member(place: int, **changes: Any) -> dict[str, Any]:
    return {**family()["members"][place], **changes}


@pytest.mark.parametrize(
    ("changed", "code", "where"),
    [
        (family(members=[]), "array-length", "/members"),
        (family(members=[member(0)] * 2), "household-head", "/members"),
        (family(members=[member(0), member(0, isHead=False)]), "member-twice", "/members"),
        (family(members=[member(1)]), "household-head", "/members"),
        (family(members=[member(0, memberIdNo="1")]), "id-length", "/members/0/memberIdNo"),
        (family(members=[member(0, memberName="测\x00")]), "text-control-character", "/members/0/memberName"),
        (
            family(members=[member(0, consents=[{"purpose": "all"}])]),
            "word-unknown",
            "/members/0/consents/0/purpose",
        ),
        (family(members="all"), "not-an-array", "/members"),
        (family(members=[member(0), None]), "item-not-an-object", "/members/1"),
        (family(memberSince="2026-02-30"), "day-unreadable", "/memberSince"),
        (family(surprise=1), "field-unknown", "/surprise"),
    ],
)
def test_a_wrong_family_is_refused_with_its_place(changed: dict[str, Any], code: str, where: str) -> None:
    families, faults = READER.read_households(orjson.dumps({"households": [family(), changed]}))
    assert len(families) == 1
    assert [(f.item_no, f.code, f.where) for f in faults] == [(1, code, "/households/1" + where)]
    assert faults[0].reference == "GL000001"


def test_a_child_needs_the_guardian() -> None:
    child = member(2)
    child["consents"] = [{**child["consents"][0], "guardian": False}]
    _, faults = READER.read_households(orjson.dumps(family(members=[member(0), child])))
    assert [(f.code, f.where) for f in faults] == [("guardian-needed", "/members/1/consents")]


def test_the_contract_file_says_what_the_wire_takes() -> None:
    contract = yaml.safe_load((files("adapters.lijiayuan") / "contract" / "openapi.yaml").read_text("utf-8"))
    schemas = (wire.TaskDone(), wire.Family(), wire.Member(), wire.Consent(), wire.ConsentWithdrawal())
    for name, schema in component_schemas(schemas, "Lijiayuan").items():
        assert contract["components"]["schemas"][name] == schema, name
    for listed, name, most in (
        ("items", "LijiayuanTaskBatch", wire.MAX_ITEMS),
        ("households", "LijiayuanFamilyBatch", wire.MAX_HOUSEHOLDS),
        ("withdrawals", "LijiayuanWithdrawalBatch", wire.MAX_WITHDRAWALS),
    ):
        assert contract["components"]["schemas"][name]["properties"][listed]["maxItems"] == most


@pytest.mark.parametrize("name", ["openapi.yaml", "town_openapi.yaml"])
def test_the_contracts_are_openapi(name: str) -> None:
    validate(yaml.safe_load((files("adapters.lijiayuan") / "contract" / name).read_text("utf-8")))


def test_every_word_of_theirs_has_one_of_ours() -> None:
    assert set(KINDS) == set(wire.KINDS)
    assert len(CATEGORIES) >= 20
    assert set(CATEGORIES.values()) == set(Category)


def test_every_code_of_a_refusal_is_in_the_documents() -> None:
    root = Path(__file__).parents[2]
    sources = [
        "schemas/acceptor.py",
        "schemas/resident_id.py",
        "adapters/wire_fields.py",
        "adapters/json_reading.py",
    ]
    text = "".join((root / name).read_text() for name in (*sources, "adapters/lijiayuan/wire.py"))
    found = re.findall(r'(?:Fault\(\s*|code=|code = |return |else )"([a-z0-9]+(?:-[a-z0-9]+)+)"', text)
    assert len(set(found)) > 40
    page = (root / "docs" / "lijiayuan.md").read_text()
    assert [code for code in sorted(set(found)) if f"`{code}`" not in page] == []
