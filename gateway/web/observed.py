"""Around every request: the correlation id, security headers, one log line, the counters."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from typing import Any

from gateway.observe.context import enter
from gateway.observe.metrics import count_request
from gateway.observe.tracing import span, tracing_on
from gateway.observe.waiting import begin_waiting

log = logging.getLogger("gateway.request")

#: On every answer. Pages have their own, looser content policy (`pages.py`).
HEADERS = [
    ("Strict-Transport-Security", "max-age=31536000"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
]
STRICT_POLICY = ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")


class Observed:
    """A WSGI application around another: cheaper than hooks on every request."""

    def __init__(self, inner: Callable[..., Iterable[bytes]]) -> None:
        self._inner = inner

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        begun = time.perf_counter()
        correlation = enter(environ.get("HTTP_X_CORRELATION_ID"))
        waited = begin_waiting()
        seen: list[int] = [0]

        def start(status: str, headers: list[tuple[str, str]], exc: Any = None) -> Any:
            seen[0] = int(status[:3])
            headers.append(("X-Correlation-Id", correlation))
            headers.extend(HEADERS)
            if not any(name == "Content-Security-Policy" for name, _ in headers):
                headers.append(STRICT_POLICY)
            return start_response(status, headers, exc) if exc else start_response(status, headers)

        if tracing_on():
            with span(f"{environ['REQUEST_METHOD']} request"):
                answer = self._inner(environ, start)
        else:
            answer = self._inner(environ, start)
        seconds = time.perf_counter() - begun
        door = environ.get("gateway.door", "none")
        town = environ.get("gateway.town", "")
        count_request(door, town, seen[0], seconds)
        if log.isEnabledFor(logging.INFO) and (door not in ("health", "metrics") or seen[0] >= 400):
            log.info(
                "request",
                extra={
                    "method": environ["REQUEST_METHOD"][:16],
                    "rule": environ.get("gateway.rule", "none"),
                    "status": seen[0],
                    "ms": round(seconds * 1000, 1),
                    **({"neighbour_ms": round(waited[0] * 1000, 1)} if waited[0] else {}),
                    "bytes": environ.get("CONTENT_LENGTH") or 0,
                    "client": environ.get("gateway.client"),
                    "batch": environ.get("gateway.batch"),
                    "code": environ.get("gateway.code"),
                },
            )
        return answer
