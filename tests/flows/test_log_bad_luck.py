"""Bad luck of the log, each ending in its alarm: a full disk, a sealer that stopped, a clock set back, a salt lost, an auditor
who writes.

Elsewhere: every falsified row (test_vandal), rewritten trees, two histories and stolen keys (test_witnesses), two sealers at
once and a sealer that dies (tests/integration/test_seal_log).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import orjson
import psycopg2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.config import Config
from gateway.db.embedded import Embedded
from gateway.flows.inspect_health import inspect_health
from gateway.flows.note_keys import note_keys
from gateway.flows.receive_contributions import receive_contributions
from gateway.flows.register_households import register_households
from gateway.flows.seal_log import seal_log
from gateway.flows.verify_log import verify_log
from gateway.house import House
from jobs.running import Runner
from jobs.table import get_job
from schemas.errors import UnavailableError
from tests.conftest import TestDatabase
from tests.house.tree import tables
from tests.plain_town import NOW, TOWN, invented_id_no, plain_house, push


@pytest.fixture
def house(database: TestDatabase, tmp_path: Path) -> House:
    """A family that has sorted its garbage once; nothing is sealed yet."""
    absent = tmp_path / "absent"
    key = _key(tmp_path / "log.key")
    config = replace(
        Config(), log_key=key, log_verifiers=tmp_path / "log.vkeys", tls_cert=absent, tls_client_ca=absent
    )
    made = plain_house(database, config=replace(config, soap_cert=absent, receipt_key=absent))
    family = [{"code": "F0", "members": [{"id_no": invented_id_no(1), "head": True}]}]
    register_households(made, TOWN, "town-a", orjson.dumps(family), now=NOW)
    receive_contributions(made, _push("k0"), now=NOW)
    return made


def _key(path: Path) -> Path:
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(pem)
    path.chmod(0o600)
    return path


def _push(key: str) -> object:
    item = {"reference": f"T-{key}", "code": "F0", "id_no": invented_id_no(1), "points_centi": 100}
    return push([item], key)


#: PostgreSQL's own words when a file cannot grow (SQLSTATE 53100), at one table or at the end of the transaction.
_FULL = """
create function disk_is_full() returns trigger language plpgsql as $$
begin raise exception 'could not extend file "base/5/16384": No space left on device' using errcode = 'disk_full'; end $$;
grant execute on function disk_is_full() to public;
create {kind} trigger disk_is_full after insert on {table} {when} for each row execute function disk_is_full()
"""


@pytest.mark.parametrize(
    ("table", "kind", "when"),
    [("leaf", "", ""), ("checkpoint", "", ""), ("leaf", "constraint", "deferrable initially deferred")],
)
def test_a_full_disk_seals_nothing_half_and_is_named(
    house: House, database: TestDatabase, table: str, kind: str, when: str
) -> None:
    database.sql(_FULL.format(table=table, kind=kind, when=when))
    sealer = Runner(house, get_job("seal_log"), "scheduler test")
    ran = sealer.run()
    assert (ran.outcome, ran.error_code) == ("failed", "database-disk-full")
    assert database.sql("select error_code from job_run where job = 'seal_log'") == [("database-disk-full",)]
    assert sealer.run().error_code == "database-disk-full"
    assert database.sql("select job, outcome from job_outcome") == [
        ("seal_log", "failed")
    ]  # in the log once, not each second
    counts = (
        "select (select count(*) from leaf), (select count(*) from tile), (select count(*) from checkpoint)"
    )
    assert database.sql(counts) == [(0, 0, 0)]
    assert verify_log(house, now=NOW).ok  # what waits, waits
    database.sql(f"drop trigger disk_is_full on {table}")
    assert sealer.run().outcome == "done"
    assert database.sql("select count(*) from job_outcome where outcome = 'done'") == [
        (1,)
    ]  # well again, in the log too
    assert verify_log(house, now=NOW).ok


def test_a_push_that_meets_a_full_disk_is_sent_again(house: House, database: TestDatabase) -> None:
    database.sql(_FULL.format(table="record", kind="", when=""))
    with pytest.raises(UnavailableError) as refused:
        receive_contributions(house, _push("k1"), now=NOW)
    assert (refused.value.code, refused.value.retry_after_s) == ("database-disk-full", 60)
    database.sql("drop trigger disk_is_full on record")
    assert receive_contributions(house, _push("k1"), now=NOW).items[0].status == "accepted"
    assert verify_log(house, now=NOW).ok


def test_a_sealer_that_stopped_warns_then_refuses_then_is_a_fault(house: House) -> None:
    config = house.config

    def standing(after_s: int) -> tuple[bool, bool, str]:
        [seal] = [
            one
            for one in inspect_health(house, now=NOW + timedelta(seconds=after_s)).checks
            if one.name == "seal"
        ]
        return seal.ok, seal.warns, seal.detail

    assert standing(config.seal_lag_warn_s)[:2] == (True, False)
    assert standing(config.seal_lag_warn_s + 1) == (
        True,
        True,
        f"{config.seal_lag_warn_s + 1} s behind, over the warning limit",
    )
    late = NOW + timedelta(seconds=config.seal_lag_refuse_s + 1)
    assert standing(config.seal_lag_refuse_s + 1)[:2] == (False, True)
    with pytest.raises(UnavailableError) as refused:
        receive_contributions(house, _push("k1"), now=late)
    assert refused.value.code == "seal-lag"
    assert [fault.code for fault in verify_log(house, now=late).faults][:1] == ["seal-late"]
    seal_log(house, now=late)  # it is back
    later = late + timedelta(seconds=5)
    assert receive_contributions(house, _push("k1"), now=later).items[0].status == "accepted"
    assert verify_log(house, now=later).ok


def test_a_clock_set_back_fails_the_job_and_loses_nothing(house: House) -> None:
    seal_log(house, now=NOW)
    receive_contributions(house, _push("k1"), now=NOW)
    ran = Runner(
        replace(house, clock=lambda: NOW - timedelta(minutes=5)), get_job("seal_log"), "by hand"
    ).run()
    assert (ran.outcome, ran.error_code) == ("failed", "clock-back")
    report = verify_log(house, now=NOW)
    assert report.ok, report.faults
    assert report.checked["records waiting"] == 1  # that it failed: sealed in the next run
    assert report.checked["leaves"] + 1 == report.checked["records"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("salt = ''", "salt"),
        ("salt = sha256(salt)", "salt"),
        ("salt = sha256(salt), commitment = sha256('x')", "commitment"),
        ("sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1)", "sealed"),
        ("key_id = 'another'", "sealed"),
        ("birth_on = birth_on + 1", "birth_on"),
    ],
)
def test_a_lost_salt_is_named(house: House, database: TestDatabase, change: str, named: str) -> None:
    """With it goes the only way to show whom a record speaks of: nothing else in the database holds it."""
    seal_log(house, now=NOW)
    assert verify_log(house, now=NOW).ok
    database.sql(f"update person set {change}")
    report = verify_log(house, now=NOW)
    assert any("person" in str(fault) and named in str(fault) for fault in report.faults), report.faults


def test_an_auditor_can_write_nothing_by_sql(postgres: Embedded) -> None:
    """Every table there is, whatever is added: read, and nothing else. In the database the migrations were run in."""
    connection = psycopg2.connect(postgres.dsn("gateway_auditor", "gateway_template"))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(
            "select c.relname, (select attname from pg_attribute where attrelid = c.oid and attnum = 1) from pg_class c"
            " join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public' and c.relkind in ('r', 'p')"
        )
        found = cursor.fetchall()
        assert {table for table, _ in found} == tables() | {"schema_migration"}
        for table, column in found:
            for statement in (
                f"insert into {table} default values",
                f"update {table} set {column} = {column}",
                f"delete from {table}",
                f"truncate {table}",
                f"drop table {table}",
                f"alter table {table} disable trigger all",
                f"create trigger mine before insert on {table} for each row execute function refuse_change()",
            ):
                with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                    cursor.execute(statement)
        for statement in (
            "create table mine (a int)", "create temporary table mine (a int)", "create schema mine",
            "set role gateway_app", "set session_replication_role = replica", "select lo_create(0)",
            "select lo_from_bytea(0, 'x')", "copy record to program 'cat'", "select setval('subject_seq', 1)",
            "select nextval('subject_seq')",
        ):  # fmt: skip
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute(statement)
        cursor.execute(
            "select p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace"
            " where n.nspname = 'public' and has_function_privilege(p.oid, 'execute')"
        )
        assert cursor.fetchall() == [("staff_secret_sha256",)]  # says a digest, writes nothing
    connection.close()


def test_our_keys_begin_and_end_in_the_log(house: House, tmp_path: Path, database: TestDatabase) -> None:
    assert note_keys(house, now=NOW) == 1  # the log's; this house has no other
    assert note_keys(house, now=NOW) == 0  # twice is once
    other = replace(house, config=replace(house.config, log_key=_key(tmp_path / "new.key")))
    assert note_keys(other, now=NOW) == 2
    assert database.sql("select change from own_key_change order by changed_at, change_id") == [
        ("begun",),
        ("begun",),
        ("ended",),
    ]
    assert note_keys(house, now=NOW + timedelta(hours=1)) == 2  # back to the old one
    assert verify_log(house, now=NOW).ok


def test_what_is_known_to_be_missing_is_named(house: House, database: TestDatabase) -> None:
    assert verify_log(house, now=NOW).missing == ()
    database.sql(
        f"insert into feed_gap values ('nanyang_young', 17, 18, '{NOW}'), ('nanyang_young', 20, 25, '{NOW}');"
        " insert into day_file_since values ('pingan_gongfu', '2026-11-01')"
    )
    day = "insert into day_file select 'pingan_gongfu', date '{}', 'x', 0, 0, 0, 0, 0, 0, 0, 0, '[]', now()"
    for on in ("2026-11-01", "2026-11-03"):
        database.sql(day.format(on))
    assert verify_log(house, now=NOW).missing == (
        f"number 17 of the feed of nanyang_young, passed {NOW:%Y-%m-%d %H:%M} UTC",
        f"number 20 to 24 of the feed of nanyang_young, passed {NOW:%Y-%m-%d %H:%M} UTC",
        "the day file of pingan_gongfu for 2026-11-02",
    )
