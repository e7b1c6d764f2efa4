"""No neighbour is called inside a transaction: refused at run time.

`gateway.db` marks the transaction, every client in `adapters` asks before it opens a connection. The rule keeps a
slow neighbour from holding our locks, and keeps us from rolling back what a neighbour has already done.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_open_transaction: ContextVar[bool] = ContextVar("open_transaction", default=False)


class NeighbourCalledInTransactionError(RuntimeError):
    """A programming error: the corridor must end its transaction before it calls a neighbour."""


@contextmanager
def transaction_open() -> Iterator[None]:
    """Mark the running context as inside a database transaction. Transactions do not nest."""
    if _open_transaction.get():
        raise RuntimeError("a transaction is already open here; corridors open one at a time")
    token = _open_transaction.set(True)
    try:
        yield
    finally:
        _open_transaction.reset(token)


def before_neighbour_call(neighbour: str) -> None:
    """Call first in every client method that leaves the process. Raises inside a transaction."""
    if _open_transaction.get():
        raise NeighbourCalledInTransactionError(f"{neighbour} was about to be called inside a transaction")
