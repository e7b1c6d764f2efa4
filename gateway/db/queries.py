"""Named queries: SQL lives in `queries.sql` beside its room, in `-- name: verb_noun` blocks.

What auditors read may stand in `history.sql` beside it. `-- name: verb_noun prepared` is planned once a connection: for the
statements every push runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_NAME = re.compile(r"^-- name: ([a-z][a-z0-9_]*)( prepared)?[ \t]*$", re.MULTILINE)
_PARAMETER = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True, slots=True)
class Query:
    """One statement with its name. Parameters are psycopg2's `%(name)s`."""

    name: str
    sql: str
    prepare: str = ""  # PREPARE … AS …, for a statement marked `prepared`: planned once a connection
    execute: str = ""  # EXECUTE … with psycopg2's parameters, in the order of `prepare`


class Queries:
    """The queries of one room, as attributes: `queries.insert_batch`."""

    def __init__(self, room: str, found: dict[str, Query]) -> None:
        self._room = room
        self._found = found

    def __getattr__(self, name: str) -> Query:
        try:
            return self._found[name]
        except KeyError:
            raise AttributeError(f"{self._room}/queries.sql has no query named {name!r}") from None

    def __iter__(self) -> Iterator[Query]:
        return iter(self._found.values())


def load_queries(module_file: str) -> Queries:
    """Load `queries.sql` beside `module_file` (pass `__file__`), with `history.sql` where the room has one: what auditors read.
    Raises ValueError for a name given twice."""
    folder = Path(module_file).parent
    files = [folder / "queries.sql", *folder.glob("history.sql")]
    parts = _NAME.split("\n".join(file.read_text("utf-8") for file in files))
    found: dict[str, Query] = {}
    for name, prepared, sql in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        if name in found:
            raise ValueError(f"{folder.name}/queries.sql names {name!r} twice")
        full = f"{folder.name}.{name}"
        text = f"/* {full} */ {sql.strip().rstrip(';')}"
        found[name] = Query(full, text, *_prepared(full, text)) if prepared else Query(full, text)
    return Queries(folder.name, found)


def _prepared(full: str, text: str) -> tuple[str, str]:
    """The PREPARE and the EXECUTE of a statement: each parameter by number, wherever it stands."""
    names = list(dict.fromkeys(_PARAMETER.findall(text)))
    numbered = _PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", text).replace("%%", "%")
    arguments = f" ({', '.join(f'%({name})s' for name in names)})" if names else ""
    return f'prepare "{full}" as {numbered}', f'execute "{full}"{arguments}'
