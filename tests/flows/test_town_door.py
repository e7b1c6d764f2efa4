"""沥家园's door over real TLS: pushes land once, refusals say where, hostile input costs nothing."""

from __future__ import annotations

import gzip
import http.client
import json
import ssl
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from joserfc import jws
from joserfc.jwk import KeySet

from tests.conftest import TestDatabase
from tests.plain_town import WEIGHTS
from tests.served import Served, TownClient

FAMILY = "GL-1"
_BODY = "33010919800517901"  # a county that exists, because the door checks it; the person is invented
ID_NO = _BODY + "10X98765432"[sum(int(c) * w for c, w in zip(_BODY, WEIGHTS, strict=True)) % 11]


@pytest.fixture(scope="module")
def door(served: Served) -> Iterator[tuple[TownClient, str]]:
    """A client with a token, and one family registered through the door."""
    town = served.town()
    token = town.token()
    consent = {"purpose": "loanMapping", "givenAt": "2026-01-01T08:00:00+08:00", "textVersion": "v1"}
    member = {"memberIdNo": ID_NO, "memberName": "测试甲", "isHead": True, "consents": [consent]}
    family = {"familyCode": FAMILY, "village": "测试村", "memberSince": "2026-01-01", "members": [member]}
    answer = town.post("/households", json.dumps({"households": [family]}).encode(), token)
    assert answer.status_code == 200, answer.text
    assert answer.json()["items"][0]["status"] == "accepted", answer.text
    yield town, token
    town.close()


def _item(**changes: Any) -> dict[str, Any]:
    return {
        "taskId": f"T-{uuid4().hex}",
        "taskType": "garbageSorting",
        "familyCode": FAMILY,
        "memberIdNo": ID_NO,
        "points": "2.5",
        "finishedAt": "2026-10-20T09:30:00+08:00",
        **changes,
    }


def _body(*items: dict[str, Any]) -> bytes:
    return json.dumps({"items": list(items)}).encode()


def test_a_push_is_answered_item_by_item_with_a_receipt_that_verifies(door: tuple[TownClient, str]) -> None:
    town, token = door
    good, bad = _item(), _item(memberIdNo=ID_NO[:-1] + "0")
    answer = town.post("/contributions", _body(good, bad), token)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert [i["status"] for i in found["items"]] == ["accepted", "rejected"]
    assert found["items"][1]["where"] == "/items/1/memberIdNo"
    assert found["counts"]["accepted"] == 1
    assert ID_NO[:-1] not in answer.text
    keys = town.session.get(f"{town.url}/oauth/receipt-jwks", timeout=5).json()
    assert jws.deserialize_compact(
        found["receipt"], KeySet.import_key_set(keys), algorithms=["ES256"]
    ).payload
    assert answer.headers["RateLimit-Policy"].startswith('"client";q=')
    assert answer.headers["RateLimit"].startswith('"client";r=')
    again = town.session.get(
        f"{town.url}/towns/lijiayuan/v1/batches/{found['batchId']}",
        headers={"Authorization": f"Bearer {token}"},
        timeout=5,
    )
    assert again.json() == found


def test_twice_is_once(door: tuple[TownClient, str], served_database: TestDatabase) -> None:
    town, token = door
    item, key = _item(), str(uuid4())
    first = town.post("/contributions", _body(item), token, key=key)
    second = town.post("/contributions", _body(item), token, key=key)
    assert first.content == second.content
    assert second.headers["Idempotency-Replayed"] == "true"
    other_key = town.post("/contributions", _body(item), token)
    assert other_key.json()["items"][0]["status"] == "duplicate"
    counted = served_database.sql("select count(*) from contribution where reference = %s", (item["taskId"],))
    assert counted == [(1,)]


def test_the_same_push_in_parallel_lands_once(door: tuple[TownClient, str], served: Served) -> None:
    _town, token = door
    item, key = _item(), str(uuid4())

    def send(_: int) -> Any:
        other = served.town()
        try:
            return other.post("/contributions", _body(item), token, key=key)
        finally:
            other.close()

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(send, range(6)))
    assert {a.status_code for a in answers} <= {200, 409}
    assert len({a.content for a in answers if a.status_code == 200}) == 1


