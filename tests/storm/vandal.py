"""A vandal with the superuser's rights: changes, removes or adds one row, looks whether it is noticed, and puts it back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg2
from psycopg2 import sql

from gateway.db import Query, Transaction
from tests.house.sql_reader import tables_used

#: type → SQL that makes another value of the same type out of column {c}.
OTHER_VALUE = {
    "text": "case when {c} = '' then 'x' when {c} like 'a%%' then 'b' || substr({c}, 2) else 'a' || substr({c}, 2) end",
    "uuid": "gen_random_uuid()",
    "bigint": "{c} + 1000",
    "integer": "{c} + 1000",
    "smallint": "{c} + 1000",
    "boolean": "not {c}",
    "date": "case when isfinite({c}) then {c} + 1 else date '2026-01-01' end",
    "timestamp with time zone": "{c} + interval '1 microsecond'",
    "bytea": "case octet_length({c}) when 0 then '\\x00'::bytea else set_byte({c}, 0, get_byte({c}, 0) # 1) end",
    "jsonb": "jsonb_build_array({c}, 1)",
    "ARRAY": "{c} || {c} || array['x']",
}
#: the same for a column that is null
SOME_VALUE = {
    "text": "'x'",
    "uuid": "gen_random_uuid()",
    "bigint": "1",
    "integer": "1",
    "smallint": "1",
    "boolean": "true",
    "date": "date '2026-01-01'",
    "timestamp with time zone": "timestamptz '2026-01-01Z'",
    "bytea": "'\\x00'::bytea",
    "jsonb": "'[]'",
    "ARRAY": "array['x']",
}


@dataclass
class Vandal:
    """Works on one database, as superuser: check constraints are dropped first, and triggers do not fire."""

    dsn: str
    columns: dict[str, dict[str, str]] = field(default_factory=dict)  # table → column → type

    def __post_init__(self) -> None:
        checks = self.run(
            "select conrelid::regclass::text, conname from pg_constraint where contype = 'c' and conrelid > 0"
        )
        for table, name in checks:
            if not table.startswith(("pg_", "information_schema")):
                self.run(
                    sql.SQL("alter table {} drop constraint {}").format(
                        sql.Identifier(table), sql.Identifier(name)
                    )
                )

    def run(self, statement: sql.Composable | str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        connection = psycopg2.connect(self.dsn)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute("set session_replication_role = replica")
                cursor.execute(statement, params or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def columns_of(self, table: str) -> dict[str, str]:
        if table not in self.columns:
            self.columns[table] = dict(
                self.run(
                    "select column_name, data_type from information_schema.columns"
                    " where table_schema = 'public' and table_name = %s order by ordinal_position",
                    [table],
                )
            )
        return self.columns[table]

    def pick(self, table: str) -> tuple[str, dict[str, Any]] | None:
        """One row: where it stands now, and its content."""
        found = self.run(
            sql.SQL("select ctid::text, to_jsonb(t) from {} t order by ctid limit 1").format(
                sql.Identifier(table)
            )
        )
        return (found[0][0], found[0][1]) if found else None

    def _put_back(self, table: str, content: Mapping[str, Any]) -> None:
        self.run(
            sql.SQL("insert into {0} select * from jsonb_populate_record(null::public.{0}, %s)").format(
                sql.Identifier(table)
            ),
            [json.dumps(content)],
        )

    def _keys(self, table: str) -> list[str]:
        """Columns of the table's unique indexes that hold ids or words: by these a row is named."""
        found = self.run(
            "select distinct a.attname::text from pg_index i"
            " join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)"
            " where i.indrelid = %s::regclass and i.indisunique",
            [table],
        )
        return [column for (column,) in found]

    def _names(self, table: str, *contents: Mapping[str, Any]) -> set[str]:
        """What names these rows: the ids in them; where a table has none, the table."""
        kinds = self.columns_of(table)
        ids = {c for c, kind in kinds.items() if kind == "uuid"} | {
            c for c in self._keys(table) if kinds[c] == "text"
        }
        return {str(content[c]) for content in contents for c in ids if len(str(content[c])) >= 8} or {table}

    @contextmanager
    def changed(self, table: str, column: str) -> Iterator[set[str]]:
        """One column of one row has another value. Gives what names the row."""
        ctid, content = self.pick(table) or ("", {})
        kind = self.columns_of(table)[column]
        maker = (SOME_VALUE if content[column] is None else OTHER_VALUE)[kind]
        value = sql.SQL(maker.replace("{c}", f'"{column}"'))
        at, now = self.run(
            sql.SQL("update {} t set {} = {} where ctid = %s::tid returning ctid::text, to_jsonb(t)").format(
                sql.Identifier(table), sql.Identifier(column), value
            ),
            [ctid],
        )[0]
        try:
            yield self._names(table, content, now)
        finally:
            self.run(sql.SQL("delete from {} where ctid = %s::tid").format(sql.Identifier(table)), [at])
            self._put_back(table, content)

    @contextmanager
    def removed(self, table: str) -> Iterator[set[str]]:
        """One row is gone."""
        ctid, content = self.pick(table) or ("", {})
        self.run(sql.SQL("delete from {} where ctid = %s::tid").format(sql.Identifier(table)), [ctid])
        try:
            yield self._names(table, content)
        finally:
            self._put_back(table, content)

    @contextmanager
    def added(self, table: str) -> Iterator[set[str]]:
        """One row too many: like another, under keys of its own."""
        _, content = self.pick(table) or ("", {})
        unique = self._keys(table)
        kinds = self.columns_of(table)
        made = sql.SQL(", ").join(
            sql.SQL(OTHER_VALUE[kinds[c]].replace("{c}", f'"{c}"'))
            if c in unique and kinds[c] in ("uuid", "text", "bigint", "integer") and content[c] is not None
            else sql.Identifier(c)
            for c in content
        )
        names = sql.SQL(", ").join(map(sql.Identifier, content))
        statement = "insert into {0} as t ({1}) select {2} from {0} order by ctid limit 1 returning ctid::text, to_jsonb(t)"
        at, now = self.run(sql.SQL(statement).format(sql.Identifier(table), names, made))[0]
        try:
            yield self._names(table, content, now)
        finally:
            self.run(sql.SQL("delete from {} where ctid = %s::tid").format(sql.Identifier(table)), [at])


@dataclass
class ReadingNotes:
    """Stands in for a Transaction and notes which tables the queries read."""

    tx: Transaction
    tables: set[str] = field(default_factory=set)

    def all(self, query: Query, params: Any = None) -> Any:
        self.tables |= tables_used(query.sql).reads
        return self.tx.all(query, params)

    def tuples(self, query: Query, params: Any = None) -> Any:
        self.tables |= tables_used(query.sql).reads
        return self.tx.tuples(query, params)
