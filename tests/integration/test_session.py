"""The database session: small writes travel together, and nothing about them is lost on the way."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg2
import pytest
from uuid6 import uuid7

from gateway.db import copy_text
from gateway.db.queries import Query
from schemas.errors import ConflictError, UnavailableError
from tests.conftest import TestDatabase

COPY = Query("test.copy", "copy activity_code (town, activity, category, added_by, added_at) from stdin")
COUNT = Query("test.count", "select count(*) as n from activity_code")
LIST = Query("test.list", "select town, activity, category, added_by from activity_code order by activity")
AT = datetime(2026, 1, 1, tzinfo=UTC)
AWKWARD = [
    "plain", "with 'quotes'", "back\\slash", "tab\there",
    "line\nbreak", "cr\rhere", "100%", "%(town)s", "\\N", "''; drop table x; --",
    "罕见字𠮷",
]  # fmt: skip


def _rows(count: int) -> list[tuple[object, ...]]:
    return [("t", f"a{n:05d}", "other", "x" * 50, AT) for n in range(count)]


@pytest.mark.parametrize("text", AWKWARD)
def test_few_rows_arrive_as_they_are(database: TestDatabase, text: str) -> None:
    with database.app.transaction() as tx:
        assert tx.copy_in(COPY, copy_text([("t", text, "other", text, AT)])) == 1
    with database.app.transaction() as tx:
        assert tx.tuples(LIST) == [("t", text, "other", text)]


def test_awkward_words_arrive_alike_by_insert_and_by_copy(database: TestDatabase) -> None:
    rows = [("t", word, "other", word, AT) for word in AWKWARD]
    with database.app.transaction() as tx:
        tx.copy_in(COPY, copy_text(rows))
        few = tx.tuples(LIST)
    with database.app.transaction() as tx:
        tx.copy_in(
            COPY, copy_text([("u", *row[1:]) for row in rows] + [("z", *row[1:]) for row in _rows(2000)])
        )
        many = [("t", *row[1:]) for row in tx.tuples(LIST) if row[0] == "u"]
    assert few == many
    assert len(few) == len(AWKWARD)


def test_what_waits_is_seen_by_the_next_question(database: TestDatabase) -> None:
    with database.app.transaction() as tx:
        tx.copy_in(COPY, copy_text(_rows(3)))
        assert tx.one(COUNT).n == 3
        tx.copy_in(COPY, copy_text([("u", *row[1:]) for row in _rows(2)]))
    with database.app.transaction() as tx:
        assert tx.one(COUNT).n == 5


def test_a_refusal_of_what_waited_ends_the_transaction_with_its_constraint(database: TestDatabase) -> None:
    def twice() -> None:
        with database.app.transaction() as tx:
            tx.copy_in(COPY, copy_text(_rows(2)))
            tx.copy_in(COPY, copy_text(_rows(1)))

    with pytest.raises(ConflictError) as refused:
        twice()
    assert refused.value.where == "activity_code_pkey"
    with database.app.transaction() as tx:
        assert tx.one(COUNT).n == 0


def test_an_error_in_the_corridor_leaves_what_waited_unsent(database: TestDatabase) -> None:
    def fails() -> None:
        with database.app.transaction() as tx:
            tx.copy_in(COPY, copy_text(_rows(2)))
            raise KeyError("in the corridor")

    with pytest.raises(KeyError):
        fails()
    with database.app.transaction() as tx:
        assert tx.one(COUNT).n == 0


def test_null_bytes_and_ids_keep_their_types(database: TestDatabase) -> None:
    copy = Query("test.copy", "copy raw_push (batch_id, key_id, sealed, whole, received_at) from stdin")
    batch_id, box = uuid7(), bytes(range(256))
    with database.app.transaction() as tx:
        tx.copy_in(copy, copy_text([(batch_id, "k", box, False, AT)]))
        stored = tx.tuples(Query("test.raw", "select batch_id, sealed, whole, received_at from raw_push"))
    assert [(str(b), bytes(s), w, a) for b, s, w, a in stored] == [(str(batch_id), box, False, AT)]


@pytest.mark.parametrize(
    ("exc", "away"),
    [
        (psycopg2.DatabaseError("server closed the connection unexpectedly"), True),
        (psycopg2.OperationalError("server closed the connection unexpectedly"), True),
        (psycopg2.InterfaceError("connection already closed"), True),
        (psycopg2.ProgrammingError("no results to fetch"), False),
        (psycopg2.DataError("invalid input syntax"), False),
    ],
)
def test_a_broken_connection_is_told_from_a_refusal(
    database: TestDatabase, exc: psycopg2.Error, away: bool
) -> None:
    """psycopg2 raises its bare DatabaseError when the server dies in the middle of a statement: found by a storm of kill -9."""
    with pytest.raises(UnavailableError if away else type(exc)), database.app.transaction():
        raise exc
    with database.app.transaction() as tx:
        assert tx.one(COUNT).n == 0
