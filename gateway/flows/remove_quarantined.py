"""Quarantine ends: what is past its end is removed, and what was never posted goes out of the sealed bytes too."""

from __future__ import annotations

import logging
import zlib
from datetime import datetime
from uuid import UUID

from gateway import contributions
from gateway.contributions import Expired
from gateway.flows._receiving import RAW_PURPOSE
from gateway.flows._sealed_bytes import cut_items
from gateway.house import House
from schemas.crypto import Sealed
from schemas.errors import GatewayError

log = logging.getLogger(__name__)

CHUNK = 200


def remove_quarantined(house: House, *, now: datetime) -> dict[str, int]:
    """Remove everything past its end; items removed, and batches whose bytes could not be cut (they stay for the next run).

    The answers a town was given stand in its batch for good; they name references and reasons, nothing personal.
    """
    removed = failed = 0
    while True:
        with house.db.transaction(read_only=True) as tx:
            expired = contributions.list_expired(tx, CHUNK + failed, now=now)
            raw = contributions.list_raw(tx, [e.batch_id for e in expired if e.waiting_nos])
        ready: list[Expired] = []
        cut: dict[UUID, Sealed] = {}
        for one in expired:
            try:
                if one.waiting_nos and one.batch_id in raw:
                    cut[one.batch_id] = _without(house, one, raw[one.batch_id])
                ready.append(one)
            except (GatewayError, KeyError, ValueError, zlib.error) as exc:
                log.error("batch %s cannot be cut: %s", one.batch_id, type(exc).__name__)
        failed = len(expired) - len(ready)
        if not ready:
            return {name: count for name, count in (("removed", removed), ("failed", failed)) if count}
        with house.db.transaction() as tx:
            removed += contributions.remove_expired(tx, ready, cut, now=now)


def _without(house: House, one: Expired, sealed: Sealed) -> Sealed:
    body = zlib.decompress(house.keys.open(sealed, RAW_PURPOSE))
    left = cut_items(house.readers[one.town], body, frozenset(one.waiting_nos))
    return house.keys.seal(zlib.compress(left, 1), RAW_PURPOSE)
