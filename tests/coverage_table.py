"""`make coverage-table`: scenario × town from test results, into docs/coverage.md.

The suite is run and its JUnit report read: a cell is what the test said. The committed table is held to what the tests would
say by tests/unit/test_coverage_table.py, which knows without running them which scenarios a town has declared it lacks.
"""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path

from adapters import registry
from adapters.kit.running import FAILED, LACKING, PASSED, scenarios
from adapters.kit.scenario import PARTS, lack_of
from schemas.values import TownCode

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "coverage.md"
RESULTS = ROOT / "artefacts" / "scenarios.xml"
SUITES = ("tests/contract/test_scenarios.py", "tests/flows/test_door_scenarios.py")

#: (town, scenario) → (outcome, reason)
Cells = Mapping[tuple[str, str], tuple[str, str]]


def joined() -> list[TownCode]:
    """Towns that are in the suite."""
    return [town for town in registry.TOWNS if registry.find_check(town) is not None]


def declared_cells() -> dict[tuple[str, str], tuple[str, str]]:
    """What the tests say when each passes: nothing but a declared lack is skipped."""
    cells: dict[tuple[str, str], tuple[str, str]] = {}
    for town in joined():
        known = registry.find_check(town)
        for one in scenarios():
            lack = lack_of(one, registry.TOWNS[town].CAPABILITIES)
            if one.part == "door" and lack is None and (known is None or known.sender is None):
                continue  # no sender, no test
            cells[town, one.id] = (LACKING, lack[1]) if lack else (PASSED, "")
    return cells


def cells_of(results: Path) -> dict[tuple[str, str], tuple[str, str]]:
    """What the tests said. A scenario that did not run is not in it."""
    cells: dict[tuple[str, str], tuple[str, str]] = {}
    for case in ET.parse(results).iter("testcase"):
        name = case.attrib["name"].partition("[")[2].removesuffix("]")
        for town in joined():
            if name.startswith(f"{town}-"):
                skipped = case.find("skipped")
                failed = case.find("failure") is not None or case.find("error") is not None
                outcome = FAILED if failed else LACKING if skipped is not None else PASSED
                reason = skipped.attrib.get("message", "") if skipped is not None else ""
                cells[town, name.removeprefix(f"{town}-")] = (outcome, reason)
    return cells


def page_of(cells: Cells) -> str:
    """The table in Markdown. A scenario without a result stands as a question mark."""
    towns = [town for town in joined() if any(key[0] == town for key in cells)]
    profiles = [registry.TOWNS[town].PROFILE for town in towns]
    reasons = sorted({reason for outcome, reason in cells.values() if outcome == LACKING})
    counts = {
        word: sum(outcome == word for outcome, _ in cells.values()) for word in (PASSED, FAILED, LACKING)
    }
    lines = [
        "# Scenario × town",
        "",
        "Made by `make coverage-table` from the results of `tests/contract/test_scenarios.py` and",
        "`tests/flows/test_door_scenarios.py`; not written by hand. ✓ passed, ✗ failed, – lacking as the town declared (the",
        f"number says which lack). {counts[PASSED]} passed, {counts[FAILED]} failed, {counts[LACKING]} declared lacking.",
        "",
    ]
    for part, (zh, en) in PARTS.items():
        lines += [f"## {zh} · {en}", ""]
        lines.append("| scenario | " + " | ".join(profile.name_zh for profile in profiles) + " | id |")
        lines.append("|---|" + ":-:|" * len(towns) + "---|")
        for one in scenarios(part):
            marks = [_mark(cells.get((town, one.id)), reasons) for town in towns]
            lines.append(f"| {one.zh}<br>{one.en} | " + " | ".join(marks) + f" | `{one.id}` |")
        lines.append("")
    if any("| ? |" in line for line in lines):
        lines += ["? did not run: the town's sender is not in the suite.", ""]
    if reasons:
        lines += ["## Declared lacks", "", *(f"{at}. {reason}" for at, reason in enumerate(reasons, 1)), ""]
    away = [registry.TOWNS[town].PROFILE.name_zh for town in registry.TOWNS if town not in towns]
    if away:
        lines += ["Not in the suite yet: " + ", ".join(away) + ".", ""]
    return "\n".join(lines)


def _mark(cell: tuple[str, str] | None, reasons: list[str]) -> str:
    if cell is None:
        return "?"
    outcome, reason = cell
    return {PASSED: "✓", FAILED: "✗"}.get(outcome) or f"–{reasons.index(reason) + 1}"


def main() -> int:
    """Run the suite and write the page. 1 when a scenario failed; the page says which."""
    RESULTS.parent.mkdir(exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        *SUITES,
        f"--junitxml={RESULTS}",
        "-o",
        "junit_family=xunit2",
    ]
    ran = subprocess.run(command, cwd=ROOT, check=False)
    PAGE.write_text(page_of(cells_of(RESULTS)), "utf-8")
    print(PAGE)
    return 1 if ran.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
