"""A client as cheap as can be: prebuilt requests over TLS connections kept alive, so that what is timed is the gateway."""

from __future__ import annotations

import multiprocessing
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple


class Door(NamedTuple):
    """Where to send, and as whom."""

    host: str
    port: int
    ca: Path
    certificate: Path
    key: Path
    token: str


class Shot(NamedTuple):
    """One request to send: path, body (empty: a GET), content type, Idempotency-Key, Content-Encoding or '', SOAPAction or ''."""

    path: str
    body: bytes
    content_type: str
    key: str
    encoding: str = ""
    action: str = ""


def request_bytes(door: Door, shot: Shot) -> bytes:
    """The request as it goes over the wire."""
    if not shot.body:
        return f"GET {shot.path} HTTP/1.1\r\nHost: {door.host}:{door.port}\r\n\r\n".encode()
    encoding = f"Content-Encoding: {shot.encoding}\r\n" if shot.encoding else ""
    if shot.action:
        encoding += f'SOAPAction: "{shot.action}"\r\n'
    head = (
        f"POST {shot.path} HTTP/1.1\r\nHost: {door.host}:{door.port}\r\nAuthorization: Bearer {door.token}\r\n"
        f"Idempotency-Key: {shot.key}\r\nContent-Type: {shot.content_type}\r\n{encoding}Content-Length: {len(shot.body)}\r\n\r\n"
    )
    return head.encode() + shot.body


def connect(door: Door) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(door.ca))
    context.load_cert_chain(door.certificate, door.key)
    plain = socket.create_connection((door.host, door.port))
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(plain, server_hostname=door.host)


def exchange(connection: ssl.SSLSocket, request: bytes) -> tuple[int, bytes]:
    """Send, read one answer with Content-Length; (status, body)."""
    connection.sendall(request)
    received = connection.recv(65536)
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65536)
        if not piece:
            raise ConnectionError("the gateway closed the connection")
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    mark = head.lower().index(b"content-length:") + 15
    length = int(head[mark : head.find(b"\r\n", mark) if head.find(b"\r\n", mark) > 0 else None])
    parts = [body]
    have = len(body)
    while have < length:
        piece = connection.recv(65536)
        if not piece:
            raise ConnectionError("the answer ended early")
        parts.append(piece)
        have += len(piece)
    return int(head[9:12]), b"".join(parts)


def fire(door: Door, shares: Sequence[Sequence[Shot]]) -> tuple[float, list[float], list[bytes]]:
    """Each share on a connection and thread of its own, in one process apart from ours.

    Returns (seconds for all, seconds of each exchange, the first answer of each connection). Raises RuntimeError at the
    first answer that is not 200.
    """
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_fire, args=(door, shares, theirs))
    process.start()
    outcome = ours.recv()
    process.join()
    if isinstance(outcome, str):
        raise RuntimeError(outcome)
    result: tuple[float, list[float], list[bytes]] = outcome
    return result


def _fire(door: Door, shares: Sequence[Sequence[Shot]], pipe: Connection) -> None:
    connections = [connect(door) for _ in shares]
    requests = [[request_bytes(door, shot) for shot in share] for share in shares]
    latencies: list[float] = []
    firsts: list[bytes] = []
    failures: list[str] = []

    def run(no: int) -> None:
        mine: list[float] = []
        try:
            for request in requests[no]:
                begun = time.perf_counter()
                status, body = exchange(connections[no], request)
                mine.append(time.perf_counter() - begun)
                if status != 200:
                    raise RuntimeError(f"{status}: {body[:500]!r}")
                if len(mine) == 1:
                    firsts.append(body)
        except (OSError, RuntimeError, ValueError) as exc:
            failures.append(str(exc))
        latencies.extend(mine)

    threads = [threading.Thread(target=run, args=(no,)) for no in range(len(shares))]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - begun
    pipe.send(failures[0] if failures else (took, latencies, firsts))
