"""Who may speak over SOAP: what is refused at registration, what an operator types, and each change said again from rows."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.cli import cli
from gateway.clients.restate import RESTATERS
from gateway.flows.list_soap_clients import list_soap_clients
from gateway.flows.purge_assertions import purge_assertions
from gateway.flows.register_soap_client import register_soap_client
from gateway.flows.switch_soap_client import switch_soap_client
from gateway.house import House
from schemas.errors import InvalidError, NotFoundError, TamperedError
from schemas.soap import SoapRegistration
from tests.conftest import TestDatabase
from tests.plain_town import NOW, plain_house
from tests.soap_keys import der_of, signing_identity
from tests.soap_stage import PASSWORD
from tests.soap_town import SIGNED, TOKEN, make_service

TLS = ("A" * 43,)
RESTATER = RESTATERS["soap_client_changed"]


@pytest.fixture
def house(database: TestDatabase) -> House:
    ours = signing_identity("gateway")
    towns = {town: make_service(town, ours) for town in (SIGNED, TOKEN)}
    return replace(plain_house(database), soap_towns=towns)


def signed(**changes: Any) -> SoapRegistration:
    settings = {"signing_certificates": (der_of(signing_identity("town")),), **changes}
    return SoapRegistration(
        **{"client_id": "s1", "town": SIGNED, "scopes": ("contributions.write",), **settings}
    )


def token(**changes: Any) -> SoapRegistration:
    settings = {"tls_certificates": TLS, "username": "points", "password": PASSWORD, **changes}
    return SoapRegistration(
        **{"client_id": "t1", "town": TOKEN, "scopes": ("contributions.write",), **settings}
    )


def test_every_change_leaves_a_record_that_rows_say_again(house: House, database: TestDatabase) -> None:
    both = (der_of(signing_identity("town")), der_of(signing_identity("town next", "ec")))
    assert register_soap_client(house, signed(), now=NOW)
    assert not register_soap_client(house, signed(), now=NOW)
    assert register_soap_client(house, signed(signing_certificates=both), now=NOW + timedelta(seconds=1))
    assert switch_soap_client(house, "s1", False, now=NOW + timedelta(seconds=2))
    assert not switch_soap_client(house, "s1", False, now=NOW + timedelta(seconds=3))
    assert register_soap_client(house, token(), now=NOW)
    assert not register_soap_client(house, token(), now=NOW)
    assert register_soap_client(house, token(password=PASSWORD[::-1]), now=NOW + timedelta(seconds=1))
    rows = database.sql(
        "select row_id, body from record where kind = 'soap_client_changed' order by recorded_at"
    )
    recorded = {str(row): json.loads(bytes(body))["body"] for row, body in rows}  # type: ignore[call-overload]
    assert sorted(b["change"] for b in recorded.values()) == [
        "disabled",
        "registered",
        "registered",
        "replaced",
        "replaced",
    ]
    with database.auditor.transaction(read_only=True) as tx:
        assert dict(RESTATER.restate(tx, RESTATER.list_row_ids(tx, "", 100))) == recorded
    assert [(c.client_id, c.enabled) for c in list_soap_clients(house)] == [("s1", False), ("t1", True)]
    assert PASSWORD not in json.dumps(
        [[str(c) for c in row] for row in database.sql("select * from soap_client")]
    )


def test_a_sealed_password_of_another_client_does_not_open(house: House, database: TestDatabase) -> None:
    register_soap_client(house, token(), now=NOW)
    register_soap_client(house, token(client_id="t2", username="other", password=PASSWORD[::-1]), now=NOW)
    database.sql(
        "set session_replication_role = replica; update soap_client set password_box = "
        "(select password_box from soap_client where client_id = 't2') where client_id = 't1'"
    )
    with pytest.raises(TamperedError):
        register_soap_client(house, token(), now=NOW)


#: What is asked, and where it is refused.
REFUSED = [
    (signed(client_id="two words"), "client_id"),
    (signed(scopes=()), "scope"),
    (signed(scopes=("everything",)), "scope"),
    (signed(signing_certificates=()), "signing_cert"),
    (signed(signing_certificates=(b"no certificate",)), "signing_cert"),
    (signed(signing_certificates=(der_of(signing_identity("weak", "small")),)), "signing_cert"),
    (signed(username="points", password=PASSWORD), "signing_cert"),
    (signed(tls_certificates=("short",)), "tls_cert"),
    (
        signed(signing_certificates=tuple(der_of(signing_identity(f"c{n}", "ec")) for n in range(5))),
        "cert",
    ),
    (token(tls_certificates=()), "username"),
    (token(username=None), "username"),
    (token(username="with space"), "username"),
    (token(password=None), "password"),
    (token(password="short"), "password"),
    (token(signing_certificates=(der_of(signing_identity("town")),)), "username"),
    (signed(town="lijiayuan"), "town"),
]


def test_what_lets_nobody_in_safely_is_not_registered(house: House, database: TestDatabase) -> None:
    for asked, where in REFUSED:
        with pytest.raises(InvalidError) as refusal:
            register_soap_client(house, asked, now=NOW)
        assert refusal.value.where == where
    assert database.sql("select count(*) from soap_client") == [(0,)]


def test_one_name_and_one_key_for_each_client(house: House) -> None:
    register_soap_client(house, signed(), now=NOW)
    register_soap_client(house, token(), now=NOW)
    for asked in (signed(client_id="s2"), token(client_id="t2")):
        with pytest.raises(InvalidError) as refusal:
            register_soap_client(house, asked, now=NOW)
        assert refusal.value.where == "client_id"
    with pytest.raises(NotFoundError):
        switch_soap_client(house, "nobody", True, now=NOW)


def test_used_messages_are_forgotten_after_their_own_end(house: House, database: TestDatabase) -> None:
    database.sql(
        "insert into soap_message_used values (sha256('a'), 's1', %(a)s), (sha256('b'), 's1', %(b)s)",
        {"a": NOW - timedelta(seconds=1), "b": NOW + timedelta(seconds=1)},
    )
    assert purge_assertions(house, now=NOW) == 1
    assert purge_assertions(house, now=NOW) == 0


def test_an_operator_registers_both_kinds(database: TestDatabase, tmp_path: Path) -> None:
    environ = {
        "GATEWAY_STATE_DIR": str(tmp_path / "state"),
        "GATEWAY_DATABASE_URL": database.app_dsn,
        "GATEWAY_DATABASE_AUDIT_URL": database.auditor_dsn,
    }

    def run(*words: str) -> Result:
        return CliRunner().invoke(cli, ["soap-client", *words], env=environ)

    assert CliRunner().invoke(cli, ["certs", "init"], env=environ).exit_code == 0
    certs = tmp_path / "state" / "certs"
    words = ["register", "--town", "wuhe_zhonglian", "--client-id", "wuhe"]
    words += ["--signing-cert", str(certs / "signing-wuhe_zhonglian.crt")]
    assert "registered" in run(*words).output
    assert "stands so already" in run(*words).output
    assert CliRunner().invoke(cli, ["certs", "issue", "signing-wuhe_zhonglian"], env=environ).exit_code == 0
    words += ["--signing-cert", str(certs / "signing-wuhe_zhonglian.previous.crt")]
    assert "registered" in run(*words).output
    made = run(
        "register", "--town", "pingan_gongfu", "--client-id", "pingan", "--username", "pingan",
        "--tls-cert", str(certs / "client-pingan_gongfu.crt"),
    )  # fmt: skip
    assert "its password, shown this once: " in made.output
    listed = run("list").output
    assert listed.count("signs with a certificate until") == 2
    assert "username pingan" in listed
    assert made.output.split()[-1] not in listed
    assert "changed" in run("disable", "wuhe").output
    assert "DISABLED" in run("list").output
    assert "changed" in run("enable", "wuhe").output
