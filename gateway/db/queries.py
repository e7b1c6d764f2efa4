"""Named queries: SQL lives in `queries.sql` beside its room, in `-- name: verb_noun` blocks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_NAME = re.compile(r"^-- name: ([a-z][a-z0-9_]*)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Query:
    """One statement with its name. Parameters are psycopg2's `%(name)s`."""

    name: str
    sql: str


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

    def __iter__(self) -> object:
        return iter(self._found.values())


def load_queries(module_file: str) -> Queries:
    """Load `queries.sql` beside `module_file` (pass `__file__`). Raises ValueError for a name given twice."""
    folder = Path(module_file).parent
    parts = _NAME.split((folder / "queries.sql").read_text("utf-8"))
    found: dict[str, Query] = {}
    for name, sql in zip(parts[1::2], parts[2::2], strict=True):
        if name in found:
            raise ValueError(f"{folder.name}/queries.sql names {name!r} twice")
        found[name] = Query(f"{folder.name}.{name}", f"/* {folder.name}.{name} */ {sql.strip().rstrip(';')}")
    return Queries(folder.name, found)
