"""The edges of the web process: what cannot be parsed, too many requests, old TLS, a graceful stop."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from tests.conftest import TestDatabase
from tests.served import Served, served_gateway


@pytest.fixture
def narrow(database: TestDatabase, tmp_path: Path) -> Iterator[Served]:
    """One worker process, few requests a minute."""
    with served_gateway(database, tmp_path, rate_per_minute="10", web_processes="1") as running:
        yield running


def _talk(served: Served, sent: bytes, version: ssl.TLSVersion | None = None) -> bytes:
    """Send bytes over TLS and read until the other side closes."""
    context = ssl.create_default_context(cafile=str(served.certificates.ca_cert))
    context.load_cert_chain(*served.certificates.client("lijiayuan"))
    if version is not None:
        context.minimum_version, context.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, version
    address = urlsplit(served.url)
    with (
        socket.create_connection((str(address.hostname), address.port or 443), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=address.hostname) as secure,
    ):
        secure.sendall(sent)
        answer = b""
        try:
            while piece := secure.recv(65536):
                answer += piece
        except (ConnectionError, TimeoutError):
            pass
        return answer


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"NONSENSE\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nbad header\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 20_000 + b"\r\n\r\n", 431),
        (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n", 414),
        (
            b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            400,
        ),
    ],
    ids=["no request", "version", "header", "long header", "long line", "smuggling"],
)
def test_what_cannot_be_parsed_is_a_problem_too(served: Served, sent: bytes, status: int) -> None:
    answer = _talk(served, sent)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split()[1] == str(status).encode(), answer[:300]
    assert b"application/problem+json" in head
    assert json.loads(body)["status"] == status
    assert b"Traceback" not in answer


def test_broken_chunks_are_a_problem(served: Served) -> None:
    sent = (
        b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n"
    )
    assert _talk(served, sent).split()[1] == b"400"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_old_tls_is_refused(served: Served) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        _talk(served, b"GET /healthz HTTP/1.1\r\n\r\n", ssl.TLSVersion.TLSv1_1)


def test_too_many_requests_wait(narrow: Served) -> None:
    town = narrow.town()
    token = town.token()
    answers = [
        town.session.get(
            f"{narrow.url}/towns/lijiayuan/v1/batches/x",
            headers={"Authorization": f"Bearer {token}"},
            timeout=5,
        )
        for _ in range(12)
    ]
    town.close()
    assert [a.status_code for a in answers[:10]] == [404] * 10
    last = answers[-1]
    assert (last.status_code, last.json()["code"]) == (429, "rate-limited")
    assert int(last.headers["Retry-After"]) >= 1
    assert last.headers["RateLimit-Policy"] == '"client";q=10;w=60'
    assert last.headers["RateLimit"].startswith('"client";r=0;t=')


def test_a_stop_is_graceful_and_leaves_nothing(narrow: Served) -> None:
    town = narrow.town()
    assert town.session.get(f"{narrow.url}/healthz", timeout=5).status_code == 200
    narrow.process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + 15
    while narrow.process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    town.close()
    assert narrow.process.returncode == 0
    assert "Traceback" not in narrow.log.read_text()


def test_security_headers_stand_on_every_answer(served: Served) -> None:
    town = served.town()
    for path in ("/", "/docs", "/healthz", "/nowhere", "/oauth/jwks"):
        headers = town.session.get(f"{served.url}{path}", timeout=5).headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["Strict-Transport-Security"]
        assert headers["X-Correlation-Id"]
        assert "Flask" not in headers.get("Server", "")
    town.close()


def test_connections_that_stay_are_shared_evenly(database: TestDatabase, tmp_path: Path) -> None:
    with served_gateway(database, tmp_path, web_processes="2") as running, ExitStack() as held:
        context = ssl.create_default_context(cafile=str(running.certificates.ca_cert))
        address = urlsplit(running.url)
        for _ in range(16):
            plain = held.enter_context(
                socket.create_connection((str(address.hostname), address.port or 443), timeout=10)
            )
            secure = held.enter_context(context.wrap_socket(plain, server_hostname=address.hostname))
            secure.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert secure.recv(4096).startswith(b"HTTP/1.1 200")
        shares = [
            sum(c.status == psutil.CONN_ESTABLISHED for c in worker.net_connections("tcp"))
            for worker in psutil.Process(running.process.pid).children()
        ]
    # chance gives eight and eight once in five times; at this address the readiness probe may still hold one
    assert len(shares) == 2
    assert sum(shares) >= 16
    assert max(shares) - min(shares) <= 2
