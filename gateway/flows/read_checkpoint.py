"""The newest signed checkpoint as a resource (c2sp.org/tlog-checkpoint): what a door serves at /checkpoint."""

from __future__ import annotations

from gateway.house import House
from gateway.translog import find_checkpoint
from schemas.errors import NotFoundError


def read_checkpoint(house: House) -> bytes:
    """The signed note, `text/plain; charset=utf-8`; changes with every sealing. NotFoundError while nothing is sealed."""
    with house.db.transaction(read_only=True) as tx:
        newest = find_checkpoint(tx)
    if newest is None:
        raise NotFoundError(
            "the log is empty", code="log-empty", where="checkpoint", remedy="ask again in a second"
        )
    return newest.note.encode()
