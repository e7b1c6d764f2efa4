"""The witness over HTTP: POST /add-checkpoint, GET /cosigned/<origin>, GET /healthz. Standard library only."""

from __future__ import annotations

import signal
import socket
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from gateway.verifier.witness import MAX_BODY_BYTES, Answer, Witness, plain

PATIENCE_S = 20


class WitnessServer(ThreadingHTTPServer):
    """Serves one witness; TLS when a certificate is given. `handshakes` happen in the connection's own thread."""

    daemon_threads = True

    def __init__(
        self,
        address: tuple[str, int],
        witness: Witness,
        *,
        certificate: Path | None = None,
        key: Path | None = None,
    ) -> None:
        super().__init__(address, _Connection)
        self.witness = witness
        self._tls: ssl.SSLContext | None = None
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.minimum_version = ssl.TLSVersion.TLSv1_2
            self._tls.load_cert_chain(certificate, key)

    def get_request(self) -> tuple[Any, Any]:
        connection, address = super().get_request()
        connection.settimeout(PATIENCE_S)
        if self._tls is not None:
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        kind = sys.exc_info()[0]
        if kind is not None and issubclass(kind, (OSError, ssl.SSLError)):
            return  # the caller went away or speaks no TLS
        super().handle_error(request, client_address)


def serve_witness(witness: Witness, bind: str, certificate: Path | None, key: Path | None) -> None:
    """Until SIGTERM or SIGINT."""
    host, _, port = bind.rpartition(":")
    server = WitnessServer((host, int(port)), witness, certificate=certificate, key=key)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"witness {witness.signer.name} serves on {bind}", flush=True)  # noqa: T201 - a command's own line
    server.serve_forever()
    server.server_close()
    witness.close()


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "gateway-witness"
    sys_version = ""
    server: WitnessServer

    def setup(self) -> None:
        if isinstance(self.request, ssl.SSLSocket):
            self.request.do_handshake()
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().setup()

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if self.path != "/add-checkpoint":
            self._answer(plain(404, "POST /add-checkpoint"), close=True)
        elif not (length.isascii() and length.isdigit()) or int(length) > MAX_BODY_BYTES:
            self._answer(plain(400, f"a body of at most {MAX_BODY_BYTES} bytes with its length"), close=True)
        else:
            self._answer(self.server.witness.add_checkpoint(self.rfile.read(int(length))))

    def do_GET(self) -> None:
        if self.path == "/healthz":
            self._answer(plain(200, "ok"))
        elif self.path.startswith("/cosigned/"):
            self._answer(self.server.witness.find_cosigned(unquote(self.path.removeprefix("/cosigned/"))))
        else:
            self._answer(plain(404, "POST /add-checkpoint, GET /cosigned/<origin>"))

    def _answer(self, answer: Answer, *, close: bool = False) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Cache-Control", "no-store")
        if close:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """One line a request says nothing that the state does not."""
