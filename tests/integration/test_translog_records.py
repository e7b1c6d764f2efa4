"""Records are queued because they are written, and written once."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg2
import pytest

from gateway.translog import append_records
from schemas.errors import ConflictError, InvalidError
from schemas.records import RecordDraft
from tests.conftest import TestDatabase

NOW = datetime(2026, 11, 23, 4, 5, 6, 789000, tzinfo=UTC)


def _draft(row_id: str, **body: object) -> RecordDraft:
    return RecordDraft("sample", row_id, dict(body))


def test_a_record_is_stored_canonically_and_queued(database: TestDatabase) -> None:
    with database.app.transaction() as tx:
        ids = append_records(tx, [_draft("b", z=1, a="街道"), _draft("a")], now=NOW, new_id=uuid4)
    rows = database.sql(
        "select record_id, body, recorded_at from record"
        " join record_pending using (record_id, recorded_at) order by queue_no"
    )
    assert [row[0] for row in rows] == ids
    stored: Any = rows[0][1]
    assert bytes(stored) == (
        '{"body":{"a":"街道","z":1},"kind":"sample","recorded_at":"2026-11-23T04:05:06.789000Z","row_id":"b","v":1}'.encode()
    )
    assert rows[0][2] == NOW


def test_nothing_to_record_is_nothing(database: TestDatabase) -> None:
    with database.app.transaction() as tx:
        assert append_records(tx, [], now=NOW, new_id=uuid4) == []


def test_hostile_text_survives_the_copy(database: TestDatabase) -> None:
    row_id = "tab\there \\N new\nline \\. 𠀀"
    with database.app.transaction() as tx:
        append_records(tx, [_draft(row_id, text=row_id)], now=NOW, new_id=uuid4)
    found: Any = database.sql("select row_id, body from record")
    [(stored, body)] = found
    assert stored == row_id
    assert json.loads(bytes(body))["body"]["text"] == row_id


def test_the_same_row_twice_is_refused(database: TestDatabase) -> None:
    with database.app.transaction() as tx:
        append_records(tx, [_draft("a")], now=NOW, new_id=uuid4)
    with pytest.raises(ConflictError), database.app.transaction() as tx:
        append_records(tx, [_draft("b"), _draft("a", other=1)], now=NOW, new_id=uuid4)
    assert database.sql("select count(*) from record_pending") == [(1,)]


def test_a_record_too_large_is_refused(database: TestDatabase) -> None:
    with pytest.raises(InvalidError, match="too large"), database.app.transaction() as tx:
        append_records(tx, [_draft("a", text="x" * 60_000)], now=NOW, new_id=uuid4)


@pytest.mark.parametrize(
    "statement",
    [
        "delete from record_pending",
        "insert into record_pending (record_id, recorded_at) values (gen_random_uuid(), now())",
    ],
)
def test_the_application_cannot_touch_the_queue(database: TestDatabase, statement: str) -> None:
    connection = psycopg2.connect(database.app_dsn)
    with pytest.raises(psycopg2.errors.InsufficientPrivilege), connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()


@pytest.mark.parametrize("position", [0, 1])
def test_a_leaf_needs_a_waiting_record_and_no_gap(database: TestDatabase, position: int) -> None:
    with database.app.transaction() as tx:
        [record_id] = append_records(tx, [_draft("a")], now=NOW, new_id=uuid4)
    wrong = record_id if position == 1 else uuid4()  # position 1 leaves a gap; position 0 for nobody
    with pytest.raises(psycopg2.errors.IntegrityConstraintViolation):
        database.sql("insert into leaf values (%s, %s, sha256(''))", (position, str(wrong)))
