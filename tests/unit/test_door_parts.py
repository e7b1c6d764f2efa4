"""The doors' small parts: every address has a guard, limits limit, headers are read as the standards say, lines are masked."""

from __future__ import annotations

import base64
import io
import json
import logging
import re
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from openapi_spec_validator import validate
from uuid6 import uuid7

from adapters.lijiayuan import create_reader
from certs import ensure_development
from gateway.app import create_app
from gateway.config import Config, load_config
from gateway.db import Database
from gateway.house import House
from gateway.observe.context import correlation_id, enter
from gateway.observe.logs import JsonLines, mask
from gateway.web import forms, reading
from gateway.web.certificates import certificate_reader, x5t_s256
from gateway.web.doors import list_doors, refuse_unguarded
from gateway.web.limits import RateLimiter, rate_header
from gateway.web.openapi import openapi_document
from gateway.web.problems import DoorError
from gateway.web.towns import push_json
from schemas.contributions import ItemAnswer, PushAnswer
from schemas.crypto import KeyRing
from schemas.values import ItemStatus, TownCode


def _house(config: Config) -> House:
    nowhere = Database("host=/nonexistent", size=1, wait_s=0.1)
    return House(
        config=config,
        db=nowhere,
        audit_db=nowhere,
        keys=KeyRing("international", "k", {"k": bytes(32)}, bytes(32)),
        readers={TownCode("lijiayuan"): create_reader()},
        clients={},
        bank=None,
        sign_receipt=lambda claims: "",
        clock=lambda: datetime.now(UTC),
        new_id=uuid7,
    )


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    config = load_config(
        {"GATEWAY_STATE_DIR": str(tmp_path_factory.mktemp("state")), "GATEWAY_METRICS_TOKEN": "secret"}
    )
    ensure_development(config)
    return _house(config)


@pytest.fixture(scope="module")
def app(house: House) -> Flask:
    return create_app(house)


def test_every_address_belongs_to_a_guarded_door(app: Flask, house: House) -> None:
    doors = {door.name for door in list_doors(house)}
    rules = list(app.url_map.iter_rules())
    assert len(rules) > 12
    refuse_unguarded(app, doors)
    app2 = create_app(house)  # twice is no trouble
    app2.add_url_rule("/forgotten", "forgotten", lambda: "x")
    with pytest.raises(RuntimeError, match="/forgotten"):
        refuse_unguarded(app2, doors)


def test_an_endpoint_of_a_town_without_a_scope_ends_the_start(app: Flask, house: House) -> None:
    fresh = create_app(house)
    fresh.add_url_rule("/towns/lijiayuan/v1/new", "town_lijiayuan.new", lambda: "x")
    with pytest.raises(RuntimeError, match="scope"):
        refuse_unguarded(fresh, {door.name for door in list_doors(house)})


def test_every_address_of_a_town_refuses_a_stranger(app: Flask) -> None:
    client = app.test_client()
    for rule in app.url_map.iter_rules():
        # Events are signed, not sent with a token: tests/flows/test_rest_attacks.py.
        if rule.rule.startswith("/towns/") and not rule.endpoint.startswith("hooks_"):
            method = "POST" if "POST" in (rule.methods or ()) else "GET"
            answer = client.open(
                rule.rule.replace("<batch_id>", "x"), method=method, base_url="https://localhost"
            )
            assert (answer.status_code, answer.get_json()["code"]) == (401, "token-missing"), rule.rule


def test_the_database_away_is_not_ready_and_not_an_error(app: Flask) -> None:
    client = app.test_client()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert {c["name"]: c["ok"] for c in answer.get_json()["checks"]}["database"] is False
    for address in ("/", "/?lang=en", "/docs", "/problems/scope-missing", "/problems/other-code"):
        page = client.get(address)
        assert page.status_code == 200, address
        assert "script" not in page.headers["Content-Security-Policy"]
        assert "<script" not in page.text
        assert "built-in" not in page.text
    assert 'lang="zh-CN"' in client.get("/").text
    assert client.get("/problems/<b>").status_code == 404


def test_metrics_need_their_token(app: Flask, house: House) -> None:
    client = app.test_client()
    assert client.get("/metrics").status_code == 403
    answer = client.get("/metrics", headers={"Authorization": "Bearer secret"})
    assert answer.status_code == 200
    assert "gateway_requests_total" in answer.text
    open_here = create_app(replace(house, config=replace(house.config, metrics_token=""))).test_client()
    assert open_here.get("/metrics", environ_base={"REMOTE_ADDR": "127.0.0.1"}).status_code == 200
    assert open_here.get("/metrics", environ_base={"REMOTE_ADDR": "10.0.0.7"}).status_code == 403
    proxied = open_here.get(
        "/metrics", headers={"X-Forwarded-For": "1.2.3.4"}, environ_base={"REMOTE_ADDR": "127.0.0.1"}
    )
    assert proxied.status_code == 403


