"""gunicorn's threaded worker, with four differences.

Its own refusals (requests that cannot be parsed) are problem documents too. And it stays with a busy connection: gunicorn's
own takes every request of a kept-alive connection through its poller and its executor, two thread switches, a pipe and
five system calls each. As long as there is a thread for every open connection, the thread waits a moment for the next
request on the connection it just answered. And it does not let silent clients hold its threads: a handshake and a request
have to come in time (`patience.py`), and a connection without a request waits in the poller. Connections are shared evenly
with the other processes (`sharing.py`).
"""

from __future__ import annotations

import logging
from typing import Any
from uuid import uuid4

import orjson
from gunicorn import util  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]
from gunicorn.http import errors  # type: ignore[import-untyped]
from gunicorn.workers.gthread import _DEFER, ThreadWorker  # type: ignore[import-untyped]

from gateway.observe.logs import JsonLines
from gateway.web.patience import has_request
from gateway.web.sharing import Turn

log = logging.getLogger("gateway.door")

LINGER_MS = 50

_STATUSES: list[tuple[type[Exception], int, str]] = [
    (errors.LimitRequestLine, 414, "URI Too Long"),
    (errors.LimitRequestHeaders, 431, "Request Header Fields Too Large"),
    (errors.ExpectationFailed, 417, "Expectation Failed"),
    (errors.UnsupportedTransferCoding, 501, "Not Implemented"),
    (errors.ParseException, 400, "Bad Request"),
]


class JsonLogger(Logger):  # type: ignore[misc]
    """gunicorn's own lines, as JSON like all others."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(JsonLines())


class DoorWorker(ThreadWorker):  # type: ignore[misc]
    """See module."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._turn = Turn(self.app.counts, self.age)

    def wait_for_and_dispatch_events(self, *args: Any, **kwargs: Any) -> None:
        """One round of the poller."""
        self._turn.say(self.nr_conns if self.alive else self.worker_connections)
        super().wait_for_and_dispatch_events(*args, **kwargs)

    def accept(self, listener: Any) -> None:
        """Take the waiting connection, or leave it to a worker that has fewer; it is offered again at once."""
        if self._turn.is_ours(self.nr_conns):
            super().accept(listener)

    def handle(self, conn: Any) -> Any:
        """Answer one request, then those that follow at once. Runs in a worker thread."""
        if not conn.initialized:
            if not conn.data_ready and not has_request(conn.sock, LINGER_MS):
                return _DEFER
            if not _shaken(conn):
                return False
        if (
            not conn.data_ready
            and not conn.parser.unreader.buf.getvalue()
            and not has_request(conn.sock, LINGER_MS)
        ):
            return _DEFER  # a connection without a request waits in the poller, not in a thread
        outcome = super().handle(conn)
        while outcome is True and self.alive and self.nr_conns <= self.cfg.threads and _follows(conn):
            outcome = super().handle(conn)
        return outcome

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer what could not be parsed; nothing of the request is repeated in the answer or the log."""
        found = next(((status, reason) for kind, status, reason in _STATUSES if isinstance(exc, kind)), None)
        if found is None and isinstance(
            exc, OSError
        ):  # TLS that failed, a connection that went away: nobody reads on
            log.info("connection failed", extra={"code": "connection-failed", "kind": type(exc).__name__})
            return
        status, reason = found or (500, "Internal Server Error")
        correlation = uuid4().hex
        log.warning(
            "request cannot be parsed",
            extra={
                "code": "request-malformed",
                "kind": type(exc).__name__,
                "status": status,
                "correlationId": correlation,
            },
            exc_info=exc if status == 500 else None,
        )
        code = "internal" if status == 500 else "request-malformed"
        body = orjson.dumps(
            {
                "type": f"/problems/{code}",
                "title": reason,
                "status": status,
                "detail": "the request could not be answered"
                if status == 500
                else "the request cannot be read",
                "instance": "",
                "code": code,
                "correlationId": correlation,
            }
        )
        head = (
            f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
            f"X-Correlation-Id: {correlation}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        try:
            util.write_nonblock(client, head.encode() + body)
        except OSError:
            log.debug("the refusal could not be sent", exc_info=True)


def _follows(conn: Any) -> bool:
    """Whether the next request begins within LINGER_MS. What was read ahead, or decrypted already, counts."""
    return bool(conn.parser.unreader.buf.getvalue()) or has_request(conn.sock, LINGER_MS)


def _shaken(conn: Any) -> bool:
    """Whether the TLS handshake came to its end, in time. Most that do not are scanners and probes."""
    try:
        conn.init()
    except OSError as exc:  # ssl.SSLError is one
        log.info("connection failed", extra={"code": "connection-failed", "kind": type(exc).__name__})
        return False
    conn.data_ready = False
    return True
