"""`gateway town new`: what it makes passes the suite as it stands, so that a vendor begins from something that works."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT, name_of, tracked

COMMAND = [sys.executable, "-c", "from gateway.cli import main; main()", "town", "new"]
NAMES = [
    "--name-zh",
    "和平积分",
    "--name-en",
    "Heping points",
    "--place-zh",
    "和平镇",
    "--place-en",
    "Heping",
]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of everything git knows."""
    folder = tmp_path_factory.mktemp("checkout")
    for path in tracked():
        copy = folder / name_of(path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    return folder


def ran(checkout: Path, command: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("GATEWAY_", "PYTEST_"))}
    environment["PYTHONPATH"] = str(checkout)
    return subprocess.run(
        command, cwd=checkout, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_new_town_passes_the_suite_as_it_stands(checkout: Path) -> None:
    made = ran(checkout, [*COMMAND, "heping_demo", *NAMES, "--division-code", "330122999"])
    assert made.returncode == 0, made.stderr
    assert "12 files" in made.stdout
    text = "".join(path.read_text("utf-8") for path in (checkout / "adapters" / "heping_demo").rglob("*.py"))
    assert "hili" not in text
    assert "nvented" not in text
    tested = ran(
        checkout,
        [sys.executable, "-m", "pytest", "-q", "tests/contract/test_scenarios.py", "-k", "heping_demo"],
    )
    assert tested.returncode == 0, tested.stdout[-3000:]
    assert " passed" in tested.stdout
    checked = ran(checkout, [sys.executable, "-m", "ruff", "check", "adapters", "--no-cache"])
    assert checked.returncode == 0, checked.stdout
    formatted = ran(checkout, [sys.executable, "-m", "ruff", "format", "--check", "adapters", "--no-cache"])
    assert formatted.returncode == 0, formatted.stdout
    changed = [name for name in ("gateway", "schemas", "jobs") if _differs(checkout, name)]
    assert changed == []
    again = ran(checkout, [*COMMAND, "heping_demo", *NAMES])
    assert (again.returncode, "there is an adapter of this name" in again.stderr) == (1, True)


def _differs(checkout: Path, top: str) -> bool:
    return any(
        (checkout / name_of(path)).read_bytes() != path.read_bytes()
        for path in tracked()
        if path.relative_to(ROOT).parts[0] == top
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["Heping", *NAMES], "small letters"),
        (["heping__x", *NAMES], "small letters"),
        (["../x", *NAMES], "small letters"),
        (["heping", *NAMES, "--division-code", "33012"], "nine digits"),
        (["heping", *NAMES, "--root", "adapters"], "no checkout"),
    ],
)
def test_what_cannot_be_made_is_said_and_nothing_is_written(
    arguments: list[str], told: str, checkout: Path
) -> None:
    before = sorted(checkout.rglob("*.py"))
    made = ran(checkout, [*COMMAND, *arguments])
    assert (made.returncode, told in made.stderr) == (1, True), made.stderr
    assert sorted(checkout.rglob("*.py")) == before
