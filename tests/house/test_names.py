"""Names say what things are, in the trade's words, with their units; a vague name hides a second purpose."""

from __future__ import annotations

import ast
import re

import pytest

from tests.house.tree import PRODUCT, ROOT, parsed, python_files, tracked

#: Words that fit everything and so say nothing (style.md).
VAGUE = frozenset(
    "manager helper util utils helpers common base impl data info handle handler process".split()
)

#: name → why it may carry such a word.
ALLOWED: dict[str, str] = {
    "handle_response": "Authlib's name for what a server of its kind must offer",
    "process_assertion_claims": "Authlib's name for what checks an assertion",
    "handle": "gunicorn's name for what a worker thread does with a connection",
    "handle_error": "socketserver's and gunicorn's name for what happens when a connection fails",
    "months_of_data": "the gate is called so where it is published (domain.md): so many months of data",
}

#: A number whose name ends in one of these does not say in which unit it is.
UNITLESS = frozenset(
    "points amount balance discount rate limit increase price fee timeout interval lag delay duration wait".split()
)

#: file and name → why its unit stands elsewhere.
UNIT_ELSEWHERE = {
    "gateway/policy/language.py: amount": "bp, hundredths of a percent or fen, as the line of the ruleset it belongs to says",
}

INSTANT_ENDS = ("at", "until", "since", "now")
DATE_ENDS = ("on", "until", "since")


def words_of(name: str) -> list[str]:
    """'ResidentInfo', 'resident_info' → ['resident', 'info']."""
    return [
        w.lower() for part in name.split("_") for w in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", part)
    ]


def vague_names(name: str, text: str) -> list[str]:
    """Module, class and function names in a file that carry a vague word."""
    defined = [ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef]
    names = [part for part in name.removesuffix(".py").split("/") if part != "__init__"]
    names += [node.name for node in ast.walk(parsed(text)) if isinstance(node, tuple(defined))]  # type: ignore[attr-defined]
    return sorted({n for n in names if VAGUE & set(words_of(n)) and n not in ALLOWED})


def _annotation(node: ast.expr | None) -> str:
    return ast.unparse(node).replace(" | None", "") if node is not None else ""


def _named_values(text: str) -> list[tuple[int, str, str, bool]]:
    """(line, name, annotation, is a class's field) of every field and argument with an annotation."""
    tree = parsed(text)
    fields = {id(node) for cls in ast.walk(tree) if isinstance(cls, ast.ClassDef) for node in cls.body}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.append((node.lineno, node.target.id, _annotation(node.annotation), id(node) in fields))
        elif isinstance(node, ast.arg):
            found.append((node.lineno, node.arg, _annotation(node.annotation), False))
    return found


def unitless(text: str) -> list[str]:
    """Numbers without a unit; fields that are instants or dates and do not say so (an argument may be `before`)."""
    faults = []
    for line, name, annotation, is_field in _named_values(text):
        last = words_of(name)[-1:] or [""]
        if (
            annotation in ("int", "float") and last[0] in UNITLESS and name != "limit"
        ):  # a bare limit counts rows
            faults.append(f"line {line}: {name} is a number of what?")
        if is_field and annotation == "datetime" and last[0] not in INSTANT_ENDS:
            faults.append(f"line {line}: {name} is an instant and does not end in _at or _until")
        if is_field and annotation == "date" and last[0] not in DATE_ENDS:
            faults.append(f"line {line}: {name} is a date and does not end in _on or _until")
    return faults


_COLUMN = re.compile(
    r"^\s+(\w+)\s+(bigint|int|integer|smallint|numeric|timestamptz|date)\b", re.MULTILINE | re.IGNORECASE
)


def unitless_columns(migration: str) -> list[str]:
    """The same for columns."""
    faults = []
    for name, kind in _COLUMN.findall(migration):
        last = words_of(name)[-1]
        number = kind.lower() not in ("timestamptz", "date")
        if number and last in UNITLESS:
            faults.append(f"{name} is a number of what?")
        if kind.lower() == "timestamptz" and last not in INSTANT_ENDS:
            faults.append(f"{name} is an instant and does not end in _at or _until")
        if kind.lower() == "date" and last not in DATE_ENDS:
            faults.append(f"{name} is a date and does not end in _on or _until")
    return faults


PYTHON = dict(python_files(*PRODUCT))
MIGRATIONS = {p.name: p for p in tracked() if p.parent == ROOT / "gateway" / "db" / "migrations"}


def test_no_vague_names() -> None:
    """A thing called by such a word takes in whatever nobody found a place for."""
    assert {name: found for name, text in PYTHON.items() if (found := vague_names(name, text))} == {}


def test_every_allowed_name_is_still_there() -> None:
    """An exception that outlives its reason is a hole."""
    text = "\n".join(PYTHON.values())
    assert [name for name in ALLOWED if not re.search(rf"\b{name}\b", text)] == []


def test_units_stand_last() -> None:
    """Points, fen, basis points and seconds are all integers here: only the name keeps them apart."""
    faults = [f"{name}: {fault}" for name, text in PYTHON.items() for fault in unitless(text)]
    assert [f for f in faults if re.sub(r"line \d+: (\w+) .*", r"\1", f) not in UNIT_ELSEWHERE] == []


def test_every_unit_elsewhere_is_still_elsewhere() -> None:
    """An exception that outlives its reason is a hole."""
    faults = {f"{name}: {fault}" for name, text in PYTHON.items() for fault in unitless(text)}
    assert set(UNIT_ELSEWHERE) - {re.sub(r"line \d+: (\w+) .*", r"\1", f) for f in faults} == set()


@pytest.mark.parametrize("migration", MIGRATIONS)
def test_columns_name_their_units(migration: str) -> None:
    """A column lives longer than the code that fills it."""
    assert unitless_columns(MIGRATIONS[migration].read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("gateway/util.py", ""),
        ("gateway/helpers/x.py", ""),
        ("gateway/x.py", "class ResidentInfo: ..."),
        ("gateway/x.py", "def handle_push(): ..."),
        ("gateway/x.py", "class A:\n    def _process(self): ..."),
        ("gateway/x.py", "async def get_data(): ..."),
    ],
)
def test_a_vague_name_is_seen(name: str, text: str) -> None:
    assert len(vague_names(name, text)) == 1


def test_a_word_inside_a_word_is_not_meant() -> None:
    assert (
        vague_names("gateway/database.py", "class Database: ...\ndef processes(): ...\ndef basement(): ...")
        == []
    )


@pytest.mark.parametrize(
    "text",
    [
        "def f(points: int): ...",
        "class A:\n    discount: int",
        "class A:\n    month_limit: int | None = None",
        "timeout: float = 3",
        "class A:\n    received: datetime",
        "class A:\n    birthday: date",
    ],
)
def test_a_number_without_a_unit_is_seen(text: str) -> None:
    assert len(unitless(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "def f(points_centi: int, limit: int, rate_text: str, now: datetime): ...",
        "class A:\n    valid_until_on: date\n    keep_until: datetime\n    discount_bp: int | None\n    rate_per_minute: int",
    ],
)
def test_a_number_with_its_unit_passes(text: str) -> None:
    assert unitless(text) == []


@pytest.mark.parametrize(
    "column", ["points bigint", "amount int not null", "received timestamptz", "birthday date"]
)
def test_a_column_without_a_unit_is_seen(column: str) -> None:
    assert (
        len(unitless_columns(f"create table t (\n    {column},\n    x_on date,\n    y_at timestamptz\n);"))
        == 1
    )
