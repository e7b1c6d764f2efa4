"""A ruleset document is read exactly, or refused with every fault: where, which value, what to do."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from gateway.policy import (
    RulesetInvalidError,
    compare,
    load_packaged,
    load_ruleset,
    packaged_names,
    packaged_text,
    ruleset_from_bytes,
)
from gateway.policy.document import RULESETS
from gateway.policy.language import Rounding, divide
from schemas.errors import InvalidError

GOOD = packaged_text("guanghan")


def faults(text: str) -> dict[str, str]:
    with pytest.raises(RulesetInvalidError) as caught:
        load_ruleset(text)
    assert caught.value.where == caught.value.faults[0].where
    return {fault.where: str(fault) for fault in caught.value.faults}


def changed(old: str, new: str, name: str = "guanghan") -> str:
    text = packaged_text(name)
    assert old in text, "the test would change nothing"
    return text.replace(old, new, 1)


@pytest.mark.parametrize("name", packaged_names())
def test_a_packaged_ruleset_is_named_like_its_file_and_reads_back(name: str) -> None:
    ruleset = load_packaged(name)
    assert ruleset.name == name
    assert ruleset_from_bytes(ruleset.canonical) == ruleset
    assert load_packaged(name).ruleset_id == ruleset.ruleset_id


def _blocks(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Paths of the outermost blocks below the top that hold a number."""
    found = []
    for key, inner in value.items():
        if isinstance(inner, dict) and key not in ("title", "gates"):
            found.append((*path, key))
        elif key == "gates":
            found += _blocks(inner, (*path, key))
    return found


@pytest.mark.parametrize("name", packaged_names())
def test_every_number_needs_its_reference(name: str) -> None:
    document = yaml.safe_load(packaged_text(name))
    blocks = _blocks(document)
    assert len(blocks) >= 6
    for path in blocks:
        copy = yaml.safe_load(packaged_text(name))
        block = copy
        for key in path:
            block = block[key]
        del block["reference"]
        where = ".".join(path) + ".reference"
        assert "where it comes from" in faults(yaml.safe_dump(copy, allow_unicode=True))[where]


@pytest.mark.parametrize(
    ("old", "new", "where", "words"),
    [
        ("bp: 10,", "bp: 2.5,", "discount.linear.bp", "'2.5' is not a whole number"),
        ("bp: 10,", "bp: true,", "discount.linear.bp", "True is not a whole number"),
        ("bp: 10,", "bp: -1,", "discount.linear.bp", "-1 is out of range"),
        ("bp: 10,", "percent: 10,", "discount", "wrong unit"),
        ("per_points: 100", "per_points: 0", "discount.linear.per_points", "out of range"),
        ("per_points: 100", "per_points: 1.005", "discount.linear.per_points", "at most two decimals"),
        ("per_points: 100", "per_points: 1e2", "discount.linear.per_points", "at most two decimals"),
        ("per_points: 100", "per_points: .inf", "discount.linear.per_points", "is not a number of points"),
        ("per_points: 100", "per_points: ١٠٠", "discount.linear.per_points", "is not a number of points"),
        ("cap_bp: 100", "cap_percent: 3", "discount", "a cap in percent"),
        ("  cap_bp: 100\n", "", "discount", "no discount without a cap"),
        (
            "  rounding: down\n  cap",
            "  rounding: sometimes\n  cap",
            "discount.rounding",
            "use down, nearest, up",
        ),
        ("num: 1", "nmu: 1", "factors.towns.guanghan_youyi.nmu", "use one of: den, num"),
        ("den: 1", "den: 0", "factors.towns.guanghan_youyi.den", "from 1 to"),
        (
            "guanghan_youyi: {num: 1, den: 1}",
            "Guanghan: {num: 1, den: 1}",
            "factors.towns.Guanghan",
            "lower-case",
        ),
        ("kind: cumulative", "kind: trailing_months", "basis", "give `months`"),
        ("kind: cumulative", "kind: cumulative\n  months: 3", "basis", "give `months`"),
        ("kind: cumulative", "kind: forever", "basis.kind", "use trailing_months, current_year"),
        ("lpr: lpr_1y", "lpr: lpr_9y", "floor.lpr", "use a table of lpr.yaml: lpr_1y"),
        ("lpr: lpr_1y", "lpr: lpr_1y\n  fixed_bp: 300", "floor", "exactly one"),
        ("lpr: lpr_1y", "fixed_bp: 300\n  spread_bp: 3", "floor", "put it into fixed_bp"),
        ("lpr: lpr_1y", "lpr: []", "floor", "at least one"),
        ("lpr: lpr_1y", "lpr: [{from_on: 2026-06-01, rate_bp: 300}]", "$", "begins before its LPR table"),
        ("valid_from_on: 2026-01-01", "valid_from_on: 2026-02-30", "valid_from_on", "a day of the calendar"),
        (
            "valid_from_on: 2026-01-01",
            "valid_from_on: 2026-01-01T00:00:00Z",
            "valid_from_on",
            "without a time",
        ),
        (
            "valid_from_on: 2026-01-01",
            "valid_from_on: 2026-01-01\nvalid_until_on: 2026-01-01",
            "$",
            "ends before it begins",
        ),
        ("subject: household", "subject: family", "subject", "household, person"),
        ("name: guanghan", "name: Guanghan Youyi", "name", "lower-case letters"),
        ("gates:", "gates: {}\ngaits:", "gates.vetoes", "is missing"),
        ("    codes: all", "    codes: [a, a]", "gates.vetoes.codes", "each code once"),
        ("    codes: all", "    codes: none", "gates.vetoes.codes", "or a list"),
        ("on_decrease: at_repricing", "on_decrease: never", "on_decrease", "at_once, at_repricing"),
        ("months: 12", "months:", "term.months", "is empty"),
        ('reference: "[P] reviewed once a year"', 'reference: "  "', "term.reference", "name the document"),
        ("discount:", "discoumt:", "discoumt", "not a word of the ruleset language"),
    ],
)
def test_a_fault_says_where_and_what_to_do(old: str, new: str, where: str, words: str) -> None:
    found = faults(changed(old, new))
    assert where in found
    assert words in found[where]


