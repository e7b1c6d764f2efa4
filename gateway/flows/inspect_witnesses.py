"""Who co-signs, where each stands, what is published, and which refusals wait for a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gateway.house import House
from gateway.translog import find_checkpoint, find_published, list_last_cosigned, list_refusals


@dataclass(frozen=True, slots=True)
class WitnessStanding:
    """One witness and the size of the tree it signed last (0: never)."""

    name: str
    vkey: str
    size: int


@dataclass(frozen=True, slots=True)
class OpenRefusal:
    """A refusal nobody answered yet."""

    refusal_id: UUID
    witness: str
    size: int
    seen_size: int | None
    code: str
    refused_at: datetime


@dataclass(frozen=True, slots=True)
class WitnessView:
    """`published_size` is what outsiders get, `sealed_size` what there is; `cosigned`: who signed the published one, and when."""

    quorum: int
    witnesses: tuple[WitnessStanding, ...]
    sealed_size: int
    published_size: int
    published_root: bytes
    published_at: datetime | None
    cosigned: tuple[tuple[str, datetime], ...]
    refusals: tuple[OpenRefusal, ...]


def inspect_witnesses(house: House) -> WitnessView:
    """Read only."""
    known = house.witnesses.known
    vkeys = [one.vkey for one in known]
    with house.db.transaction(read_only=True, isolation="repeatable read") as tx:
        newest = find_checkpoint(tx)
        published = find_published(tx, vkeys, house.witnesses.quorum)
        last = list_last_cosigned(tx, vkeys)
        refusals = list_refusals(tx, open_only=True)
    return WitnessView(
        house.witnesses.quorum,
        tuple(WitnessStanding(one.name, one.vkey, last[one.vkey].size) for one in known),
        newest.size if newest else 0,
        published.checkpoint.size if published else 0,
        published.checkpoint.root if published else b"",
        published.checkpoint.signed_at if published else None,
        tuple((one.name, one.cosigned_at) for one in published.cosigned) if published else (),
        tuple(
            OpenRefusal(r.refusal_id, r.vkey.partition("+")[0], r.size, r.seen_size, r.code, r.refused_at)
            for r in refusals
        ),
    )
