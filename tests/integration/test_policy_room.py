"""Rulesets in the database: four eyes by constraint, nothing edited, and records that rows must agree with."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime

import psycopg2
import pytest

from gateway import policy
from gateway.policy.restate import APPROVED, PROPOSED, RESTATERS
from schemas.errors import ConflictError, InvalidError, NotFoundError, RefusedError, TamperedError
from tests.conftest import TestDatabase

NOW = datetime(2026, 11, 1, 1, 2, 3, tzinfo=UTC)
TEXT = policy.packaged_text("guanghan")


def _later(text: str, day: str) -> str:
    return text.replace("valid_from_on: 2026-01-01", f"valid_from_on: {day}")


def test_proposed_twice_is_once_and_reads_back_the_same(database: TestDatabase) -> None:
    with database.app.transaction() as tx:
        ruleset, new = policy.insert_ruleset(tx, TEXT, by="author", now=NOW)
        again, new_again = policy.insert_ruleset(tx, TEXT, by="author", now=NOW)
        assert (new, new_again) == (True, False)
        assert policy.get_ruleset(tx, ruleset.ruleset_id) == again == ruleset
        assert hashlib.sha256(ruleset.canonical).hexdigest() == ruleset.ruleset_id
    with pytest.raises(ConflictError), database.app.transaction() as tx:
        policy.insert_ruleset(tx, TEXT, by="somebody-else", now=NOW)


def test_nobody_approves_their_own(database: TestDatabase) -> None:
    with database.app.transaction() as tx:
        ruleset, _ = policy.insert_ruleset(tx, TEXT, by="author", now=NOW)
    for same in ("author", "AUTHOR", " author "):
        with pytest.raises(RefusedError, match="own ruleset"), database.app.transaction() as tx:
            policy.insert_approval(tx, ruleset.ruleset_id, by=same, now=NOW)
    statement = (
        "insert into ruleset_approval select ruleset_id, name, valid_from_on, %s, %s, now() from ruleset"
        " where ruleset_id = %s"
    )
    with pytest.raises(psycopg2.errors.CheckViolation):
        database.sql(statement, ("author", "author", ruleset.ruleset_id))
    with pytest.raises(psycopg2.errors.ForeignKeyViolation):
        database.sql(statement, ("a-lie-about-the-author", "author", ruleset.ruleset_id))
    assert database.sql("select count(*) from ruleset_approval") == [(0,)]


@pytest.mark.parametrize("login", ["", "张三", "a b", "x" * 65, "аdmin", "a\nb"])
def test_a_login_is_spelled_in_one_way(database: TestDatabase, login: str) -> None:
    with pytest.raises(InvalidError, match="login"), database.app.transaction() as tx:
        policy.insert_ruleset(tx, TEXT, by=login, now=NOW)


def test_of_each_name_the_last_begun_is_in_force(database: TestDatabase) -> None:
    with database.app.transaction() as tx:
        first, _ = policy.insert_ruleset(tx, TEXT, by="author", now=NOW)
        second, _ = policy.insert_ruleset(tx, _later(TEXT, "2026-06-01"), by="author", now=NOW)
        policy.insert_ruleset(tx, _later(TEXT, "2026-07-01"), by="author", now=NOW)  # never approved
        ending, _ = policy.insert_ruleset(tx, policy.packaged_text("gongfu_dai"), by="author", now=NOW)
        for ruleset in (first, second, ending):
            assert policy.insert_approval(tx, ruleset.ruleset_id, by="other", now=NOW)
        assert not policy.insert_approval(tx, first.ruleset_id, by="other", now=NOW)

    def in_force(on: date) -> list[str]:
        with database.app.transaction() as tx:
            return [r.ruleset_id for r in policy.list_in_force(tx, on)]

    assert in_force(date(2025, 12, 31)) == []
    assert in_force(date(2026, 1, 1)) == [ending.ruleset_id, first.ruleset_id]
    assert in_force(date(2026, 8, 1)) == [ending.ruleset_id, second.ruleset_id]
    assert in_force(date(2031, 1, 1)) == [second.ruleset_id]


def test_two_rulesets_of_a_name_do_not_begin_on_one_day(database: TestDatabase) -> None:
    with database.app.transaction() as tx:
        first, _ = policy.insert_ruleset(tx, TEXT, by="author", now=NOW)
        other, _ = policy.insert_ruleset(tx, TEXT.replace("cap_bp: 100", "cap_bp: 90"), by="author", now=NOW)
        policy.insert_approval(tx, first.ruleset_id, by="other", now=NOW)
    with pytest.raises(ConflictError, match="refused"), database.app.transaction() as tx:
        policy.insert_approval(tx, other.ruleset_id, by="other", now=NOW)
    with pytest.raises(ConflictError, match="approved already"), database.app.transaction() as tx:
        policy.insert_approval(tx, first.ruleset_id, by="third", now=NOW)


@pytest.mark.parametrize("table", ["ruleset", "ruleset_approval"])
@pytest.mark.parametrize("statement", ["update {} set name = 'x'", "delete from {}", "truncate {} cascade"])
def test_rulesets_never_change_even_for_their_owner(
    database: TestDatabase, table: str, statement: str
) -> None:
    with database.app.transaction() as tx:
        ruleset, _ = policy.insert_ruleset(tx, TEXT, by="author", now=NOW)
        policy.insert_approval(tx, ruleset.ruleset_id, by="other", now=NOW)
    with pytest.raises(psycopg2.errors.IntegrityError):
        database.sql(statement.format(table))


def test_a_document_that_was_tampered_with_is_refused(database: TestDatabase) -> None:
    with database.app.transaction() as tx:
        ruleset, _ = policy.insert_ruleset(tx, TEXT, by="author", now=NOW)
    with pytest.raises(psycopg2.errors.CheckViolation):
        database.sql(
            "set session_replication_role = replica; update ruleset set document = document || ' '::bytea"
        )
    database.sql(
        "set session_replication_role = replica; alter table ruleset drop constraint ruleset_id_is_digest;"
        " update ruleset set document = replace(convert_from(document, 'UTF8'), '\"cap_bp\":100', '\"cap_bp\":300')::bytea"
    )
    with pytest.raises(TamperedError), database.app.transaction() as tx:
        policy.get_ruleset(tx, ruleset.ruleset_id)


def test_an_id_may_be_shortened_but_not_guessed(database: TestDatabase) -> None:
    with database.app.transaction() as tx:
        ruleset, _ = policy.insert_ruleset(tx, TEXT, by="author", now=NOW)
        assert policy.find_ruleset_id(tx, ruleset.ruleset_id[:8]) == ruleset.ruleset_id
        for wrong in ("", "abc", "%", ruleset.ruleset_id[:7], "'; drop table ruleset; --"):
            with pytest.raises(InvalidError):
                policy.find_ruleset_id(tx, wrong)
        with pytest.raises(NotFoundError):
            policy.find_ruleset_id(tx, "00000000")


def test_restating_finds_every_changed_column(database: TestDatabase) -> None:
    with database.app.transaction() as tx:
        ruleset, _ = policy.insert_ruleset(tx, TEXT, by="author", now=NOW)
        policy.insert_approval(tx, ruleset.ruleset_id, by="other", now=NOW)
    before = {}
    with database.auditor.transaction(read_only=True) as tx:
        for kind in (PROPOSED, APPROVED):
            assert RESTATERS[kind].list_row_ids(tx, "", 10) == [ruleset.ruleset_id]
            assert RESTATERS[kind].list_row_ids(tx, ruleset.ruleset_id, 10) == []
            before[kind] = RESTATERS[kind].restate(tx, [ruleset.ruleset_id])[ruleset.ruleset_id]
    database.sql("set session_replication_role = replica; update ruleset_approval set approved_by = 'forged'")
    database.sql("set session_replication_role = replica; update ruleset set yaml = yaml || '# forged'")
    with database.auditor.transaction(read_only=True) as tx:
        (fault,) = RESTATERS[APPROVED].explain(tx, ruleset.ruleset_id, before[APPROVED])
        assert (fault.table, fault.column, fault.recorded, fault.found) == (
            "ruleset_approval",
            "approved_by",
            "other",
            "forged",
        )
        (fault,) = RESTATERS[PROPOSED].explain(tx, ruleset.ruleset_id, before[PROPOSED])
        assert (fault.table, fault.column) == ("ruleset", "yaml")
    database.sql("set session_replication_role = replica; delete from ruleset_approval")
    with database.auditor.transaction(read_only=True) as tx:
        (fault,) = RESTATERS[APPROVED].explain(tx, ruleset.ruleset_id, before[APPROVED])
        assert (fault.column, fault.found) == (None, None)