def test_a_key_with_another_payload_is_refused(door: tuple[TownClient, str]) -> None:
    town, token = door
    key = str(uuid4())
    assert town.post("/contributions", _body(_item()), token, key=key).status_code == 200
    answer = town.post("/contributions", _body(_item()), token, key=key)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-key-reused")


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (None, "idempotency-key-missing"),
        ("'", "idempotency-key-invalid"),
        ("x" * 129, "idempotency-key-invalid"),
        ("a,b", "idempotency-key-invalid"),
        ("a#1", "idempotency-key-invalid"),
        ('"open', "idempotency-key-invalid"),
    ],
)
def test_a_wrong_idempotency_key_is_refused(door: tuple[TownClient, str], key: str | None, code: str) -> None:
    town, token = door
    answer = town.post("/contributions", _body(_item()), token, key=key)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


HOSTILE = {
    "broken": b'{"items": [',
    "empty object": b"{}",
    "a number": b"7",
    "bad utf-8": b'{"items": [{"taskId": "\xff\xfe"}]}',
    "deep": b'{"items":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "key twice": b'{"items": [], "items": []}',
    "no items": b'{"items": []}',
    "huge number": b'{"items": [{"points": 1e999999}]}',
    "too many": json.dumps({"items": [{}] * 5001}).encode(),
    "lone surrogate": b'{"items": [{"taskId": "\\ud800"}]}',
    "not text at all": bytes(range(256)) * 40,
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("path", ["/contributions", "/households", "/consents/withdrawals"])
def test_hostile_documents_are_problems_that_say_where(
    door: tuple[TownClient, str], name: str, path: str
) -> None:
    town, token = door
    answer = town.post(path, HOSTILE[name], token)
    if answer.status_code == 200:  # the document could be read, its items not
        assert {i["status"] for i in answer.json()["items"]} == {"rejected"}
        return
    assert answer.status_code in (400, 413, 422), answer.text
    problem = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["type"].endswith(f"/problems/{problem['code']}")
    assert problem["detail"]
    assert "Traceback" not in answer.text


def test_content_type_and_encoding_are_checked(door: tuple[TownClient, str]) -> None:
    town, token = door
    assert town.post("/contributions", _body(_item()), token, content_type="text/plain").status_code == 415
    zipped = gzip.compress(_body(_item()))
    answer = town.post("/contributions", zipped, token, **{"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()["code"]) == (415, "content-encoding-unsupported")
    assert town.post("/contributions", b"", token).json()["code"] == "body-missing"


def test_a_huge_body_is_refused(door: tuple[TownClient, str], served: Served) -> None:
    town, token = door
    answer = town.post("/contributions", b"x" * (served.config.body_limit_bytes + 1), token)
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")
    with _raw(served) as connection:  # 100 MB announced, nothing sent: refused without waiting for it
        connection.putrequest("POST", "/towns/lijiayuan/v1/contributions")
        for name, value in _headers(token).items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(100 * 1024 * 1024))
        connection.endheaders()
        assert connection.getresponse().status == 413


def test_an_unannounced_huge_body_is_cut_off(door: tuple[TownClient, str], served: Served) -> None:
    _, token = door
    with _raw(served) as connection:
        pieces = (b"x" * 65536 for _ in range(300))
        connection.request(
            "POST", "/towns/lijiayuan/v1/contributions", pieces, _headers(token), encode_chunked=True
        )
        assert connection.getresponse().status == 413


def test_other_addresses_and_methods_are_problems(door: tuple[TownClient, str]) -> None:
    town, token = door
    for method, path, status in (
        ("GET", "/contributions", 405),
        ("OPTIONS", "/contributions", 405),
        ("TRACE", "/contributions", 405),
        ("POST", "/contribution", 404),
        ("POST", "/contributions/", 404),
        ("GET", f"/batches/{uuid4()}", 404),
        ("GET", "/batches/x", 404),
        ("GET", "/../../../etc/passwd", 404),
    ):
        answer = town.session.request(
            method,
            f"{town.url}/towns/lijiayuan/v1{path}",
            headers={"Authorization": f"Bearer {token}"},
            timeout=5,
        )
        assert answer.status_code == status, (method, path, answer.text)
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["status"] == status
        if status == 405:
            assert answer.headers["Allow"]


def _stream(town: TownClient, token: str, body: bytes, key: str = "", **headers: str) -> Any:
    return town.post(
        "/contributions/stream", body, token, key=key, content_type="application/x-ndjson", **headers
    )


def _lines(*items: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(i).encode() + b"\n" for i in items)


def test_a_stream_is_answered_line_by_line_and_once(door: tuple[TownClient, str]) -> None:
    town, token = door
    items = [_item() for _ in range(2500)]
    body = gzip.compress(_lines(*items[:1500]) + b"\n{broken\n") + gzip.compress(_lines(*items[1500:]))
    key = str(uuid4())
    answer = _stream(town, token, body, key, **{"Content-Encoding": "gzip"})
    assert answer.status_code == 200, answer.text
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["itemNo"] for line in lines[:-1]] == list(range(2501))
    assert lines[1500]["status"] == "rejected"
    summary = lines[-1]["summary"]
    assert summary["items"] == 2501
    assert summary["counts"]["accepted"] == 2500
    assert len(summary["batches"]) == 3
    assert all(batch["receipt"] for batch in summary["batches"])
    again = _stream(town, token, _lines(*items[:1500]) + b"{broken\n" + _lines(*items[1500:]), key)
    assert json.loads(again.text.splitlines()[-1])["summary"]["counts"] == summary["counts"]


def _bomb(size: int, filler: bytes) -> bytes:
    squeeze = zlib.compressobj(9, wbits=31)
    return (
        b"".join(squeeze.compress(filler * 65536) for _ in range(size // 65536 // len(filler)))
        + squeeze.flush()
    )


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"x" * 17_000, 400, "line-too-long"),
        (b"not gzip", 400, "broken-gzip"),
        (gzip.compress(b'{"a":1}\n' * 100)[:-20], 400, "broken-gzip"),
        (_bomb(2**30, b"x"), 400, "line-too-long"),
        (_bomb(2**26, b"\n"), 413, "stream-too-long"),
        (_bomb(2**26, b" \n"), 413, "stream-too-long"),
    ],
    ids=["long line", "not gzip", "cut gzip", "bomb", "newline bomb", "blank bomb"],
)
def test_a_hostile_stream_is_refused(
    door: tuple[TownClient, str], body: bytes, status: int, code: str
) -> None:
    town, token = door
    plain = code == "line-too-long" and body[:1] == b"x"
    answer = _stream(town, token, body, **({} if plain else {"Content-Encoding": "gzip"}))
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def test_nothing_personal_is_in_the_log(door: tuple[TownClient, str], served: Served) -> None:
    town, token = door
    town.post("/contributions", _body(_item(memberIdNo="11010119900307123X", taskId=ID_NO)), token)
    town.session.get(f"{town.url}/towns/{ID_NO}", headers={"X-Correlation-Id": ID_NO}, timeout=5)
    assert ID_NO not in "\n".join(served.log_lines())


def _headers(token: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Idempotency-Key": str(uuid4()),
    }


class _raw:  # noqa: N801 - a context manager used as a verb
    """A bare HTTPS connection with the town's certificate."""

    def __init__(self, served: Served) -> None:
        context = ssl.create_default_context(cafile=str(served.certificates.ca_cert))
        context.load_cert_chain(*served.certificates.client("lijiayuan"))
        address = urlsplit(served.url)
        self._connection = http.client.HTTPSConnection(
            str(address.hostname), address.port, timeout=20, context=context
        )

    def __enter__(self) -> http.client.HTTPSConnection:
        return self._connection

    def __exit__(self, *exc: object) -> None:
        self._connection.close()
