"""Fixtures: one embedded PostgreSQL a session, one migrated template database, a copy of it for each test that asks."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg2
import pytest

from gateway.db import Database
from gateway.db.embedded import Embedded, start_embedded, stop_embedded
from gateway.db.migrate import create_database, migrate

ENOUGH_BYTES = 6 * 1024**3


@pytest.fixture(scope="session")
def postgres() -> Iterator[Embedded]:
    """A server of its own for this test session, on a socket in a new directory."""
    folder = Path(tempfile.mkdtemp(prefix="gateway-test-", dir=_roomy_memory()))
    folder.chmod(0o755)
    server = start_embedded(folder / "postgres", extra_settings="shared_buffers = 128MB\n")
    create_database(server.dsn("postgres", "postgres"), "gateway_template")
    migrate(server.dsn("gateway_migrate", "gateway_template"))
    yield server
    stop_embedded(folder / "postgres")
    shutil.rmtree(folder, ignore_errors=True)


def _roomy_memory() -> Path | None:
    """Memory that looks like a directory, when there is enough: copying the template takes a tenth of the time there.

    Nothing of durability is lost: these servers are thrown away. The storms, which kill servers, keep theirs on disk.
    """
    memory = Path("/dev/shm")
    if not memory.is_dir() or not os.access(memory, os.W_OK):
        return None
    return memory if shutil.disk_usage(memory).free > ENOUGH_BYTES else None


@dataclass(frozen=True)
class TestDatabase:
    """A fresh database: one session per role, and connection strings."""

    __test__ = False
    app: Database
    auditor: Database
    app_dsn: str
    auditor_dsn: str
    owner_dsn: str  # gateway_migrate: owns the tables, for tests that tamper
    admin_dsn: str  # postgres

    def sql(self, text: str, params: object = None) -> list[tuple[object, ...]]:
        """Run as the superuser, committed: for arranging and tampering in tests."""
        connection = psycopg2.connect(self.admin_dsn)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(text, params)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()


@pytest.fixture
def database(postgres: Embedded) -> Iterator[TestDatabase]:
    """A copy of the migrated template; dropped afterwards."""
    name = f"t_{uuid4().hex[:12]}"
    admin = postgres.dsn("postgres", "postgres")
    _admin(
        admin, f"create database {name} template gateway_template owner gateway_migrate strategy file_copy"
    )
    dsns = {
        role: postgres.dsn(role, name)
        for role in ("gateway_app", "gateway_auditor", "gateway_migrate", "postgres")
    }
    app, auditor = Database(dsns["gateway_app"]), Database(dsns["gateway_auditor"])
    yield TestDatabase(
        app, auditor, dsns["gateway_app"], dsns["gateway_auditor"], dsns["gateway_migrate"], dsns["postgres"]
    )
    app.close()
    auditor.close()
    _admin(admin, f"drop database {name} with (force)")


def _admin(dsn: str, statement: str) -> None:
    connection = psycopg2.connect(dsn)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()
