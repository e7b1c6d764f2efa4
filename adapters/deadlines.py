"""An end for a whole exchange over TLS, however slowly the other side drips.

A socket's own time-out begins again with every byte received; one byte every nine seconds would hold a thread for ever. Here the
thread sets one end for the exchange, and every wait of its sockets is cut to what is left.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from adapters.wire_tap import TappedLine

_here = threading.local()


@contextmanager
def ending_in(seconds: float) -> Iterator[None]:
    """Every wait of this thread's `DeadlineAdapter` connections ends within `seconds` from now."""
    _here.ends = time.monotonic() + seconds
    try:
        yield
    finally:
        del _here.ends


def seconds_left() -> float | None:
    """Until the end set by `ending_in`; None when there is none. Never negative."""
    ends: float | None = getattr(_here, "ends", None)
    return None if ends is None else max(ends - time.monotonic(), 0.0)


class _DeadlineSocket(ssl.SSLSocket):
    """Asks for the time left before each wait. Raises TimeoutError when there is none."""

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self._cut()
        return super().recv_into(*args, **kwargs)

    def send(self, *args: Any, **kwargs: Any) -> int:
        self._cut()
        return super().send(*args, **kwargs)

    def _cut(self) -> None:
        left = seconds_left()
        if left is None:
            return
        if left <= 0:
            raise TimeoutError("the time for the whole exchange is over")
        waits = self.gettimeout()
        if waits is None or waits > left:
            self.settimeout(left)


class DeadlineAdapter(TappedLine):
    """HTTPS with TLS 1.2 or later and `_DeadlineSocket`; never retries, follows no proxy of its own."""

    def __init__(self, *, ca_file: Path | None, client: tuple[Path, Path] | None, connections: int) -> None:
        self._context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._context.sslsocket_class = _DeadlineSocket
        if client is not None:
            self._context.load_cert_chain(*client)
        super().__init__(pool_connections=1, pool_maxsize=connections, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=self._context)
