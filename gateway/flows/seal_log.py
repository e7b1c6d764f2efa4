"""Seal what waits: chunk after chunk, each in a transaction of its own, until nothing waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.house import House
from gateway.translog import load_signer, seal_chunk, seal_lag_s

CHUNK = 20_000
MAX_CHUNKS = 50  # a run ends, so that the job that started it is seen to live


@dataclass(frozen=True, slots=True)
class SealOutcome:
    """What one run did. `lag_s` is the age of the oldest record still waiting; `busy`: another sealer was at work."""

    sealed: int
    size: int
    lag_s: float
    busy: bool = False
    clock_back_s: int = 0  # an alarm when above 0: the clock stands before the last checkpoint


def seal_log(house: House, *, now: datetime) -> SealOutcome:
    """Give waiting records their leaves and sign. Safe to run twice at once: the second returns at once.

    Errors: TamperedError when the stored tree is not the one signed last; InvalidError without a usable log key.
    """
    signer = load_signer(house.config.log_key, house.config.log_origin)
    sealed = size = back_s = 0
    busy = False
    for _ in range(MAX_CHUNKS):
        with house.db.transaction() as tx:
            chunk = seal_chunk(tx, signer, now=now, limit=CHUNK)
        busy = chunk.busy
        sealed, size = sealed + chunk.sealed, max(size, chunk.size)
        back_s = max(back_s, chunk.clock_back_s)
        if chunk.sealed < CHUNK:
            break
    with house.db.transaction() as tx:
        lag_s = seal_lag_s(tx, now)
    return SealOutcome(sealed, size, lag_s, busy, back_s)
