"""The ground holds: migrations apply, append-only tables refuse change, balances move only by transfers."""

from __future__ import annotations

from uuid import uuid4

import psycopg2
import pytest

from tests.conftest import TestDatabase

TRANSFER = (
    "insert into transfer (cause_id, cause_no, leg, cause_kind, town, debit_holder, debit_kind, credit_holder, credit_kind,"
    " points_centi, recorded_at) values (%s, %s, 0, 'contribution', 'lijiayuan', %s, %s, %s, %s, %s, now())"
)


def _run(dsn: str, text: str, params: object = None) -> None:
    connection = psycopg2.connect(dsn)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(text, params)
    finally:
        connection.close()


def test_a_transfer_moves_balances(database: TestDatabase) -> None:
    cause = str(uuid4())
    _run(database.app_dsn, TRANSFER, (cause, 0, 0, "issue", 7, "available", 500))
    _run(database.app_dsn, TRANSFER, (cause, 1, 7, "available", 7, "held", 200))
    assert database.sql("select kind, balance_centi from account order by kind") == [
        ("available", 300),
        ("held", 200),
    ]


def test_available_below_zero_is_refused(database: TestDatabase) -> None:
    cause = str(uuid4())
    _run(database.app_dsn, TRANSFER, (cause, 0, 0, "issue", 7, "available", 500))
    with pytest.raises(psycopg2.errors.CheckViolation):
        _run(database.app_dsn, TRANSFER, (cause, 1, 7, "available", 7, "held", 501))
    with pytest.raises(psycopg2.errors.CheckViolation):
        _run(database.app_dsn, TRANSFER, (cause, 2, 8, "available", 8, "held", 1))
    assert database.sql("select balance_centi from account") == [(500,)]


def test_the_same_cause_twice_is_refused(database: TestDatabase) -> None:
    cause = str(uuid4())
    _run(database.app_dsn, TRANSFER, (cause, 0, 0, "issue", 7, "available", 500))
    with pytest.raises(psycopg2.errors.UniqueViolation):
        _run(database.app_dsn, TRANSFER, (cause, 0, 0, "issue", 7, "available", 500))


@pytest.mark.parametrize(
    "statement", ["update transfer set points_centi = 1", "delete from transfer", "truncate transfer"]
)
def test_transfers_never_change_even_for_their_owner(database: TestDatabase, statement: str) -> None:
    _run(database.app_dsn, TRANSFER, (str(uuid4()), 0, 0, "issue", 7, "available", 500))
    with pytest.raises(psycopg2.errors.IntegrityConstraintViolation):
        _run(database.owner_dsn, statement)
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        _run(database.app_dsn, statement)


def test_the_application_cannot_set_a_balance(database: TestDatabase) -> None:
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        _run(database.app_dsn, "insert into account values ('lijiayuan', 7, 'available', 100)")


def test_the_auditor_cannot_write(database: TestDatabase) -> None:
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        _run(database.auditor_dsn, TRANSFER, (str(uuid4()), 0, 0, "issue", 7, "available", 500))
