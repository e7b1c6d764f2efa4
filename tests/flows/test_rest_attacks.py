"""Events, tokens and pushes of somebody who should not: each case of the corpus is refused as it says, and stores nothing."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import ECKey

from adapters.nanyang_young.simulator import event_body, signature
from certs import read_registration
from gateway.db.embedded import Embedded
from gateway.flows.register_client import register_client
from tests.attacks import FOLDER, cases, problem_code, stored
from tests.conftest import TestDatabase
from tests.nanyang_stage import OTHER_SECRET, Stage, hook_secret, served_with_nanyang
from tests.served import ALL_SCOPES, TownClient, scratch_database

ENDED = hook_secret()


@pytest.fixture(scope="module")
def database(postgres: Embedded) -> Iterator[TestDatabase]:
    with scratch_database(postgres) as made:
        yield made


@pytest.fixture(scope="module")
def stage(database: TestDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with served_with_nanyang(database, tmp_path_factory.mktemp("attacks")) as running:
        yield running


@pytest.fixture
def town(stage: Stage) -> Iterator[TownClient]:
    client = stage.served.town()
    yield client
    client.close()


def test_the_corpus_is_large_enough() -> None:
    found = {path.stem: len(json.loads(path.read_text())["cases"]) for path in FOLDER.glob("*.json")}
    assert found.keys() >= {"events", "tokens", "resources", "linking"}
    assert sum(found.values()) >= 40


def send_event(stage: Stage, do: dict[str, Any]) -> requests.Response:
    """A rightly signed event, with what `do` says changed."""
    body = (
        bytes.fromhex(do["body_hex"]) if "body_hex" in do else do.get("body", event_body().decode()).encode()
    )
    if "body_size" in do:
        body += b" " * int(do["body_size"])
    now = int(time.time())
    event_id, signed_at = "evt_" + secrets.token_hex(8), now + do.get("timestamp_s", 0)
    secret = {
        "lijiayuan": OTHER_SECRET,
        "ended": ENDED,
        "empty": "whsec_",
        "text": "whsec_"
        + base64.b64encode(stage.town.config.hook_secrets[0].removeprefix("whsec_").encode()).decode(),
    }.get(do.get("secret", ""), stage.town.config.hook_secrets[0])
    if do.get("reuse_id"):
        assert deliver(stage, {}, {**_signed(secret, event_id, now, body)}, body).status_code == 204
        body += b" "
    headers = _signed(secret, event_id, signed_at + do.get("sign_timestamp_s", 0), body)
    headers["webhook-timestamp"] = str(signed_at)
    if "version" in do:
        value = headers["webhook-signature"].partition(",")[2]
        headers["webhook-signature"] = f"{do['version']},{value}" if do["version"] else value
    if "truncate" in do:
        headers["webhook-signature"] = headers["webhook-signature"][: 3 + do["truncate"]]
    if "repeat" in do:
        headers["webhook-signature"] = " ".join([headers["webhook-signature"]] * do["repeat"])
    headers |= {name: value.replace("{now}", str(now)) for name, value in do.get("header", {}).items()}
    headers.pop(do.get("drop", ""), None)
    if "twice" in do:
        headers[do["twice"]] += "," + headers[do["twice"]]  # as a server joins a header that comes twice
    body = (do["body_after"].encode() if "body_after" in do else body) + do.get("body_append", "").encode()
    return deliver(stage, do, headers, body)


def _signed(secret: str, event_id: str, at: int, body: bytes) -> dict[str, str]:
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(at),
        "webhook-signature": signature(secret, event_id, str(at), body),
    }


def deliver(stage: Stage, do: dict[str, Any], headers: dict[str, str], body: bytes) -> requests.Response:
    url = f"{stage.served.url}/towns/{do.get('door', 'nanyang_young')}/v1/events"
    sent = {"Content-Type": do.get("content_type", "application/json"), **headers}
    with requests.Session() as session:
        session.trust_env = False
        ca = str(stage.served.certificates.ca_cert)
        return session.post(url, data=body, headers=sent, verify=ca, timeout=20)


def test_a_rightly_signed_event_is_taken_and_a_repeat_answered(stage: Stage, database: TestDatabase) -> None:
    """The valid twin: the feed is due; the same again changes nothing; each of two secrets is good during rotation."""
    secret, body = stage.town.config.hook_secrets[0], event_body()
    headers = _signed(secret, "evt_twin", int(time.time()), body)
    before = stored(database)["hook_event"]
    assert deliver(stage, {}, headers, body).status_code == 204
    wanted = database.sql("select wanted_at from feed")
    assert wanted[0][0] is not None
    assert deliver(stage, {}, headers, body).status_code == 204
    assert database.sql("select wanted_at from feed") == wanted, "a repeat is answered and not repeated"
    assert stored(database)["hook_event"] == before + 1
    later = _signed(secret, "evt_twin_retry", int(time.time()), body)
    assert deliver(stage, {}, later, body).status_code == 204, "a retry under another id is harmless"
    both = _signed(secret, "evt_twin_two", int(time.time()), body)
    both["webhook-signature"] = f"v1,{base64.b64encode(bytes(32)).decode()} {both['webhook-signature']}"
    assert deliver(stage, {}, both, body).status_code == 204
    ended = json.dumps({
        "type": "freeze.expired", "timestamp": "2026-11-01T08:30:00+08:00",
        "data": {"serial": "S-1", "state": "expired", "points": "30", "townReference": "LJY-F-1"},
    }).encode()  # fmt: skip
    headers = _signed(OTHER_SECRET, "evt_freeze", int(time.time()), ended)
    assert deliver(stage, {"door": "lijiayuan"}, headers, ended).status_code == 204
    assert database.sql("select kind, subject from hook_event where event_id = 'evt_freeze'") == [
        ("freeze_ended", "S-1")
    ]


@pytest.mark.parametrize("case", cases("events"))
def test_an_event_that_is_not_good_is_refused(
    stage: Stage, database: TestDatabase, case: dict[str, Any]
) -> None:
    before = stored(database)
    answer = send_event(stage, case["do"])
    assert [answer.status_code, problem_code(answer)] == case["expect"], answer.text
    if case["do"].get("reuse_id"):
        before["hook_event"] += 1  # the first one, which was good
    assert stored(database) == before
    assert "Traceback" not in answer.text


ATTACKER = ECKey.generate_key("P-256")


def _hs256(header: dict[str, Any], claims: dict[str, Any], secret: bytes) -> str:
    """By hand: libraries refuse to be so used."""
    signed = f"{_b64(header)}.{_b64(claims)}"
    mac = hmac.digest(secret, signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def _b64(document: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def forged_assertion(town: TownClient, do: dict[str, Any]) -> str:
    now = int(time.time())
    claims = {**do.get("claims", {}), **{k: now + v for k, v in do.get("claims_s", {}).items()}}
    own = ECKey.import_key(town.key_file.read_text())
    header = dict(do.get("header", {}))
    if header.get("jwk") == "attacker":
        header["jwk"] = ATTACKER.as_dict(private=False)
    if do.get("key") == "attacker":
        return town.assertion(key=ATTACKER, header={"kid": own.thumbprint(), **header}, **claims)
    if "alg" in do:
        head, body, _ = town.assertion(**claims).split(".")
        if do["alg"] == "none":
            return f"{_b64({'alg': 'none'})}.{body}."
        told = json.loads(base64.urlsafe_b64decode(body + "=="))
        return _hs256({"alg": "HS256", "kid": own.thumbprint()}, told, own.as_pem(private=False))
    if "crit" in header:
        head, body, signed = town.assertion(**claims).split(".")
        return f"{_b64({**json.loads(base64.urlsafe_b64decode(head + '==')), **header})}.{body}.{signed}"
    return town.assertion(header=header, **claims)


def with_certificate(stage: Stage, name: str | None) -> TownClient:
    return stage.served.town(certificate=None if name is None else stage.served.certificates.client(name))


def test_a_right_assertion_gets_a_token(town: TownClient) -> None:
    assert town.ask_token().status_code == 200


@pytest.mark.parametrize("case", cases("tokens"))
def test_an_assertion_that_is_not_good_gets_no_token(
    stage: Stage, town: TownClient, database: TestDatabase, case: dict[str, Any]
) -> None:
    do, before = case["do"], stored(database)
    client = with_certificate(stage, do["certificate"]) if "certificate" in do else town
    assertion = forged_assertion(client, do)
    if do.get("replay"):
        assert client.ask_token(assertion).status_code == 200
    answer = client.ask_token(assertion, scope=do.get("scope", ALL_SCOPES), **do.get("form", {}))
    assert [answer.status_code, problem_code(answer)] == case["expect"], answer.text
    assert "access_token" not in answer.text
    assert stored(database) == before
    if client is not town:
        client.close()


@pytest.fixture(scope="module")
def good_token(stage: Stage) -> str:
    client = stage.served.town()
    token = client.token()
    client.close()
    return token


def forged_token(stage: Stage, good: str, how: str) -> str:
    head, body, signed = good.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    header = json.loads(base64.urlsafe_b64decode(head + "=="))
    if how == "none":
        return f"{_b64({**header, 'alg': 'none'})}.{body}."
    if how == "HS256":
        public = requests.get(
            f"{stage.served.url}/oauth/jwks", verify=str(stage.served.certificates.ca_cert), timeout=9
        )
        key = ECKey.import_key(public.json()["keys"][0])
        return _hs256({**header, "alg": "HS256"}, claims, key.as_pem(private=False))
    if how == "attacker":
        return jwt.encode(header, claims, ATTACKER, algorithms=["ES256"])
    if how == "payload":
        return f"{head}.{_b64({**claims, 'scope': 'contributions.write everything'})}.{signed}"
    if how == "cut":
        return f"{head}.{body}."
    client = stage.served.town()
    text = client.assertion()
    client.close()
    return text


def test_a_push_with_a_right_token_is_taken(town: TownClient, good_token: str) -> None:
    assert town.post("/contributions", b'{"items":[{}]}', good_token).status_code == 200


@pytest.mark.parametrize("case", cases("resources"))
def test_a_push_with_a_token_that_is_not_good_is_refused(
    stage: Stage, good_token: str, database: TestDatabase, case: dict[str, Any]
) -> None:
    do, before = case["do"], stored(database)
    client = with_certificate(stage, do.get("certificate", "lijiayuan"))
    token = do.get("token", good_token)
    if "forge" in do:
        token = forged_token(stage, good_token, do["forge"])
    if "scope" in do:
        token = client.token(scope=do["scope"])
    if "client" in do:
        client.close()
        token, client = other_towns_client(stage, do["client"])
    path = "/contributions" + (f"?access_token={good_token}" if do.get("query") else "")
    answer = client.post(path, b'{"items":[{}]}', token)
    assert [answer.status_code, problem_code(answer)] == case["expect"], answer.text
    assert stored(database) == before
    client.close()


def other_towns_client(stage: Stage, name: str) -> tuple[str, TownClient]:
    made = stage.served.certificates
    asked = read_registration(name, f"{name}-test", made.assertion(name)[1], [made.client(name)[0]])
    register_client(stage.served.house, asked, now=datetime.now(UTC))
    client = stage.served.town(
        certificate=made.client(name), key_file=made.assertion(name)[0], client_id=f"{name}-test"
    )
    return client.token(), client
