"""A real browser from the command line: what a page looks like, and what is in it after the browser has read it."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium() -> str | None:
    """The browser's program, or None."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


NEEDS_CHROMIUM = pytest.mark.skipif(find_chromium() is None, reason="no Chromium here: .ci/run installs it")


def _run(
    url: str, *arguments: str, width: int, height: int, scale: float
) -> subprocess.CompletedProcess[bytes]:
    program = find_chromium()
    assert program is not None
    with tempfile.TemporaryDirectory(prefix="gateway-browser-", ignore_cleanup_errors=True) as profile:
        return subprocess.run(
            [
                program,
                "--headless",
                "--disable-gpu",
                "--hide-scrollbars",
                "--ignore-certificate-errors",  # the development authority is nobody's but ours
                f"--user-data-dir={profile}",
                f"--window-size={width},{height}",
                f"--force-device-scale-factor={scale}",
                *(["--no-sandbox"] if os.geteuid() == 0 else []),
                *arguments,
                url,
            ],
            capture_output=True,
            timeout=90,
            check=True,
        )


def read_page(url: str) -> str:
    """The document as the browser understood it."""
    return _run(url, "--dump-dom", width=1280, height=800, scale=1).stdout.decode()


def take_picture(
    url: str, target: Path, *, width: int = 1280, height: int = 800, scale: float = 1
) -> tuple[int, int]:
    """Write a PNG of the page; its width and height in pixels."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    _run(url, f"--screenshot={target}", width=width, height=height, scale=scale)
    size: tuple[int, int] = struct.unpack(">II", target.read_bytes()[16:24])
    return size
