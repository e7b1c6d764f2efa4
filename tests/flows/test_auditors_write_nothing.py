"""Auditors cannot write anything, anywhere, by any URL or by SQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import uuid4

import psycopg2
import pytest

from gateway.app import create_app
from schemas.staff import Role
from tests.conftest import TestDatabase
from tests.served import Served
from tests.staff_stage import Browser, add_person

PLACE = re.compile(r"<(?:[^:<>]*(?:\([^)]*\))?:)?(\w+)>")


@pytest.fixture(scope="module")
def auditor(served: Served) -> Iterator[Browser]:
    browser = Browser(served.url, served.certificates.ca_cert)
    assert browser.sign_in(add_person(served.house, "A001", Role.AUDITOR)).status_code == 303
    yield browser
    browser.close()


def test_auditors_write_nothing_by_sql(served_database: TestDatabase) -> None:
    """Their role over every table, sequence and function: nothing but reading is allowed, whatever the session says."""
    tables = {
        str(table): str(column)
        for table, column in served_database.sql(
            "select quote_ident(table_name), min(quote_ident(column_name)) from information_schema.columns"
            " where table_schema = 'public' and is_identity = 'NO' and is_generated = 'NEVER' group by table_name"
        )
    }
    assert len(tables) > 70
    connection = psycopg2.connect(served_database.auditor_dsn)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            for table, column in tables.items():
                for statement in (
                    f"insert into {table} default values", f"update {table} set {column} = {column}", f"delete from {table}",
                    f"truncate {table}", f"drop table {table}", f"alter table {table} disable trigger all",
                    f"create trigger t before insert on {table} for each row execute function refuse_change()",
                ):  # fmt: skip
                    with pytest.raises(psycopg2.Error) as refused:
                        cursor.execute(statement)
                    assert refused.value.pgcode in ("42501", "25006"), (statement, refused.value)
            for statement in (
                "create table t (a int)", "create function f() returns int language sql as 'select 1'", "create schema s",
                "set role gateway_app", "set role gateway_migrate", "set session authorization gateway_app",
                "select nextval('subject_seq')", "select take_changed_batches(1)", "select open_accounts(array[1::bigint], 'x')",
                "copy record to program 'cat'", "copy record from '/etc/passwd'", "select pg_read_file('/etc/passwd')",
                "select lo_create(0)", "select lo_from_bytea(0, 'x')", "select pg_advisory_lock(7330109020)",
                "select pg_try_advisory_xact_lock(1, 2)", "select pg_notify('x', 'y')",
            ):  # fmt: skip
                with pytest.raises(psycopg2.Error) as refused:
                    cursor.execute(statement)
                assert refused.value.pgcode == "42501", (statement, refused.value)
            cursor.execute("select has_database_privilege('gateway_auditor', 'gateway_template', 'TEMP')")
            assert cursor.fetchone() == (False,), "create_database leaves the auditor no temporary tables"
    finally:
        connection.close()


def test_auditors_write_nothing_by_any_door(
    served: Served, served_database: TestDatabase, auditor: Browser
) -> None:
    """Every address that takes anything but GET, with a right form token and without: nothing changes but that it was tried."""
    token = auditor.form_token("/audit/")
    rules = [
        (method, rule)
        for rule in create_app(served.house).url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"GET", "HEAD", "OPTIONS"})
        if not rule.rule.startswith(("/audit/", "/staff/"))  # looks are meant to be written; signing out too
    ]
    assert len(rules) > 15
    assert any(rule.rule.startswith("/desk/") for _, rule in rules)
    before = _contents(served_database)
    for method, rule in rules:
        path = PLACE.sub(lambda found: "confirm" if found[1] == "action" else str(uuid4()), rule.rule)
        for fields in ({"form_token": token}, {}):
            answer = auditor.session.request(
                method, served.url + path, data=fields, timeout=30, allow_redirects=False
            )
            refused = answer.status_code in range(400, 500) or (answer.status_code == 500 and "/soap" in path)
            assert refused, (method, path, answer.status_code)  # a SOAP 1.1 fault travels as 500
    after = _contents(served_database)
    changed = {table for table in before if before[table] != after[table]}
    assert changed <= {"staff_event", "record", "record_pending", "staff_session"}, changed
    for path in ("/audit/find", "/audit/look", "/audit/looks/" + str(uuid4()) + "/export"):
        assert auditor.send(path, {"open": "1", "reason": "audit_sample"}).status_code == 403
    assert _contents(served_database)["staff_look"] == after["staff_look"]


def _contents(served_database: TestDatabase) -> dict[str, tuple[object, ...]]:
    """Of each table how many rows, and a digest over all that stands in them."""
    tables = [
        str(name)
        for (name,) in served_database.sql("select tablename from pg_tables where schemaname = 'public'")
    ]
    every = " union all ".join(
        f"select '{table}', count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) from {table} t"
        for table in tables
    )
    return {str(table): tuple(rest) for table, *rest in served_database.sql(every)}
