"""Forward migrations: numbered SQL files, each in one transaction, recorded with its SHA-256, never edited afterwards."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import make_dsn

FOLDER = Path(__file__).parent / "migrations"
_FILE = re.compile(r"^(\d{4})_([a-z0-9_]+)\.sql$")
_LOCK = 7_330_109_000  # advisory lock: one migrator at a time


@dataclass(frozen=True, slots=True)
class Migration:
    number: int
    name: str
    text: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def list_migrations(folder: Path = FOLDER) -> list[Migration]:
    """All migrations in order. Raises ValueError for a wrong name or a number given twice."""
    found: dict[int, Migration] = {}
    for path in sorted(folder.glob("*.sql")):
        match = _FILE.match(path.name)
        if not match:
            raise ValueError(f"migration {path.name!r} is not named NNNN_words.sql")
        number = int(match[1])
        if number in found:
            raise ValueError(f"migration number {number:04d} is given twice")
        found[number] = Migration(number, match[2], path.read_text("utf-8"))
    return [found[n] for n in sorted(found)]


def create_database(admin_dsn: str, database: str) -> bool:
    """Create the three roles and the database when missing (embedded server and tests). True when it was made."""
    connection = psycopg2.connect(admin_dsn)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for role in ("gateway_migrate", "gateway_app", "gateway_auditor"):
                cursor.execute("select 1 from pg_roles where rolname = %s", (role,))
                if cursor.fetchone() is None:
                    cursor.execute(sql.SQL("create role {} login").format(sql.Identifier(role)))
            cursor.execute("select 1 from pg_database where datname = %s", (database,))
            new = cursor.fetchone() is None
            if new:
                cursor.execute(
                    sql.SQL(
                        "create database {} owner gateway_migrate encoding 'UTF8' template template0"
                    ).format(sql.Identifier(database))
                )
    finally:
        connection.close()
    _close_corners(make_dsn(admin_dsn, dbname=database))
    return new


def _close_corners(admin_dsn: str) -> None:
    """Take from everybody what PostgreSQL grants everybody and an auditor must not have: see `corners.sql`."""
    connection = psycopg2.connect(admin_dsn)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute((Path(__file__).parent / "corners.sql").read_text("utf-8"))
    finally:
        connection.close()


def migrate(dsn: str) -> list[str]:
    """Apply what is missing, in order; the names applied. Raises RuntimeError when an applied file was changed."""
    connection = psycopg2.connect(dsn)
    applied_now: list[str] = []
    try:
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_lock(%s)", (_LOCK,))
            cursor.execute(
                "create table if not exists public.schema_migration (number int primary key, name text not null,"
                " sha256 text not null, applied_at timestamptz not null default now())"
            )
            cursor.execute("select number, sha256 from public.schema_migration")
            done = dict(cursor.fetchall())
            connection.commit()
            for migration in list_migrations():
                if migration.number in done:
                    if done[migration.number] != migration.sha256:
                        raise RuntimeError(
                            f"migration {migration.number:04d}_{migration.name} was changed after it was applied;"
                            " restore the file and add a new migration"
                        )
                    continue
                cursor.execute(migration.text)
                cursor.execute(
                    "insert into public.schema_migration (number, name, sha256) values (%s, %s, %s)",
                    (migration.number, migration.name, migration.sha256),
                )
                connection.commit()
                applied_now.append(f"{migration.number:04d}_{migration.name}")
        return applied_now
    finally:
        connection.close()


def missing_migrations(dsn: str) -> list[str]:
    """Names of migrations the database lacks; for readiness."""
    connection = psycopg2.connect(dsn, connect_timeout=3)
    try:
        with connection.cursor() as cursor:
            cursor.execute("select to_regclass('public.schema_migration')")
            row = cursor.fetchone()
            done: set[int] = set()
            if row and row[0]:
                cursor.execute("select number from public.schema_migration")
                done = {n for (n,) in cursor.fetchall()}
        return [f"{m.number:04d}_{m.name}" for m in list_migrations() if m.number not in done]
    finally:
        connection.close()
