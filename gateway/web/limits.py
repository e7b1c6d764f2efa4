"""Rate limits per client: a token bucket in each process, told in RateLimit headers (draft-ietf-httpapi-ratelimit-headers).

Each worker process gives its share (rate_per_minute divided by web_processes), so the limit holds without any shared state;
a client that keeps all its connections on one process reaches that share first.
"""

from __future__ import annotations

import math
import threading
import time
from typing import NamedTuple

MAX_CLIENTS = 10_000


class Standing(NamedTuple):
    """What a client may still do. `wait_s` is 0 when the request may pass."""

    remaining: int
    reset_s: int  # until the bucket is full again
    wait_s: int


class RateLimiter:
    """Buckets by client id."""

    def __init__(self, per_minute: int, processes: int) -> None:
        self.quota = max(1, per_minute // max(1, processes))
        self._per_second = self.quota / 60
        self._buckets: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    @property
    def policy(self) -> str:
        """The RateLimit-Policy field."""
        return f'"client";q={self.quota};w=60'

    def take(self, client_id: str, at: float | None = None) -> Standing:
        """Take one request from the client's bucket."""
        at = time.monotonic() if at is None else at
        with self._lock:
            left, since = self._buckets.get(client_id, (float(self.quota), at))
            left = min(float(self.quota), left + (at - since) * self._per_second)
            wait_s = 0 if left >= 1 else math.ceil((1 - left) / self._per_second)
            if not wait_s:
                left -= 1
            if len(self._buckets) > MAX_CLIENTS:
                self._buckets.clear()
            self._buckets[client_id] = (left, at)
        return Standing(int(left), math.ceil((self.quota - left) / self._per_second), wait_s)


def rate_header(standing: Standing) -> str:
    """The RateLimit field."""
    return f'"client";r={standing.remaining};t={standing.reset_s}'
