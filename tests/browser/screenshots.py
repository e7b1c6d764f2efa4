"""`make screenshots`: pictures of a running gateway's pages, for people to look at."""

from __future__ import annotations

import sys
from pathlib import Path

import requests
import urllib3

from gateway.config import load_config
from tests.browser.chromium import find_chromium, take_picture

TARGET = Path(__file__).parents[2] / "artefacts" / "screenshots"
PAGES = {
    "start": "/",
    "start-en": "/?lang=en",
    "docs": "/docs",
    "docs-en": "/docs?lang=en",
    "problem": "/problems/token-missing",
}


def main() -> int:
    """Exit 1 with a sentence when nothing runs or no browser is there."""
    url = load_config().public_url
    if find_chromium() is None:
        print("No Chromium was found; on Debian: apt install chromium fonts-noto-cjk", file=sys.stderr)
        return 1
    urllib3.disable_warnings()
    try:
        requests.get(f"{url}/healthz", verify=False, timeout=5)
    except requests.RequestException:
        print(f"Nothing answers at {url}: start it with `make run` in another window.", file=sys.stderr)
        return 1
    for name, path in PAGES.items():
        take_picture(url + path, TARGET / f"{name}.png", height=1600)
        print(TARGET / f"{name}.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
