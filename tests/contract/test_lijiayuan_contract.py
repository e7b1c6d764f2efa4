"""What is 沥家园's own; what every town must do is in the kit (test_scenarios.py)."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from openapi_spec_validator import validate

from adapters.contract_schemas import component_schemas
from adapters.lijiayuan import create_reader, wire
from adapters.lijiayuan.mapping import CATEGORIES, KINDS
from schemas.values import Category

READER = create_reader()
RECORDED = Path(__file__).parent / "recorded" / "lijiayuan"


def one_item(**changes: Any) -> dict[str, Any]:
    """The first recorded item, changed."""
    first: dict[str, Any] = orjson.loads((RECORDED / "push.json").read_bytes())["items"][0]
    return {**first, **changes}


def test_a_reversal_names_its_original() -> None:
    (fault,) = READER.read_push(orjson.dumps(one_item(kind="reversal")), {}).faults
    assert (fault.code, fault.where) == ("reversal-without-original", "/reverses")


def test_null_is_absent_where_a_field_may_be_absent() -> None:
    read = READER.read_push(orjson.dumps(one_item(village=None, reverses=None)), {})
    assert read.items[0].village is None


@pytest.mark.parametrize(
    ("said", "centi"), [("0.29", 29), ("1.1", 110), (0.29, 29), (64.1, 6410), ("0.01", 1)]
)
def test_points_are_exact_to_the_hundredth(said: object, centi: int) -> None:
    (item,) = READER.read_push(orjson.dumps(one_item(points=said)), {}).items
    assert item.points_centi == centi


def family(**changes: Any) -> dict[str, Any]:
    found = orjson.loads((RECORDED / "households.json").read_bytes())["households"][0]
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
