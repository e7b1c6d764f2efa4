"""One command: the gateway serves, is seeded through its own door, stops cleanly, and comes back."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.db.embedded import stop_embedded
from gateway.sandbox.places import is_free

COMMAND = [sys.executable, "-c", "from gateway.cli import main; main()"]


def port() -> int:
    """A port with eight free ones after it, below those the system gives to callers (they could meet themselves)."""
    while True:
        first = random.randrange(20_000, 32_000)
        if all(is_free(first + more) for more in range(9)):
            return first


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not below pytest's own directory: PostgreSQL, another system user, could not walk through it."""
    path = Path(tempfile.mkdtemp(prefix="gateway-run-"))
    path.chmod(0o755)
    yield path
    if (path / "state" / "postgres" / "postmaster.pid").exists():
        stop_embedded(path / "state" / "postgres")
    shutil.rmtree(path, ignore_errors=True)


def gateway(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GATEWAY_")}
    environment["GATEWAY_STATE_DIR"] = str(folder / "state")
    environment["GATEWAY_WEB_PROCESSES"] = "1"
    return subprocess.Popen(
        [*COMMAND, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def finish(process: subprocess.Popen[str], within_s: float = 180) -> str:
    said, _ = process.communicate(timeout=within_s)
    return said


def test_stopped_while_seeding_it_goes_on_where_it_was_and_seeds_once(folder: Path) -> None:
    families = ("--families", "150")
    first = gateway(folder, "run", "--port", str(port()), *families)
    ends = time.monotonic() + 120
    while (
        not (folder / "state" / "seeding.json").exists() and time.monotonic() < ends and first.poll() is None
    ):
        time.sleep(0.1)
    time.sleep(1)
    first.send_signal(signal.SIGTERM)
    said = finish(first)
    assert first.returncode == 0, said
    assert "stopped" in said
    assert not (folder / "state" / "seeded.json").exists()
    again = gateway(folder, "run", "--port", str(port()), *families, "--once-ready-exit")
    said = finish(again)
    assert again.returncode == 0, said
    marker = json.loads((folder / "state" / "seeded.json").read_text())
    assert marker["answered"] == {"accepted": marker["items"]}
    assert "柜台 9 笔兑换" in said, "redemptions to look at, one in each state"
    assert marker["items"] > 500
    once_more = gateway(folder, "run", "--port", str(port()), *families, "--once-ready-exit")
    said = finish(once_more)
    assert once_more.returncode == 0, said
    assert "is there already" in said
    assert not (folder / "state" / "postgres" / "postmaster.pid").exists()


def test_killed_itself_it_comes_back_on_the_same_ports(folder: Path) -> None:
    place = str(port())
    first = gateway(folder, "run", "--port", place, "--no-seed")
    ends = time.monotonic() + 120
    while not is_served(int(place)) and time.monotonic() < ends and first.poll() is None:
        time.sleep(0.1)
    first.kill()
    finish(first)
    assert is_served(int(place))  # its children live on
    again = gateway(folder, "run", "--port", place, "--no-seed", "--once-ready-exit")
    said = finish(again)
    assert again.returncode == 0, said
    assert "left behind" in said
    assert not is_served(int(place))
    assert is_free(int(place) + 1)
    assert is_free(int(place) + 2)


def is_served(place: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", place)) == 0


def test_the_demo_agrees(folder: Path) -> None:
    demo = gateway(folder, "demo")
    said = finish(demo, 280)
    assert demo.returncode == 0, said
    assert "everything agrees" in said
    assert "✗" not in said
