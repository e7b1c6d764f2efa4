"""The published checkpoint as a resource (c2sp.org/tlog-checkpoint): what a door serves at /checkpoint."""

from __future__ import annotations

from gateway.house import House
from gateway.translog import find_published
from schemas.errors import NotFoundError


def read_checkpoint(house: House) -> bytes:
    """The signed note with its witnesses' lines, `text/plain; charset=utf-8`. NotFoundError while nothing is sealed, or not
    enough witnesses have signed anything."""
    with house.db.transaction(read_only=True) as tx:
        vkeys = [one.vkey for one in house.witnesses.known]
        published = find_published(tx, vkeys, house.witnesses.quorum)
    if published is None:
        raise NotFoundError(
            "no checkpoint is published yet",
            code="log-empty",
            where="checkpoint",
            remedy="ask again in a second",
        )
    return published.checkpoint.note.encode()
