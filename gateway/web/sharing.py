"""Connections are shared evenly between the web processes.

All processes listen on one socket and whoever wakes first takes the next connection. Towns keep their connections open, so
chance at the start stays: of sixteen we saw thirteen at one process and three at the other, which leaves a core idle. Each
process therefore says in shared memory how many connections it has, and leaves a waiting one to a process that has fewer.
A process that has said nothing for a while is not counted on, and nobody leaves a connection for longer than a moment.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from multiprocessing.sharedctypes import RawArray

FRESH_S = 2.5  # a worker says it at least once a second
LEAVE_S = 0.0005
MOST_LEFT = 20  # times in a row, then it is taken whatever the others have


class Counts:
    """How many connections each process has. Made before the workers are forked, one place a worker."""

    def __init__(self, places: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._places = places
        self._clock = clock  # CLOCK_MONOTONIC is one clock for all processes of a machine
        self._said = RawArray("d", places * 2)

    def say(self, worker_no: int, connections: int) -> None:
        """`connections` is how many this worker has now."""
        at = worker_no % self._places * 2
        self._said[at] = connections
        self._said[at + 1] = self._clock()

    def somebody_has_fewer(self, worker_no: int, connections: int) -> bool:
        """Whether another worker, heard of lately, has fewer."""
        mine, since = worker_no % self._places, self._clock() - FRESH_S
        return any(
            self._said[place * 2] < connections and self._said[place * 2 + 1] > since
            for place in range(self._places)
            if place != mine
        )


class Turn:
    """One worker's patience: leave a connection to another, but never for long."""

    def __init__(self, counts: Counts, worker_no: int, wait: Callable[[float], None] = time.sleep) -> None:
        self._counts, self._worker_no, self._wait = counts, worker_no, wait
        self._left = 0

    def is_ours(self, connections: int) -> bool:
        """Whether to take the waiting connection. When not, a moment has passed already."""
        if self._left < MOST_LEFT and self._counts.somebody_has_fewer(self._worker_no, connections):
            self._left += 1
            self._wait(LEAVE_S)
            return False
        self._left = 0
        return True

    def say(self, connections: int) -> None:
        """Tell the others."""
        self._counts.say(self._worker_no, connections)
