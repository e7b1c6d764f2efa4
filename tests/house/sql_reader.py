"""Which tables a statement reads and which it writes: enough of SQL for what stands in `queries.sql`.

Not a parser: a walk over tokens that knows where a table's name can stand (after from, join, into, update, copy, …),
what is no table there (functions, the names of a `with`), and which `from` and `update` are something else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\1\$|e?'(?:[^'\\]|''|\\.)*'|%\(\w+\)s|"[^"]*"|[a-z_]\w*|\d+(?:\.\d+)?|::|\S""",
    re.DOTALL | re.IGNORECASE,
)
_ENDS_FROM = frozenset(
    "where group order having limit returning window union intersect except select set offset fetch for values do".split()
)
_FROM_IS_SYNTAX = frozenset(("extract", "substring", "trim", "overlay", "position"))
_BEFORE_NAME = frozenset(("only", "lateral", "table", "rows", "if", "exists", "not"))
_NO_TABLE = frozenset(("stdin", "stdout", "program", "select", "values", "unnest", "nothing"))


@dataclass
class Use:
    """Tables read, tables written, and temporary tables the statement makes itself."""

    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    makes: set[str] = field(default_factory=set)


def tables_used(sql: str) -> Use:
    """The tables the statements of `sql` use."""
    use = Use()
    statement: list[str] = []
    for match in _TOKEN.finditer(sql):
        token = match[0]
        if token.startswith(("--", "/*", "'", "$", "%(", "e'", "E'")):
            continue
        if token == ";":
            _read_statement(statement, use)
            statement = []
        else:
            statement.append(token.lower().strip('"'))
    _read_statement(statement, use)
    use.reads -= use.makes
    use.writes -= use.makes
    return use


def _read_statement(tokens: list[str], use: Use) -> None:
    named = _with_names(tokens)
    openers: list[str] = []  # the word before each open parenthesis
    in_from: list[bool] = [False]
    expect = ""  # '', 'read', 'write' or 'make'
    for at, token in enumerate(tokens):
        before = tokens[at - 1] if at else ""
        after = tokens[at + 1] if at + 1 < len(tokens) else ""
        if token == "(":
            openers.append(before)
            in_from.append(False)
            expect = ""
        elif token == ")":
            if openers:
                openers.pop()
                in_from.pop()
        elif token == ",":
            expect = "read" if in_from[-1] else ""
        elif begun := _begins(tokens, at, openers[-1] if openers else ""):
            expect = begun
            in_from[-1] = in_from[-1] or token == "from"
        elif token in _ENDS_FROM:
            in_from[-1], expect = False, ""
        elif expect and token in _BEFORE_NAME:
            continue
        elif expect and re.match(r"[a-z_]", token):
            _note(token, before, after, expect, named, use)
            if after != ".":
                expect = ""


def _note(token: str, before: str, after: str, expect: str, named: set[str], use: Use) -> None:
    if after == "." or token in _NO_TABLE or token in named or (before == "." and token.startswith("pg_")):
        return
    if expect == "make":
        use.makes.add(token)
    elif expect == "write":
        use.writes.add(token)
    elif after != "(" and not token.startswith("pg_"):  # a function in a from-list is no table
        use.reads.add(token)


def _begins(tokens: list[str], at: int, opener: str) -> str:
    """What kind of table name `tokens[at]` announces, or ''."""
    token = tokens[at]
    before = tokens[at - 1] if at else ""
    after = tokens[at + 1] if at + 1 < len(tokens) else ""
    kind = ""
    if token == "from" and before != "distinct" and opener not in _FROM_IS_SYNTAX:
        kind = "write" if before == "delete" else "read"
    elif token == "join" or (token == "using" and after != "("):
        kind = "read"
    elif token == "copy" and at == 0 and after != "(":
        kind = "read" if "to" in tokens else "write"
    elif token == "table" and before in ("temp", "temporary"):
        kind = "make"
    elif _begins_write(token, before, after, at):
        kind = "write"
    return kind


def _begins_write(token: str, before: str, after: str, at: int) -> bool:
    if token == "into":
        return before in ("insert", "merge")
    if token == "update":
        return before not in ("for", "do", "key", "on") and after != "set"
    if token == "table":
        return before in ("alter", "drop")
    return token in ("truncate", "lock") and at == 0


def _with_names(tokens: list[str]) -> set[str]:
    """Names given by `with`: they stand where tables stand and are none."""
    found = set()
    for at in range(1, len(tokens) - 2):
        if tokens[at - 1] not in ("with", "recursive", ","):
            continue
        next_at = at + 1
        if tokens[next_at] == "(":  # name (columns) as (…)
            while next_at < len(tokens) and tokens[next_at] != ")":
                next_at += 1
            next_at += 1
        rest = [t for t in tokens[next_at : next_at + 4] if t not in ("not", "materialized")]
        if rest[:2] == ["as", "("]:
            found.add(tokens[at])
    return found
