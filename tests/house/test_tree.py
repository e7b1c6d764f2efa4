"""What may lie in the repository: files a person can read, nothing secret, nothing that only works on one machine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.house.tree import ROOT, name_of, tracked

LIMIT = 400
#: Written by a tool, or the contract a town builds against: nobody reads these from top to bottom.
LONG = re.compile(
    r"(^requirements(-dev)?\.txt$|^gateway/db/schema\.sql$|/contract/|^tests/.*/recorded/|\.svg$|\.po$|\.lock$|package-lock\.json$)"
)

_SLASH = "/"  # patterns are joined from pieces so that this file does not match itself
_MACHINE = re.compile(
    "|".join(
        [
            rf"(?<![\w.$}}]){_SLASH}(?:root|Users){_SLASH}\w",
            rf"(?<![\w.$}}]){_SLASH}home{_SLASH}(?!\.\.\.)\w",
            rf"(?<![\w.$}}]){_SLASH}work{_SLASH}(?:main|shared)",
            r"[A-Z]:\\" + r"Users\\",
        ]
    )
)
_REGISTRY = re.compile(
    "|".join(
        [
            "--" + r"(?:extra-)?index-url",
            "--" + r"find-links[ =]",
            r"https?:"
            + r"//[^\s\"']*(?:"
            + "py"
            + r"pi|artifactory|nexus|devpi|jfrog|pythonhosted)[^\s\"']*",
        ]
    )
)
_KEY = re.compile("-----BEGIN " + r"(?:[A-Z]+ )*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{16}")
_KEY_FILE = re.compile(r"\.(?:key|pem|p12|pfx|jks)$|(^|/)id_(?:rsa|ed25519|ecdsa)$")


def too_long(name: str, text: str) -> list[str]:
    """A file over the limit that is not one of the named exceptions."""
    count = text.count("\n") + (not text.endswith("\n") and bool(text))
    return (
        [f"{name} has {count} lines; {LIMIT} is the most"] if count > LIMIT and not LONG.search(name) else []
    )


def machine_bound(name: str, text: str) -> list[str]:
    """Paths of somebody's machine and addresses of package registries."""
    return [
        f"{name}:{number}: {match[0]}"
        for number, line in enumerate(text.splitlines(), 1)
        for pattern in (_MACHINE, _REGISTRY)
        if (match := pattern.search(line))
    ]


def secrets(name: str, text: str) -> list[str]:
    """Private keys, by content or by name."""
    faults = [f"{name} holds a private key"] if _KEY.search(text) else []
    return faults + ([f"{name} is named like a private key"] if _KEY_FILE.search(name) else [])


def numbering(names: list[str]) -> list[str]:
    """Gaps, repetitions and wrong names among the migrations."""
    faults = [
        f"{n} is not named NNNN_words.sql" for n in names if not re.fullmatch(r"\d{4}_[a-z0-9_]+\.sql", n)
    ]
    numbers = [int(n[:4]) for n in sorted(names) if n[:4].isdigit()]
    wanted = list(range(1, len(numbers) + 1))
    return faults + ([f"numbers are {numbers}, not {wanted}"] if numbers != wanted else [])


def _texts() -> list[tuple[str, str]]:
    found = []
    for path in tracked():
        try:
            found.append((name_of(path), path.read_text("utf-8")))
        except UnicodeDecodeError:
            found.append((name_of(path), ""))  # pictures and recorded bytes: judged by name
    return found


TEXTS = _texts()


def test_no_file_is_too_long() -> None:
    """Beyond a few screens nobody has the whole of a file in mind when changing a part of it."""
    assert [f for name, text in TEXTS for f in too_long(name, text)] == []


def test_nothing_leans_on_one_machine() -> None:
    """A clean clone must work anywhere; an address of one office's registry or folder works in that office."""
    assert [f for name, text in TEXTS for f in machine_bound(name, text)] == []


def test_no_private_key_is_kept_here() -> None:
    """What was once in git stays readable to everyone who ever clones it."""
    assert [f for name, text in TEXTS for f in secrets(name, text)] == []


def test_migrations_are_numbered_without_gaps() -> None:
    """A gap is a migration somebody has and others do not."""
    folder = ROOT / "gateway" / "db" / "migrations"
    assert numbering([p.name for p in tracked() if p.parent == folder]) == []


def test_only_the_known_folders_stand_at_the_top() -> None:
    """Eight names are the house (architecture.md); others only where a tool or a reader demands them."""
    assert strangers(tracked()) == []


