"""The cases policy officers wrote hold; a case that does not hold is reported; the command line says the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli.policy import group
from gateway.policy import list_case_files, packaged_names, run_cases
from schemas.errors import InvalidError


@pytest.mark.parametrize("path", list_case_files(), ids=lambda p: p.stem)
def test_cases_hold(path: Path) -> None:
    results = run_cases(path)
    assert len(results) >= 3
    assert {r.name: r.differences for r in results if r.differences} == {}


def test_every_packaged_ruleset_has_cases() -> None:
    assert [p.stem for p in list_case_files()] == packaged_names()


def _write(folder: Path, expect: str) -> Path:
    path = folder / "cases.yaml"
    path.write_text(
        f"ruleset: guanghan\ncases:\n  - name: one\n    given: {{points: 583, on: 2026-11-01}}\n    expect: {expect}\n",
        "utf-8",
    )
    return path


def test_a_case_that_does_not_hold_says_what_came_out(tmp_path: Path) -> None:
    path = _write(tmp_path, "{discount_bp: 59, outcome: vetoed, reasons: [stale]}")
    (result,) = run_cases(path)
    assert [d.split(",")[0] for d in result.differences] == [
        "outcome: expected vetoed",
        "discount_bp: expected 59",
        "reasons: stale is missing",
    ]
    shown = CliRunner().invoke(group, ["cases", str(path)])
    assert shown.exit_code == 1
    assert "583 ÷ 100 × 10 bp" in shown.output


def test_cases_with_faults_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidError, match=r"cases\.0\.expect\.discount"):
        run_cases(_write(tmp_path, "{discount: 59}"))


def test_all_cases_from_the_command_line() -> None:
    shown = CliRunner().invoke(group, ["cases"])
    assert shown.exit_code == 0, shown.output
    assert "583" in shown.output


def evaluated(*arguments: str) -> str:
    shown = CliRunner().invoke(group, ["evaluate", *arguments])
    assert shown.exit_code == 0, shown.output + str(shown.exception)
    return shown.output


def test_guanghan_583_points_are_58_bp_with_a_trace() -> None:
    output = evaluated("--ruleset", "guanghan", "--points", "583", "--on", "2026-11-01")
    assert "583 ÷ 100 × 10 bp = 58.3 bp" in output
    assert "5.00% − 58 bp = 4.42%" in output
    assert "利率优惠 58 bp" in output
    assert "48 bp off" in evaluated(
        "--ruleset", "guanghan", "--points", "483", "--on", "2026-11-01", "--lang", "en"
    )


def test_jiangshan_is_100_000_more_and_30_bp_less() -> None:
    output = evaluated(
        "--ruleset",
        "jiangshan",
        "--points",
        "900",
        "--honour",
        "model_household",
        "--on",
        "2026-11-01",
        "--lang",
        "en",
    )
    assert "30 bp off" in output
    assert "limit +100,000.00 CNY" in output
    assert "to 300,000.00 CNY" in output


def test_figures_of_the_bank_may_be_given() -> None:
    output = evaluated(
        "--ruleset",
        "luoyuan",
        "--points",
        "700",
        "--on",
        "2026-11-01",
        "--base-rate-bp",
        "400",
        "--base-limit-cny",
        "1000",
    )
    assert "4.00% − 100 bp = 3.00%" in output


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--points", "5"],
        ["--points", "5", "--resident", "x"],
        ["--ruleset", "guanghan", "--points", "5", "--on", "yesterday"],
        ["--ruleset", "guanghan", "--points", "5", "--base-rate-bp", "3"],
        ["--household", "F1"],
    ],
)
def test_wrong_arguments_are_usage_errors(arguments: list[str]) -> None:
    assert CliRunner().invoke(group, ["evaluate", *arguments]).exit_code == 2


@pytest.mark.parametrize("points", ["many", "1.234", "1e5", "-", "", "٣"])
def test_points_that_are_no_number_are_refused(points: str) -> None:
    shown = CliRunner().invoke(group, ["evaluate", "--ruleset", "guanghan", f"--points={points}"])
    assert isinstance(shown.exception, InvalidError)


def test_a_debt_of_points_gives_nothing() -> None:
    assert "0 bp" in evaluated("--ruleset", "guanghan", "--points=-50", "--on", "2026-11-01")


def test_diff_exits_1_and_names_paths() -> None:
    shown = CliRunner().invoke(group, ["diff", "daye", "guanghan"])
    assert shown.exit_code == 1
    assert "discount.linear.per_points: 1 → 100" in shown.output
    assert CliRunner().invoke(group, ["diff", "daye", "daye"]).exit_code == 0
