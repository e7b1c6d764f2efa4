"""Serving a simulated neighbour: TLS 1.2 or later, a thread a connection, connections kept."""

from __future__ import annotations

import signal
import ssl
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler


class _Server(ThreadedWSGIServer):
    """The handshake happens in the connection's own thread: a silent caller keeps nobody else out."""

    daemon_threads = True
    request_queue_size = 256

    def get_request(self) -> tuple[Any, Any]:
        connection, address = super().get_request()
        connection.settimeout(120)
        return connection, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        kind = sys.exc_info()[0]
        if kind is not None and issubclass(kind, (OSError, ssl.SSLError)):
            return  # the caller went away or speaks no TLS
        super().handle_error(request, client_address)


class _Connection(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """No line a request: a simulator's story is in its books."""


def serve_simulator(
    app: Any,
    port: int,
    cert: Path,
    key: Path,
    *,
    client_ca: Path | None,
    before_end: Callable[[], None] = lambda: None,
) -> None:
    """Serve on loopback until SIGTERM or SIGINT. With `client_ca`, callers must show a certificate of it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(cert, key)
    if client_ca is not None:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    server = _Server("127.0.0.1", port, app, handler=_Connection)
    server.ssl_context = context  # makes wsgi.url_scheme https
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)

    def stop(*_: Any) -> None:
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        server.serve_forever(poll_interval=0.2)
    finally:
        server.server_close()
        before_end()
