"""A TLS server on loopback that answers SOAP calls as it was told: one script a request. For tests of the client core."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from certs.authority import Development

Script = Callable[[socket.socket, bytes], None]


@dataclass
class ScriptedService:
    """`scripts` are used one a request and in order; the last stays. `requests` holds head and body as received."""

    address: str = ""
    scripts: deque[Script] = field(default_factory=deque)
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0


def answering(
    body: bytes, content_type: str = "application/soap+xml", status: str = "200 OK", *more: str
) -> Script:
    """Answer with this."""

    def script(connection: socket.socket, _: bytes) -> None:
        head = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *more]
        connection.sendall("\r\n".join([*head, "", ""]).encode() + body)

    return script


def silent(seconds: float) -> Script:
    """Take the request and say nothing."""
    return lambda connection, _: time.sleep(seconds)


def dropping(connection: socket.socket, _: bytes) -> None:
    """Take the request and hang up."""
    connection.shutdown(socket.SHUT_RDWR)


def dripping(every_s: float) -> Script:
    """A byte at a time: each wait is short, the whole never ends."""

    def script(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 100000\r\n\r\n")
        with suppress(OSError):
            for _byte in range(200):
                connection.sendall(b"<")
                time.sleep(every_s)

    return script


@contextmanager
def running(made: Development, *, client_ca: Path | None = None) -> Iterator[ScriptedService]:
    """Serve until the end of the block."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*made.simulator("bank_core"))
    if client_ca is not None:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)
    service = ScriptedService(f"https://127.0.0.1:{listener.getsockname()[1]}/service")
    ended = threading.Event()

    def accept() -> None:
        while not ended.is_set():
            with suppress(OSError):
                plain, _ = listener.accept()
                threading.Thread(target=serve, args=(plain,), daemon=True).start()

    def serve(plain: socket.socket) -> None:
        plain.settimeout(5)
        with suppress(OSError), context.wrap_socket(plain, server_side=True) as connection:
            service.connections += 1
            while (request := _read_request(connection)) is not None and not ended.is_set():
                service.requests.append(request)
                script = service.scripts.popleft() if len(service.scripts) > 1 else service.scripts[0]
                script(connection, request)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        ended.set()
        thread.join(2)
        listener.close()


def _read_request(connection: socket.socket) -> bytes | None:
    found = b""
    while b"\r\n\r\n" not in found:
        part = connection.recv(65536)
        if not part:
            return None
        found += part
    head, _, body = found.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body
