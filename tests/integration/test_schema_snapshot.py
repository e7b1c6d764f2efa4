"""The schema snapshot equals what the migrations make, so a review of schema.sql is a review of the database."""

from __future__ import annotations

from gateway.db.embedded import Embedded
from gateway.db.snapshot import SNAPSHOT, dump_schema
from tests.conftest import TestDatabase


def _name(database: TestDatabase) -> str:
    return str(database.sql("select current_database()")[0][0])


def test_the_snapshot_is_what_the_migrations_make(postgres: Embedded, database: TestDatabase) -> None:
    made = dump_schema(postgres, _name(database))
    assert made.splitlines() == SNAPSHOT.read_text("utf-8").splitlines(), "run `make snapshot`"


def test_a_drift_shows_in_the_snapshot(postgres: Embedded, database: TestDatabase) -> None:
    before = dump_schema(postgres, _name(database))
    for change in ("alter table household add column floors int", "grant delete on household to gateway_app",
                   "drop trigger no_change on contribution"):  # fmt: skip
        database.sql(change)
        after = dump_schema(postgres, _name(database))
        assert after != before, change
        before = after


def test_the_snapshot_holds_no_version_and_no_session_setting() -> None:
    text = SNAPSHOT.read_text("utf-8")
    assert "pg_dump" not in text
    assert "\nSET " not in text
    assert text.count("\n--") == 0
