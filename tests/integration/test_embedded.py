"""The embedded server after deaths: it comes back, and never beside processes that still write."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from gateway.db.embedded import start_embedded, stop_embedded

BUSY = "do $$ begin for i in 1..25000000 loop null; end loop; end $$"


@pytest.fixture
def data_dir() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="gateway-embedded-"))
    folder.chmod(0o755)
    yield folder / "postgres"
    stop_embedded(folder / "postgres")
    shutil.rmtree(folder, ignore_errors=True)


def test_a_backend_that_outlived_its_postmaster_ends_before_the_next_start(data_dir: Path) -> None:
    """Two sets of processes on the same files would corrupt them: PostgreSQL's manual warns of removing postmaster.pid."""
    dsn = start_embedded(data_dir, extra_settings="shared_buffers = 16MB\n").dsn("postgres", "postgres")
    connection = psycopg2.connect(dsn)
    begun, ended = threading.Event(), threading.Event()

    def work() -> None:
        with contextlib.suppress(psycopg2.Error), connection.cursor() as cursor:
            begun.set()
            cursor.execute(BUSY)
        ended.set()

    busy = threading.Thread(target=work)
    busy.start()
    assert begun.wait(10)
    while _state_of(dsn) != "active":
        pass
    os.kill(int((data_dir / "postmaster.pid").read_text().split("\n", 1)[0]), signal.SIGKILL)
    start_embedded(data_dir, extra_settings="shared_buffers = 16MB\n")
    assert ended.wait(1), "the new server stands beside a backend of the old one"
    busy.join()
    assert _state_of(dsn) == ""


def _state_of(dsn: str) -> str:
    connection = psycopg2.connect(dsn)
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select coalesce(max(state), '') from pg_stat_activity where query = %s and pid <> pg_backend_pid()",
            (BUSY,),
        )
        row = cursor.fetchone()
    connection.close()
    assert row is not None
    return str(row[0])
