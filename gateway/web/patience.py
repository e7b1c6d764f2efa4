"""A TLS socket that does not wait for ever: a client that stalls loses its connection, not one of our threads.

gunicorn's thread worker blocks without a limit in the handshake, between handshake and request, and in the middle of a
body. A few dozen silent connections would hold every thread.
"""

from __future__ import annotations

import select
import ssl
import time
from typing import Any

HANDSHAKE_S = 5.0
STALL_S = 20.0  # nothing comes for so long
GRACE_S = 30.0  # then what came must have come at SLOWEST_BYTES_S at least
SLOWEST_BYTES_S = 5_000


class PatientSocket(ssl.SSLSocket):
    """Blocking means: up to STALL_S for each piece, and no slower than SLOWEST_BYTES_S over a request."""

    _began = 0.0
    _received = 0

    def do_handshake(self, block: bool = False) -> None:
        """Raises TimeoutError after HANDSHAKE_S without a piece of it."""
        self.settimeout(HANDSHAKE_S)
        super().do_handshake(block)

    def setblocking(self, flag: bool) -> None:
        """gunicorn asks for blocking before it reads a request: that is when a request begins."""
        if not flag:
            super().setblocking(False)
            return
        self.settimeout(STALL_S)
        self.begin_request()

    def begin_request(self) -> None:
        """Measure from now."""
        self._began, self._received = time.monotonic(), 0

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Raises TimeoutError for a client that stalls or trickles."""
        piece = super().recv(buflen, flags)
        self._received += len(piece)
        if time.monotonic() - self._began > GRACE_S + self._received / SLOWEST_BYTES_S:
            raise TimeoutError("the request comes too slowly")
        return piece


def use_patient_sockets(context: ssl.SSLContext) -> ssl.SSLContext:
    """Every socket this context wraps is a PatientSocket, from before its handshake on."""
    context.sslsocket_class = PatientSocket
    return context


def has_request(sock: Any, wait_ms: int) -> bool:
    """Whether something stands to be read within `wait_ms`."""
    if getattr(sock, "pending", int)():
        return True
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(wait_ms))
