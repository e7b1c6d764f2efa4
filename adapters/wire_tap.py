"""A tap on the lines to neighbours, for whoever checks one: what was sent and received, and answers lost on the way.

Our clients mount `TappedLine` instead of requests' adapter. As long as nobody listens it is that adapter. While `listening`,
every exchange is kept, and an armed loss makes what a network makes of an answer: the neighbour has acted and we never hear of
it. Nothing of this is reachable from settings; only the checking command and tests open it.
"""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

LOSSES = ("drop", "slow", "garbage")
GARBAGE = b"<html>gateway time-out</html>"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what came back, as bytes went over the line. Holds secrets and personal data: mask before showing."""

    method: str
    url: str
    sent_headers: Mapping[str, str]
    sent: bytes
    status: int | None  # None: no answer came
    received_headers: Mapping[str, str]
    received: bytes
    took_ms: int
    lost: str = ""  # what was done to the answer on the way


@dataclass(slots=True)
class Tap:
    """What was heard since it was opened, and the losses armed."""

    exchanges: list[Exchange] = field(default_factory=list)
    _armed: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def lose_next(self, how: str) -> None:
        """What becomes of the next answer: 'drop' (connection closed), 'slow' (too late), 'garbage' (no message)."""
        if how not in LOSSES:
            raise ValueError(how)
        with self._lock:
            self._armed.append(how)

    def calm(self) -> None:
        with self._lock:
            self._armed.clear()

    def take(self) -> list[Exchange]:
        """Everything heard since the last time."""
        with self._lock:
            heard, self.exchanges = self.exchanges, []
        return heard

    def next_loss(self) -> str:
        """What becomes of the answer that is being asked for now; '' for nothing."""
        with self._lock:
            return self._armed.pop(0) if self._armed else ""

    def keep(self, exchange: Exchange) -> None:
        with self._lock:
            self.exchanges.append(exchange)


_listeners: list[Tap] = []  # at most one


@contextmanager
def listening() -> Iterator[Tap]:
    """Listen on every line of this process. One listener at a time."""
    if _listeners:
        raise RuntimeError("somebody listens already")
    tap = Tap()
    _listeners.append(tap)
    try:
        yield tap
    finally:
        _listeners.clear()


class TappedLine(HTTPAdapter):
    """requests' adapter, heard by the open tap when there is one."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send; while somebody listens, the whole answer is read here, within the caller's own time-outs."""
        if not _listeners:
            return super().send(request, *args, **kwargs)
        tap = _listeners[0]
        began = time.monotonic()
        sent = request.body if isinstance(request.body, bytes) else (request.body or "").encode()
        loss = tap.next_loss()
        try:
            answer = super().send(request, *args, **kwargs)
            received = answer.content
        except requests.RequestException:
            tap.keep(_exchange(request, sent, None, b"", began, loss))
            raise
        tap.keep(_exchange(request, sent, answer, received, began, loss))
        if loss == "slow":
            raise requests.ReadTimeout("the answer came too late", request=request)
        if loss == "drop":
            raise requests.ConnectionError("the connection was closed before the answer", request=request)
        if loss == "garbage":
            answer.status_code, received = 200, GARBAGE
            answer.headers["Content-Type"] = "text/html"
        return _again(answer, received)


def _again(answer: requests.Response, received: bytes) -> requests.Response:
    """The answer as if nobody had read it yet, whichever way the caller reads: `content`, `iter_content` or `raw`."""
    answer.headers.pop("Content-Encoding", None)
    answer.headers["Content-Length"] = str(len(received))
    raw: Any = HTTPResponse(
        io.BytesIO(received), dict(answer.headers), answer.status_code, preload_content=False
    )
    unread: Any = answer
    unread.raw, unread._content, unread._content_consumed = raw, False, False
    return answer


def _exchange(
    request: requests.PreparedRequest,
    sent: bytes,
    answer: requests.Response | None,
    received: bytes,
    began: float,
    loss: str,
) -> Exchange:
    return Exchange(
        request.method or "",
        request.url or "",
        {str(name): str(value) for name, value in request.headers.items()},
        sent,
        answer.status_code if answer is not None else None,
        dict(answer.headers) if answer is not None else {},
        received,
        round((time.monotonic() - began) * 1000),
        loss,
    )
