"""How long what is going on waited for neighbours. What is left of its time is our own."""

from __future__ import annotations

from contextvars import ContextVar

_waited: ContextVar[list[float] | None] = ContextVar("waited_for_neighbours", default=None)


def begin_waiting() -> list[float]:
    """From here on waits are added up for the running context: a list of one number of seconds."""
    waited = [0.0]
    _waited.set(waited)
    return waited


def add_waited(seconds: float) -> None:
    """A neighbour took so long to answer, or not to."""
    waited = _waited.get()
    if waited is not None:
        waited[0] += seconds
