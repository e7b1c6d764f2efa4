"""Clients: changes are recorded, said again from rows, and an edit behind the house's back is named."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from gateway import clients
from gateway.clients.restate import RESTATERS
from gateway.flows.register_client import register_client
from gateway.flows.switch_client import switch_client
from schemas.errors import InvalidError, NotFoundError
from schemas.oauth import ClientRegistration
from schemas.values import TownCode
from tests.conftest import TestDatabase
from tests.plain_town import NOW, plain_house

RESTATER = RESTATERS["client_changed"]
SHORT_RSA = {"kty": "RSA", "n": "w" + "A" * 170, "e": "AQAB"}  # about 1 024 bits


def _jwks(key: Any = None) -> dict[str, Any]:
    return {"keys": [dict((key or ECKey.generate_key("P-256")).as_dict(private=False))]}


def _asked(**changes: Any) -> ClientRegistration:
    settings: dict[str, Any] = {
        "client_id": "c1",
        "town": TownCode("lijiayuan"),
        "scopes": ("contributions.write",),
        "jwks": _jwks(),
        "certificates": ("a" * 43,),
    }
    return ClientRegistration(**{**settings, **changes})


def _recorded(database: TestDatabase) -> dict[str, Any]:
    rows = database.sql("select row_id, body from record where kind = 'client_changed'")
    return {str(row): json.loads(bytes(body))["body"] for row, body in rows}  # type: ignore[call-overload]


def _restated(database: TestDatabase) -> dict[str, Any]:
    with database.auditor.transaction(read_only=True) as tx:
        return dict(RESTATER.restate(tx, RESTATER.list_row_ids(tx, "", 100)))


def _differing(database: TestDatabase) -> list[str]:
    recorded, restated = _recorded(database), _restated(database)
    with database.auditor.transaction(read_only=True) as tx:
        return [
            str(fault)
            for row_id, body in recorded.items()
            if restated.get(row_id) != body
            for fault in RESTATER.explain(tx, row_id, body)
        ]


def test_every_change_leaves_a_record_that_rows_say_again(database: TestDatabase) -> None:
    house = plain_house(database)
    asked = _asked()
    assert register_client(house, asked, now=NOW)
    assert not register_client(house, asked, now=NOW)  # twice is once
    assert register_client(house, _asked(certificates=("a" * 43, "b" * 43)), now=NOW + timedelta(seconds=1))
    assert switch_client(house, "c1", False, now=NOW + timedelta(seconds=2))
    assert not switch_client(house, "c1", False, now=NOW + timedelta(seconds=3))
    assert [b["change"] for b in _recorded(database).values()] == ["registered", "replaced", "disabled"]
    assert _restated(database) == _recorded(database)


@pytest.mark.parametrize(
    ("tamper", "named"),
    [
        ("update client set enabled = true", "client (client_id c1) column enabled"),
        ("update client set cert_sha256 = array['evil']", "client (client_id c1) column cert_sha256"),
        ("update client set jwks = '{}'", "client (client_id c1) column jwks_sha256"),
        ("update client set scopes = array['households.write']", "client (client_id c1) column scopes"),
        ("delete from client", "client (client_id c1) column client_id"),
    ],
)
def test_an_edited_client_is_named(database: TestDatabase, tamper: str, named: str) -> None:
    house = plain_house(database)
    register_client(house, _asked(), now=NOW)
    switch_client(house, "c1", False, now=NOW + timedelta(seconds=1))
    assert _differing(database) == []
    database.sql(tamper)
    assert [fault for fault in _differing(database) if fault.startswith(named)]


def test_a_client_without_a_record_is_listed(database: TestDatabase) -> None:
    database.sql(
        "insert into client values ('evil', 'lijiayuan', '{contributions.write}', '{}', '{x}', true, now(), now())"
    )
    with database.auditor.transaction(read_only=True) as tx:
        assert RESTATER.list_row_ids(tx, "", 100) == ["client:evil"]
        assert RESTATER.restate(tx, ["client:evil"]) == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"jwks": {"keys": [ECKey.generate_key("P-256").as_dict(private=True)]}},
        {"jwks": {"keys": [ECKey.generate_key("P-384").as_dict(private=False)]}},
        {"jwks": {"keys": [OctKey.generate_key(256).as_dict(private=True)]}},
        {"jwks": {"keys": [SHORT_RSA]}},
        {"jwks": {"keys": [{"kty": "EC"}]}},
        {"jwks": {"keys": ["x"]}},
        {"jwks": {"keys": []}},
        {"jwks": {}},
        {"scopes": ("everything",)},
        {"scopes": ()},
        {"certificates": ()},
        {"certificates": tuple("abcde")},
        {"client_id": "with space"},
        {"client_id": ""},
        {"town": TownCode("nowhere")},
    ],
    ids=lambda c: str(c)[:40],
)
@pytest.mark.filterwarnings("ignore")
def test_an_unusable_registration_is_refused(database: TestDatabase, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidError):
        register_client(plain_house(database), _asked(**changes), now=NOW)
    assert database.sql("select count(*) from client") == [(0,)]


def test_rsa_keys_are_for_ps256(database: TestDatabase) -> None:
    key = RSAKey.generate_key(2048)
    register_client(plain_house(database), _asked(jwks=_jwks(key)), now=NOW)
    assert database.sql("select jwks->'keys'->0->>'alg' from client") == [("PS256",)]


def test_an_unknown_client_cannot_be_switched(database: TestDatabase) -> None:
    with pytest.raises(NotFoundError):
        switch_client(plain_house(database), "nobody", True, now=NOW)


def test_used_assertions_are_forgotten_only_after_their_end(database: TestDatabase) -> None:
    now = datetime.now(UTC)
    with database.app.transaction() as tx:
        assert clients.insert_assertion(tx, "c1", "j1", now + timedelta(seconds=60))
        assert not clients.insert_assertion(tx, "c1", "j1", now + timedelta(seconds=60))
        assert clients.insert_assertion(tx, "c2", "j1", now - timedelta(seconds=1))
        assert clients.delete_expired_assertions(tx, now) == 1
        assert not clients.insert_assertion(tx, "c1", "j1", now)


def test_the_registry_holds_no_private_key(database: TestDatabase) -> None:
    register_client(plain_house(database), _asked(client_id=f"c-{uuid4().hex[:6]}"), now=NOW)
    assert '"d"' not in str(database.sql("select jwks::text from client"))
