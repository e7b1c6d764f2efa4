"""The token endpoint and the guard, over real TLS with real certificates, spoken to by an independent client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.conftest import TestDatabase
from tests.served import Served, served_gateway


@pytest.fixture
def served(database: TestDatabase, tmp_path: Path) -> Iterator[Served]:
    with served_gateway(database, tmp_path) as running:
        yield running


def test_an_independent_client_gets_a_bound_token(served: Served) -> None:
    town = served.town()
    meta = town.session.get(f"{served.url}/.well-known/oauth-authorization-server", timeout=5).json()
    assert meta["tls_client_certificate_bound_access_tokens"] is True
    assert meta["issuer"] == served.url
    answer = town.ask_token()
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json()["token_type"] == "Bearer"
    keys = KeySet.import_key_set(town.session.get(meta["jwks_uri"], timeout=5).json())
    token = jwt.decode(answer.json()["access_token"], keys, algorithms=["ES256"])
    assert token.header["typ"] == "at+jwt"
    assert token.header["kid"]
    assert token.claims["iss"] == token.claims["aud"] == served.url
    assert token.claims["exp"] - token.claims["iat"] == 600
    assert token.claims["sub"] == token.claims["client_id"] == served.client_id
    assert len(token.claims["cnf"]["x5t#S256"]) == 43
    # without a scope: everything the client may
    assert "households.write" in town.ask_token(scope=None).json()["scope"]
    town.close()