def test_faults_are_reported_all_at_once_with_their_lines() -> None:
    text = (
        changed("cap_bp: 100", "cap_bp: ten")
        .replace("subject: household", "subject: dog")
        .replace("months: 12", "months: 0")
    )
    found = faults(text)
    assert list(found) == ["subject", "discount.cap_bp", "term.months"] or set(found) == {
        "subject",
        "discount.cap_bp",
        "term.months",
    }
    for where, line in found.items():
        number = int(re.search(r"\(line (\d+)\)", line)[1])  # type: ignore[index]
        assert where.rpartition(".")[2] in text.splitlines()[number - 1]


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ("[{from_points: 10, bp: 5}, {from_points: 10, bp: 6}]", "out of order"),
        ("[{from_points: 20, bp: 5}, {from_points: 10, bp: 6}]", "out of order"),
        ("[{from_points: 10, bp: 5}, {from_points: 20, bp: 4}]", "gives less for more points"),
        ("[{from_points: 10, bp: 5}, {from_points: 20, percent: 4}]", "wrong unit"),
        ("[{from_points: 10}]", "wrong unit"),
        ("[]", "wrong unit"),
    ],
)
def test_steps_must_rise(steps: str, words: str) -> None:
    found = faults(changed("linear: {bp: 10, per_points: 100}", f"steps: {steps}"))
    assert words in found["discount"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "just words",
        "a: b: c",
        "\x00",
        "\ud800",
        "name: &a x\ntitle: *a",
        "a: &a [*a]",
        "name: guanghan\nname: again",
        "? [a, b]\n: 1",
        "!!python/object/apply:os.system [true]",
        "a: !!binary xx",
        "[" * 3000 + "]" * 3000,
        "{a: " * 500 + "1" + "}" * 500,
        "x: " + "9" * 300_000,
        "--- {}\n--- {}",
        "2026-01-01",
        "<<: {name: x}",
    ],
)
def test_hostile_text_is_a_fault_and_nothing_else(text: str) -> None:
    assert faults(text)


def test_a_ruleset_must_give_something_above_a_floor() -> None:
    document = yaml.safe_load(GOOD)
    del document["discount"]
    assert "gives nothing" in faults(yaml.safe_dump(document))["$"]
    document = yaml.safe_load(GOOD)
    del document["floor"]
    assert "without a floor" in faults(yaml.safe_dump(document))["$"]


def test_categories_need_a_basis_that_knows_them() -> None:
    text = changed("kind: trailing_months\n  months: 12", "kind: balance", "shimin_yidai")
    assert "remove `categories`" in faults(text)["$"]


def test_the_lpr_table_is_taken_by_value_so_later_rows_change_nothing() -> None:
    ruleset = load_packaged("guanghan")
    assert ruleset.floor is not None
    rows = ruleset.document["floor"]["lpr"]
    assert rows == yaml.load((RULESETS / "lpr.yaml").read_text("utf-8"), yaml.BaseLoader)["lpr_1y"][
        "rows"
    ] or [(str(r["from_on"]), int(r["rate_bp"])) for r in rows] == [
        (row.from_on.isoformat(), row.rate_bp) for row in ruleset.floor.table
    ]
    assert "PBoC/NIFC LPR announcement" in ruleset.document["floor"]["reference"]


def test_an_unknown_name_lists_those_there_are() -> None:
    for name in ("nix", "../guanghan", "lpr", "cases/guanghan"):
        with pytest.raises(InvalidError, match="guanghan"):
            load_packaged(name)


def test_a_difference_is_named_by_its_path() -> None:
    after = load_ruleset(
        changed("cap_bp: 100", "cap_bp: 90").replace("{bp: 10, per_points: 100}", "{bp: 9, per_points: 100}")
    )
    found = [(c.where, c.before, c.after) for c in compare(load_packaged("guanghan"), after)]
    assert found == [("discount.cap_bp", 100, 90), ("discount.linear.bp", 10, 9)]
    assert compare(after, after) == []


@pytest.mark.parametrize(
    ("numerator", "denominator", "down", "nearest", "up"),
    [
        (583, 10, 58, 58, 59),
        (585, 10, 58, 59, 59),
        (580, 10, 58, 58, 58),
        (0, 7, 0, 0, 0),
        (-5, 10, -1, 0, 0),
        (1, 3, 0, 0, 1),
    ],
)
def test_rounding_is_what_it_says(numerator: int, denominator: int, down: int, nearest: int, up: int) -> None:
    assert divide(numerator, denominator, Rounding.DOWN) == down
    assert divide(numerator, denominator, Rounding.NEAREST) == nearest
    assert divide(numerator, denominator, Rounding.UP) == up
