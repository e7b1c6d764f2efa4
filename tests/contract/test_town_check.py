"""`gateway town check` as a vendor runs it: a process of its own, against a platform over TLS, with a settings file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.simulated import SimulatedNeighbour, simulated
from tests.contract.test_scenarios import RECORDED

COMMAND = [sys.executable, "-c", "from gateway.cli import main; main()", "town"]

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedNeighbour]:
    with simulated("lijiayuan", tmp_path_factory.mktemp("platform")) as running:
        yield running


@pytest.fixture
def settings(platform: SimulatedNeighbour, tmp_path: Path) -> Path:
    """The vendor's folder: settings, messages; a test account with 100 points."""
    platform.calm()
    platform.open_accounts({"GL000001": 10_000, "GL000002": 0})
    for name in ("push", "households", "withdrawals"):
        (tmp_path / f"{name}.json").write_bytes((RECORDED / "lijiayuan" / f"{name}.json").read_bytes())
    file = tmp_path / "vendor.toml"
    file.write_text(
        f'[town]\naddress = "{platform.place.address}"\nclient_id = "gateway"\nkey_file = "{platform.place.caller_key}"\n'
        f'ca_file = "{platform.place.ca_file}"\nsandbox = true\n'
        '[accounts]\nrich = "GL000001"\nempty = "GL000002"\nunknown = "GL999999"\n'
        '[samples]\npush = "push.json"\nhouseholds = "households.json"\nwithdrawals = "withdrawals.json"\n'
    )
    return file


def town(platform: SimulatedNeighbour, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GATEWAY_")}
    environment["GATEWAY_STATE_DIR"] = str(platform.place.certs.parent)
    return subprocess.run(
        [*COMMAND, *arguments], env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_good_platform_is_ready_and_the_report_verifies(
    platform: SimulatedNeighbour, settings: Path, tmp_path: Path
) -> None:
    digests = []
    for folder in ("first", "second"):
        ran = town(
            platform, "check", "lijiayuan", "--settings", str(settings), "--report", str(tmp_path / folder)
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert "✗" not in ran.stdout
        (report,) = (tmp_path / folder).glob("*.json")
        digests.append(json.loads(report.read_text())["outcome_sha256"])
        verified = town(platform, "report", "verify", str(report))
        assert verified.returncode == 0, verified.stderr
        assert "2 pages agree" in verified.stdout
    assert digests[0] == digests[1]
    page = next((tmp_path / "first").glob("*.zh.html"))
    page.write_text(page.read_text().replace("可以上线", "一定可以上线"))
    (report,) = (tmp_path / "first").glob("*.json")
    altered = town(platform, "report", "verify", str(report))
    assert (altered.returncode, "report-page-altered" in altered.stderr) == (1, True)


def test_a_failure_is_explained_with_what_was_said(
    platform: SimulatedNeighbour, settings: Path, tmp_path: Path
) -> None:
    platform.arm("busy", "confirm", times=1)
    ran = town(
        platform,
        "check",
        "lijiayuan",
        "--settings",
        str(settings),
        "--only",
        "call-confirm-twice",
        "--lang",
        "en",
    )
    assert ran.returncode == 1
    assert "✗ confirming twice spends once" in ran.stdout
    assert "/confirm" in ran.stdout
    assert "Authorization: ***" in ran.stdout
    assert "503" in ran.stdout
    assert "Bearer" not in ran.stdout
    again = town(platform, "check", "lijiayuan", "--settings", str(settings), "--only", "call-confirm-twice")
    assert again.returncode == 0, again.stdout


def test_a_platform_that_is_away_fails_without_an_end_of_the_check(
    platform: SimulatedNeighbour, settings: Path, tmp_path: Path
) -> None:
    settings.write_text(settings.read_text().replace(platform.place.address, "https://127.0.0.1:9"))
    report = tmp_path / "report"
    ran = town(platform, "check", "lijiayuan", "--settings", str(settings), "--report", str(report))
    assert ran.returncode == 1
    (file,) = report.glob("*.json")
    came = {outcome["id"]: outcome["outcome"] for outcome in json.loads(file.read_text())["outcomes"]}
    assert came["call-freeze-confirm"] == "failed"
    assert came["read-golden"] == "passed"


def test_what_cannot_be_used_is_said_in_words(platform: SimulatedNeighbour, tmp_path: Path) -> None:
    unknown = town(platform, "check", "atlantis", "--settings", "x.toml")
    assert (unknown.returncode, "town-unknown" in unknown.stderr) == (1, True)
    (tmp_path / "empty.toml").write_text("")
    empty = town(platform, "check", "lijiayuan", "--settings", str(tmp_path / "empty.toml"))
    assert (empty.returncode, "accounts.rich is missing" in empty.stderr) == (1, True)
    example = town(platform, "check", "lijiayuan", "--example")
    assert example.returncode == 0
    assert "[accounts]" in example.stdout