def strangers(paths: tuple[Path, ...]) -> list[str]:
    """Top-level names that are not of the house."""
    house = {"gateway", "adapters", "schemas", "jobs", "certs", "tests", "setup.cfg", "README.md"}
    tools = {"pyproject.toml", "Makefile", "docs", "bench", ".ci", ".gitignore", ".gitattributes", "LICENSE"}
    locks = {"requirements.in", "requirements.txt", "requirements-dev.in", "requirements-dev.txt"}
    return sorted({name_of(p).split("/")[0] for p in paths} - house - tools - locks)


def dead_links(page: Path, text: str) -> list[str]:
    """Links of a page to files that are not there. Addresses on the net are not followed."""
    plain = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    targets = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", plain)
    return [target for target in targets if not (page.parent / target).exists()]


def test_links_lead_somewhere() -> None:
    """A dead link in the README is the first thing a newcomer meets."""
    pages = [(p, p.read_text("utf-8")) for p in tracked() if p.suffix == ".md"]
    assert {name_of(p): dead for p, text in pages if (dead := dead_links(p, text))} == {}


def test_a_dead_link_is_seen() -> None:
    text = "[a](setup.cfg) [b](nowhere.md#x) ![c](docs/none.svg) [d](https://example.org/x) [e](#here)"
    assert dead_links(ROOT / "README.md", text) == ["nowhere.md", "docs/none.svg"]


def test_a_file_too_long_is_seen() -> None:
    assert too_long("gateway/x.py", "x\n" * 401) == ["gateway/x.py has 401 lines; 400 is the most"]
    assert too_long("gateway/x.py", "x\n" * 400 + "y") != []
    assert too_long("gateway/x.py", "x\n" * 400) == []
    assert too_long("requirements.txt", "x\n" * 401) == []


@pytest.mark.parametrize(
    "line",
    [
        "x = '" + _SLASH + "home" + _SLASH + "anna/x'",
        "cd " + _SLASH + "root" + _SLASH + "x",
        _SLASH + "work" + _SLASH + "main",
        "--" + "index-url x",
        "--" + "extra-index-url https",
        "--" + "find-links=x",
        "https:" + "//registry.example/artifactory/simple",
        "https:" + "//files." + "python" + "hosted.org/x",
    ],
)
def test_a_line_of_one_machine_is_seen(line: str) -> None:
    assert len(machine_bound("x", line)) == 1


@pytest.mark.parametrize("line", ["Users/x", "https://localhost:8443/home/x", "a/root/b", "$HOME/x", "PyPI"])
def test_a_line_of_any_machine_passes(line: str) -> None:
    assert machine_bound("x", line) == []


def test_a_private_key_is_seen() -> None:
    block = "-----BEGIN " + "EC PRIVATE KEY-----\n" + "MHcCAQEEIAAAAAAAAAAA" + "\n"
    assert secrets("tests/x.txt", block) == ["tests/x.txt holds a private key"]
    assert secrets("certs/ca.key", "") == ["certs/ca.key is named like a private key"]
    assert secrets("certs/files.py", 'if text.startswith("-----BEGIN ' + 'PRIVATE KEY-----"):') == []


@pytest.mark.parametrize(
    "names",
    [["0001_a.sql", "0003_b.sql"], ["0001_a.sql", "0001_b.sql"], ["0001_A.sql"], ["1_a.sql"], ["0002_a.sql"]],
)
def test_a_gap_in_the_migrations_is_seen(names: list[str]) -> None:
    assert numbering(names) != []


def test_a_stranger_at_the_top_is_seen() -> None:
    assert strangers((ROOT / "misc" / "x.py", ROOT / "gateway" / "x.py")) == ["misc"]


def test_both_halves_together_are_every_test() -> None:
    """`make test` runs two halves; a folder in neither would be tests nobody runs."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    halves = " ".join(re.findall(r"^(?:FIRST|SECOND)_HALF := (.*)$", makefile, re.MULTILINE))
    folders = {name_of(p).rsplit("/", 1)[0] for p in tracked() if re.fullmatch(r"test_\w+\.py", p.name)}
    assert {f for f in folders if f != "tests/flows" and f not in halves.split()} == set()
    patterns = re.findall(r"tests/flows/test_(\[[a-z]-[a-z]\])\*\.py", halves)
    assert all(re.match("|".join(patterns), c) for c in "abcdefghijklmnopqrstuvwxyz")
