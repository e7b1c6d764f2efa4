"""What the house rules read: the files git knows or would know, parsed once."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("gateway", "adapters", "schemas", "jobs", "certs")


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that is, or with the next `git add` would be, in the repository; without git, what a checkout holds."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        names = [n for n in listed.stdout.decode().split("\0") if n]
    else:
        hidden = {".venv", ".run", ".git", "__pycache__", "artefacts"}
        names = [
            str(p.relative_to(ROOT))
            for p in ROOT.rglob("*")
            if not hidden & set(p.parts) and not p.name.startswith(".")
        ]
    return tuple(sorted(path for name in names if (path := ROOT / name).is_file() and not path.is_symlink()))


def name_of(path: Path) -> str:
    """The path as people write it: from the top of the repository, with slashes."""
    return path.relative_to(ROOT).as_posix()


def python_files(*tops: str) -> Iterator[tuple[str, str]]:
    """(name, text) of every Python file below the given top folders."""
    for path in tracked():
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in tops:
            yield name_of(path), path.read_text("utf-8")


@cache
def parsed(text: str) -> ast.Module:
    """The syntax tree of one file's text."""
    return ast.parse(text)


def room_folders() -> list[Path]:
    """Rooms are the packages of `gateway` that own rows; these others are the doors, paths and tools around them."""
    others = {"cli", "db", "flows", "observe", "sandbox", "verifier", "web"}
    return sorted(
        init.parent for init in (ROOT / "gateway").glob("*/__init__.py") if init.parent.name not in others
    )


_TABLE = re.compile(
    r"^\s*create\s+(?:unlogged\s+)?(?:table|materialized\s+view|view)\s+(?:if\s+not\s+exists\s+)?(?:public\.)?(\w+)",
    re.MULTILINE | re.IGNORECASE,
)


def made_tables(migrations: str) -> set[str]:
    """Names of the tables and views that the text of migrations makes (and does not drop again)."""
    dropped = set(
        re.findall(r"^\s*drop\s+(?:table|view)\s+(?:if\s+exists\s+)?(\w+)", migrations, re.MULTILINE)
    )
    return set(_TABLE.findall(migrations)) - dropped


@cache
def tables() -> frozenset[str]:
    """Every table our migrations make; the migrator's own is not a room's."""
    folder = ROOT / "gateway" / "db" / "migrations"
    return frozenset(made_tables("\n".join(p.read_text("utf-8") for p in sorted(folder.glob("*.sql")))))
