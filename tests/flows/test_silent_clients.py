"""Clients that connect and say nothing, or stop in the middle: they lose their connection, nobody else waits for them."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gateway.web.patience import HANDSHAKE_S, PatientSocket, use_patient_sockets
from tests.conftest import TestDatabase
from tests.served import Served, served_gateway

THREADS = 2


@pytest.fixture
def served(database: TestDatabase, tmp_path: Path) -> Iterator[Served]:
    with served_gateway(database, tmp_path, web_processes="1", web_threads=str(THREADS)) as running:
        yield running


def _plain(served: Served) -> socket.socket:
    address = urlsplit(served.url)
    return socket.create_connection((address.hostname or "", address.port or 0), timeout=30)


def _shaken(served: Served) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(served.certificates.ca_cert))
    return context.wrap_socket(_plain(served), server_hostname="127.0.0.1")


def _healthy_within(served: Served, seconds: float) -> None:
    town = served.town()
    begun = time.monotonic()
    assert town.session.get(f"{served.url}/healthz", timeout=60).status_code == 200
    assert time.monotonic() - begun < seconds
    town.close()


def test_connections_without_a_word_hold_no_thread(served: Served) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(THREADS * 4):
            stack.enter_context(contextlib.closing(_plain(served)))
            stack.enter_context(contextlib.closing(_shaken(served)))
        _healthy_within(served, HANDSHAKE_S)


def test_a_handshake_that_stops_is_ended(served: Served) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(THREADS * 2):
            connection = stack.enter_context(contextlib.closing(_plain(served)))
            connection.sendall(b"\x16\x03\x01\x02\x00\x01")  # the first bytes of a ClientHello, and no more
        _healthy_within(served, HANDSHAKE_S * 4)
        connection.settimeout(HANDSHAKE_S * 4)
        while connection.recv(100):  # an alert, perhaps; then it is closed from the other side
            pass


def test_a_request_that_trickles_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """One byte a moment keeps each read alive; what counts is how much came since the request began."""
    import gateway.web.patience as patience

    monkeypatch.setattr(patience, "GRACE_S", 0.3)
    context = use_patient_sockets(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    assert context.sslsocket_class is PatientSocket
    ours, theirs = socket.socketpair()
    theirs.close()
    slow = PatientSocket.__new__(PatientSocket)
    pieces = iter([b"x"] * 100)
    monkeypatch.setattr(ssl.SSLSocket, "recv", lambda self, *args: next(pieces))
    slow.begin_request()
    begun = time.monotonic()
    with pytest.raises(TimeoutError):  # noqa: PT012 - reads until it is refused
        while True:
            slow.recv(1)
            time.sleep(0.05)
    assert time.monotonic() - begun < 3
    ours.close()
