"""gunicorn's threaded worker, whose own refusals (requests that cannot be parsed) are problem documents too."""

from __future__ import annotations

import logging
from typing import Any
from uuid import uuid4

import orjson
from gunicorn import util  # type: ignore[import-untyped]
from gunicorn.http import errors  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

log = logging.getLogger("gateway.door")

_STATUSES: list[tuple[type[Exception], int, str]] = [
    (errors.LimitRequestLine, 414, "URI Too Long"),
    (errors.LimitRequestHeaders, 431, "Request Header Fields Too Large"),
    (errors.ExpectationFailed, 417, "Expectation Failed"),
    (errors.UnsupportedTransferCoding, 501, "Not Implemented"),
    (errors.ParseException, 400, "Bad Request"),
]


class DoorWorker(ThreadWorker):  # type: ignore[misc]
    """See module."""

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