def test_an_error_of_ours_shows_nothing_of_our_insides(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    broken = replace(house, clock=lambda: 1 / 0)  # type: ignore[return-value]
    answer = create_app(broken).test_client().get("/readyz")
    assert (answer.status_code, answer.get_json()["code"]) == (500, "internal")
    assert "ZeroDivision" not in answer.text
    assert "Traceback" not in answer.text
    assert caplog.records


def test_the_openapi_document_is_valid_and_names_every_address(app: Flask, house: House) -> None:
    document = openapi_document(house)
    validate(document)
    for_people = (
        "/link/",
        "/staff/",
        "/desk/",
        "/audit/",
        "/closing/",
        "/settlement/",
        "/stock/",
        "/overview/",
        "/policy/",
        "/operations/",
        "/static/",
    )
    rules = [r.rule for r in app.url_map.iter_rules() if not r.rule.startswith(for_people)]
    rules = [rule.replace("<batch_id>", "<batchId>") for rule in rules]
    served = {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule) for rule in rules}
    pages = {
        "/",
        "/docs",
        "/openapi.json",
        "/problems/{code}",
        "/metrics",
        "/neighbours",
    }
    assert set(document["paths"]) == served - pages


def test_the_answer_built_by_hand_is_what_the_schema_says() -> None:
    items = [
        ItemAnswer(0, "a", ItemStatus.ACCEPTED),
        ItemAnswer(1, None, ItemStatus.REJECTED, "c", "/w", "d"),
    ]
    answer = PushAnswer(uuid7(), TownCode("lijiayuan"), datetime.now(UTC), items, "x.y.z")
    assert forms.PushAnswer().validate(push_json(answer)) == {}
    assert push_json(answer)["items"][0] == {"itemNo": 0, "reference": "a", "status": "accepted"}


def test_a_bucket_refills_and_tells_how_long_to_wait() -> None:
    limiter = RateLimiter(120, 2)
    assert limiter.policy == '"client";q=60;w=60'
    standings = [limiter.take("a", 0.0) for _ in range(61)]
    assert [s.wait_s for s in standings[-2:]] == [0, 1]
    assert limiter.take("b", 0.0).wait_s == 0
    later = limiter.take("a", 2.0)
    assert (later.wait_s, later.remaining) == (0, 1)
    assert rate_header(later) == f'"client";r=1;t={later.reset_s}'


def test_a_certificate_header_counts_from_trusted_proxies_only() -> None:
    der, own = b"certificate", b"the proxy's own"

    class Socket:
        def getpeercert(self, binary: bool) -> bytes:
            return own

    header = f":{base64.b64encode(der).decode()}:"
    environ: dict[str, Any] = {
        "HTTP_CLIENT_CERT": header,
        "REMOTE_ADDR": "10.1.2.3",
        "gunicorn.socket": Socket(),
    }
    assert certificate_reader(("10.1.0.0/16",))(environ) == x5t_s256(der)
    assert certificate_reader(("10.1.2.4",))(environ) == x5t_s256(own)
    assert certificate_reader(())(environ) == x5t_s256(own)
    trusted = certificate_reader(("10.1.2.3",))
    for wrong in ("", "x", ":x", ":?:", "::", header * 2000, base64.b64encode(der).decode()):
        assert trusted({**environ, "HTTP_CLIENT_CERT": wrong}) is None, wrong
    assert trusted({"REMOTE_ADDR": "10.1.2.3", "gunicorn.socket": Socket()}) is None  # never the proxy's own
    with pytest.raises(ValueError, match="nowhere"):
        certificate_reader(("nowhere",))


def _environ(body: bytes, **more: str) -> dict[str, Any]:
    return {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)), **more}


@given(st.lists(st.binary(max_size=40), max_size=50), st.booleans(), st.integers(1, 9))
def test_a_stream_is_cut_into_its_lines_wherever_reads_end(
    lines: list[bytes], zipped: bool, step: int
) -> None:
    body = b"\n".join(lines)
    sent = zlib.compress(body, wbits=31) if zipped else body

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(step, size) if size and size > 0 else step)

    environ = {"wsgi.input": Slow(sent), "CONTENT_LENGTH": str(len(sent))}
    found = [
        line for chunk in reading.read_chunks(environ, "gzip" if zipped else "", 10_000) for line in chunk
    ]
    assert found == [part for part in body.split(b"\n") if part.strip()]


def test_a_stream_over_its_bytes_ends() -> None:
    with pytest.raises(DoorError, match="bytes"):
        list(reading.read_chunks(_environ(b"abc\n" * 100), "", 200))


def test_a_body_shorter_than_announced_is_refused() -> None:
    environ = {"wsgi.input": io.BytesIO(b"abc"), "CONTENT_LENGTH": "10"}
    for read in (
        lambda: reading.read_body(dict(environ), 100),
        lambda: list(reading.read_chunks(dict(environ), "", 100)),
    ):
        with pytest.raises(DoorError) as refused:
            read()
        assert refused.value.code == "body-incomplete"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("id 33010919800517901X end", "id 330109************ end"),
        ("tel 13900000001.", "tel 139********."),
        ("0190f5aa11010119900307123dead", "0190f5aa11010119900307123dead"),
        ("LJY-20260501-0000001", "LJY-20260501-0000001"),
        ("no digits", "no digits"),
    ],
)
def test_personal_numbers_are_masked_in_lines(text: str, kept: str) -> None:
    assert mask(text) == kept
    record = logging.LogRecord("x", logging.INFO, "f", 1, "%s", (text,), None)
    record.value = text
    line = json.loads(JsonLines().format(record))
    assert (line["event"], line["value"]) == (kept, kept)


def test_a_correlation_id_is_taken_when_sane() -> None:
    assert enter("abc-12345") == "abc-12345" == correlation_id.get()
    for wrong in (None, "", "short", "x" * 65, "has space", "11010119900307123X", "line\nbreak"):
        assert enter(wrong) != wrong
        assert len(correlation_id.get()) == 32
