"""Corridors are the only paths, and they are where they say they are: the file tree is the map of what the gateway does."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.house.tree import parsed, python_files

_SQL = re.compile(
    r"^\s*(?:/\*.*?\*/\s*)?(?:select\s.+\sfrom\s|insert\s+into\s|update\s+\w+.*\sset\s|delete\s+from\s|with\s+\w+\s+as\s*\("
    r"|truncate\s|copy\s+\w+.*\s(?:from|to)\s|create\s+(?:temp\s+)?(?:table|index|function|view|role)\s|alter\s+table\s"
    r"|drop\s+table\s|lock\s+table\s|select\s+\w+\()",
    re.IGNORECASE | re.DOTALL,
)


def corridor_faults(name: str, text: str) -> list[str]:
    """What keeps `gateway/flows/<name>.py` from being one path with the name of its file."""
    public = [
        node
        for node in parsed(text).body
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not node.name.startswith("_")
    ]
    if [node.name for node in public] != [name]:
        return [f"public functions are {[n.name for n in public]}; exactly one is wanted, named {name}"]
    arguments = public[0].args.posonlyargs + public[0].args.args
    first = arguments[0] if arguments else None
    if (
        first is None
        or first.arg != "house"
        or first.annotation is None
        or ast.unparse(first.annotation) != "House"
    ):
        return [f"the first argument of {name} is not `house: House`"]
    if ast.get_docstring(public[0]) is None:
        return [f"{name} has no docstring"]
    return []


def opens_transaction(text: str) -> list[int]:
    """Lines that open a database transaction."""
    return [
        node.lineno
        for node in ast.walk(parsed(text))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "transaction"
    ]


def sql_strings(text: str) -> list[int]:
    """Lines with a string that is a statement of SQL; docstrings may speak about SQL."""
    tree = parsed(text)
    spoken = set(_docstrings(tree))
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in spoken
        and _SQL.search(node.value)
    ]


def _docstrings(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            yield id(body[0].value)


CORRIDORS = {
    name.removeprefix("gateway/flows/").removesuffix(".py"): text
    for name, text in python_files("gateway")
    if re.fullmatch(r"gateway/flows/[a-z]\w*\.py", name)  # _name.py is part of a path, and no path
}


@pytest.mark.parametrize("corridor", CORRIDORS)
def test_a_corridor_is_one_path(corridor: str) -> None:
    """Whoever looks for a path finds it by its name; a second public function would be a path nobody finds."""
    assert corridor_faults(corridor, CORRIDORS[corridor]) == []


def test_only_corridors_open_transactions() -> None:
    """A room or door that opens its own transaction splits what must happen together, and nobody sees it in the path."""
    faults = [
        f"{name}:{line}"
        for name, text in python_files("gateway", "adapters", "schemas", "jobs", "certs")
        if not name.startswith(("gateway/flows/", "gateway/db/"))
        for line in opens_transaction(text)
    ]
    assert faults == []


def test_sql_stands_beside_its_room_only() -> None:
    """SQL in a string escapes the room's card, the snapshot of its plans and the eyes of whoever changes a table."""
    faults = [
        f"{name}:{line}"
        for name, text in python_files("gateway", "adapters", "schemas", "jobs", "certs")
        if not name.startswith("gateway/db/")
        for line in sql_strings(text)
    ]
    assert faults == []


GOOD = (
    '"""x"""\ndef seal_log(house: House, *, now: datetime) -> int:\n    """Seal."""\n'
    "    with house.db.transaction() as tx:\n        return _seal(tx)\n"
)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (GOOD + "def also(house: House) -> None: ...\n", "public functions are"),
        (GOOD.replace("seal_log", "seal"), "public functions are"),
        (GOOD.replace("house: House, ", ""), "first argument"),
        (GOOD.replace("house: House", "house"), "first argument"),
        (GOOD.replace("house: House", "db: Database"), "first argument"),
        (GOOD.replace('"""Seal."""', "pass"), "no docstring"),
        ("X = 1\n", "public functions are"),
    ],
)
def test_a_corridor_with_a_side_door_is_seen(text: str, fault: str) -> None:
    assert any(fault in f for f in corridor_faults("seal_log", text))


def test_a_good_corridor_passes() -> None:
    assert corridor_faults("seal_log", GOOD + "def _seal(tx: object) -> int: ...\n") == []


def test_a_transaction_in_a_room_is_seen() -> None:
    assert opens_transaction(GOOD) == [4]
    assert opens_transaction("def f(db): return db.transaction") == []


@pytest.mark.parametrize(
    "statement",
    [
        "select a from b where c",
        " INSERT INTO t VALUES (1)",
        "update t\n set x = 1",
        "delete from t",
        "with a as (select 1) select 1",
        "truncate t",
        "copy t (a) from stdin",
        "select pg_sleep(1)",
        "/* why */ select a from b where c",
    ],
)
def test_sql_in_a_string_is_seen(statement: str) -> None:
    assert sql_strings(f"def f(tx):\n    tx.run({statement!r})\n") == [2]


@pytest.mark.parametrize(
    "text", ["Selected households of the list", "update", "with care", "delete it", "copy that"]
)
def test_plain_words_are_no_sql(text: str) -> None:
    assert sql_strings(f"x = {text!r}\n") == []


def test_a_docstring_may_speak_of_sql() -> None:
    assert sql_strings('def f():\n    """select a from b where c"""\n') == []
