"""Attack cases as data: tests/data/attacks/rest/<name>.json says what is done and how it must be refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.conftest import TestDatabase

FOLDER = Path(__file__).parent / "data" / "attacks" / "rest"
#: Where something of an attack would show. Attempts and events of the valid twins are counted by the tests themselves.
STORED = (
    "contribution_batch", "contribution", "raw_push", "transfer", "person", "identifier", "consent", "link", "link_grant",
    "hook_event", "feed",
)  # fmt: skip


def cases(name: str) -> list[Any]:
    """The cases of a file as pytest parameters."""
    import pytest

    return [
        pytest.param(case, id=case["id"])
        for case in json.loads((FOLDER / f"{name}.json").read_text())["cases"]
    ]


def stored(database: TestDatabase) -> dict[str, int]:
    """Rows by table, of everything an attack must not add to."""
    counted = ", ".join(f"(select count(*) from {table})" for table in STORED)
    (row,) = database.sql(f"select {counted}")
    return dict(zip(STORED, (int(str(n)) for n in row), strict=True))


def problem_code(answer: Any) -> str:
    """The code of a refusal: of a problem document, an OAuth error or a page; '' when it names none."""
    if "json" in answer.headers.get("Content-Type", ""):
        document = answer.json()
        return str(document.get("error") or document.get("code", ""))
    return str(answer.text.rpartition('class="quiet">')[2].partition("</p>")[0].split(" ")[-1])
