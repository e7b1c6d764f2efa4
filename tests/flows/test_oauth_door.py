"""The token endpoint and the guard, over real TLS with real certificates, spoken to by an independent client."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey

from certs import rotate_token_key
from gateway.flows.switch_client import switch_client
from tests.conftest import TestDatabase
from tests.served import Served, TownClient

BATCH = f"/batches/{uuid4()}"


@pytest.fixture
def town(served: Served) -> Iterator[TownClient]:
    client = served.town()
    yield client
    client.close()


def _get_batch(town: TownClient, token: str | None, **headers: str) -> Any:
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    return town.session.get(f"{town.url}/towns/lijiayuan/v1{BATCH}", headers=headers, timeout=10)


def test_an_independent_client_gets_a_bound_token(served: Served, town: TownClient) -> None:
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


def test_scopes_asked_for_are_the_scopes_given(town: TownClient) -> None:
    assert town.ask_token(scope="contributions.read").json()["scope"] == "contributions.read"
    assert "households.write" in town.ask_token(scope=None).json()["scope"]
    refused = town.ask_token(scope="contributions.read everything")
    assert refused.status_code == 400
    assert refused.json()["error"] == "invalid_scope"


def test_the_issuer_is_an_audience_too(town: TownClient) -> None:
    assert town.ask_token(town.assertion(aud=town.url)).status_code == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": int(time.time()) - 3600},
        {"exp": int(time.time()) + 24 * 3600},
        {"exp": None},
        {"exp": "soon"},
        {"exp": 1e308},
        {"iat": int(time.time()) - 24 * 3600},
        {"iat": int(time.time()) + 3600},
        {"nbf": int(time.time()) + 3600},
        {"aud": "https://elsewhere.example/oauth/token"},
        {"aud": None},
        {"jti": None},
        {"jti": ""},
        {"jti": "x" * 257},
        {"jti": 7},
        {"iss": "somebody-else"},
        {"sub": "somebody-else", "iss": "somebody-else"},
        {"sub": ["lijiayuan-test"]},
        {"sub": "a\0b"},
    ],
    ids=str,
)
def test_a_wrong_assertion_gets_no_token(town: TownClient, claims: dict[str, Any]) -> None:
    answer = town.ask_token(town.assertion(**claims))
    assert answer.status_code == 401, answer.text
    assert answer.json()["error"] == "invalid_client"
    assert answer.json()["correlationId"] == answer.headers["X-Correlation-Id"]
    assert "access_token" not in answer.text


def test_an_assertion_is_used_once_also_by_another_process(served: Served, town: TownClient) -> None:
    assertion = town.assertion()
    assert town.ask_token(assertion).status_code == 200
    for _ in range(6):  # new connections: both workers are met
        other = served.town()
        assert other.ask_token(assertion).json()["error_description"] == "The assertion was used before."
        other.close()


def test_algorithms_and_keys_are_ours_to_choose(served: Served, town: TownClient) -> None:
    stranger = ECKey.generate_key("P-256")
    assert town.ask_token(town.assertion(key=stranger)).status_code == 401
    own_key = {"jwk": stranger.as_dict(private=False)}
    assert town.ask_token(town.assertion(key=stranger, header=own_key)).status_code == 401
    known_kid = json.loads(served.certificates.assertion("lijiayuan")[1].read_text())["keys"][0]["kid"]
    assert town.ask_token(town.assertion(key=stranger, header={"kid": known_kid})).status_code == 401
    claims = base64.urlsafe_b64encode(
        json.dumps({"iss": town.client_id, "sub": town.client_id}).encode()
    ).decode()
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=") + "." + claims.rstrip("=") + "."
    assert town.ask_token(none).status_code == 401
    public = served.certificates.assertion("lijiayuan")[1].read_text()
    confused = jwt.encode(
        {"alg": "HS256", "kid": known_kid}, {"sub": town.client_id}, OctKey.import_key(public)
    )
    assert town.ask_token(confused).status_code == 401


@pytest.mark.parametrize("assertion", ["", "x", "a.b.c", "é.é.é", "." * 100, "e30.e30.e30"])
def test_a_broken_assertion_gets_no_token(town: TownClient, assertion: str) -> None:
    answer = town.ask_token(assertion)
    assert answer.status_code in (400, 401), answer.text
    assert answer.json()["error"] in ("invalid_client", "invalid_request")


def test_an_oversize_assertion_is_refused_before_it_is_read(town: TownClient) -> None:
    answer = town.ask_token(town.assertion(filler="x" * 9000))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_other_grants_and_secrets_are_not_offered(town: TownClient) -> None:
    assert town.ask_token(grant_type="authorization_code").json()["error"] == "unsupported_grant_type"
    assert town.ask_token(grant_type="").status_code == 400
    url = f"{town.url}/oauth/token"
    basic = town.session.post(
        url, data={"grant_type": "client_credentials"}, auth=(town.client_id, "x"), timeout=5
    )
    assert basic.status_code == 401
    twice = town.session.post(url, data=[("grant_type", "client_credentials")] * 2, timeout=5)
    assert twice.json()["error"] == "invalid_request"
    assert town.session.post(url, json={}, timeout=5).status_code == 415
    assert town.session.get(url, timeout=5).status_code == 405
    many = town.session.post(url, data=[(f"n{i}", "x") for i in range(50)], timeout=5)
    assert many.status_code == 400


def test_without_or_with_another_certificate_no_token(served: Served) -> None:
    for certificate in (None, served.certificates.client("nanyang_young")):
        other = served.town(certificate=certificate)
        answer = other.ask_token()
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        other.close()


def test_the_same_token_with_another_certificate_is_refused(served: Served, town: TownClient) -> None:
    token = town.token()
    assert _get_batch(town, token).status_code == 404  # in, and there is no such batch
    for certificate in (None, served.certificates.client("nanyang_young")):
        thief = served.town(certificate=certificate)
        answer = _get_batch(thief, token)
        assert (answer.status_code, answer.json()["code"]) == (401, "certificate-mismatch")
        assert answer.headers["Content-Type"] == "application/problem+json"
        thief.close()


def test_a_certificate_in_a_header_from_anybody_is_ignored(served: Served, town: TownClient) -> None:
    token = town.token()
    pem = served.certificates.client("lijiayuan")[0].read_text()
    der = pem.split("-----")[2].replace("\n", "")
    thief = served.town(certificate=None)
    answer = _get_batch(thief, token, **{"Client-Cert": f":{der}:"})
    assert (answer.status_code, answer.json()["code"]) == (401, "certificate-mismatch")
    thief.close()
    assert any("client-cert-ignored" in line for line in served.log_lines())


def test_a_token_of_somebody_else_or_changed_is_refused(served: Served, town: TownClient) -> None:
    good = town.token()
    head, body, signature = good.split(".")
    flipped = f"{head}.{body}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"
    self_made = jwt.encode(
        {"alg": "ES256", "typ": "at+jwt"},
        {"iss": town.url, "aud": town.url, "sub": town.client_id, "client_id": town.client_id, "exp": 2**40},
        ECKey.generate_key("P-256"),
    )
    for token in (flipped, self_made, "x", "a.b.c", "x" * 5000, town.assertion()):
        answer = _get_batch(town, token)
        assert (answer.status_code, answer.json()["code"]) == (401, "token-invalid"), token
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    missing = _get_batch(town, None)
    assert (missing.status_code, missing.json()["code"]) == (401, "token-missing")
    assert missing.headers["WWW-Authenticate"] == 'Bearer realm="gateway"'


def test_a_missing_scope_is_forbidden(town: TownClient) -> None:
    answer = _get_batch(town, town.token("contributions.write"))
    assert (answer.status_code, answer.json()["code"]) == (403, "scope-missing")
    assert 'scope="contributions.read"' in answer.headers["WWW-Authenticate"]


def test_refusals_store_nothing_and_leave_one_line(
    served: Served, town: TownClient, served_database: TestDatabase
) -> None:
    before = served_database.sql("select count(*) from contribution_batch")
    answer = town.post("/contributions", b"{}", town.token("contributions.read"))
    assert answer.status_code == 403
    assert served_database.sql("select count(*) from contribution_batch") == before
    correlation = answer.headers["X-Correlation-Id"]
    deadline = time.monotonic() + 5
    while not (lines := [x for x in served.log_lines() if correlation in x]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(lines) == 1
    assert json.loads(lines[0])["code"] == "scope-missing"


def test_after_rotation_both_keys_are_published_and_both_tokens_work(
    served: Served, town: TownClient
) -> None:
    old = town.token()
    rotate_token_key(served.config)
    deadline = time.monotonic() + 12
    while len(town.session.get(f"{town.url}/oauth/jwks", timeout=5).json()["keys"]) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.3)
    time.sleep(5.2)  # every worker has looked by now
    new = town.token()
    assert jwt_kid(old) != jwt_kid(new)
    for token in (old, new):
        assert _get_batch(town, token).status_code == 404


def jwt_kid(token: str) -> str:
    head = token.split(".", maxsplit=1)[0]
    return str(json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"])


def test_a_disabled_client_is_out_at_once(served: Served, town: TownClient) -> None:
    token = town.token()
    assert _get_batch(town, token).status_code == 404
    switch_client(served.house, served.client_id, False, now=served.house.clock())
    try:
        time.sleep(2.1)
        assert _get_batch(town, token).json()["code"] == "client-disabled"
        assert town.ask_token().status_code == 401
    finally:
        switch_client(served.house, served.client_id, True, now=served.house.clock())
        time.sleep(2.1)
    assert _get_batch(town, token).status_code == 404
