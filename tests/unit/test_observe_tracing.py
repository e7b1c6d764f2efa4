"""Spans go out when an endpoint is configured, and carry the correlation id."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from gateway.observe import tracing
from gateway.observe.context import enter


def test_a_span_reaches_the_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    received: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    monkeypatch.setattr(tracing, "_tracer", None)
    assert not tracing.configure_tracing("", "x")
    with tracing.span("nothing"):
        assert not tracing.tracing_on()
    assert tracing.configure_tracing(f"http://127.0.0.1:{server.server_port}", "gateway-test")
    enter("correlation-7")
    with tracing.span("work", items=3):
        pass
    tracing._tracer.span_processor.force_flush()
    server.shutdown()
    server.server_close()
    assert received[0][0] == "/v1/traces"
    assert b"correlation-7" in received[0][1]
