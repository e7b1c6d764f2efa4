"""Erase everybody whose day has come: read who, cut them out of the sealed bytes of pushes, and take away what identifies them.

Whoever still has something open at the bank waits; whoever is under a legal hold waits. Proofs stay valid: records hold ids and
commitments, and a commitment without its salt says nothing.
"""

from __future__ import annotations

import logging
import zlib
from collections import defaultdict
from datetime import datetime
from uuid import UUID

from gateway import benefits, contributions, objections, subjects, translog
from gateway.flows._receiving import RAW_PURPOSE
from gateway.flows._sealed_bytes import cut_items
from gateway.house import House
from schemas.crypto import Sealed
from schemas.errors import GatewayError
from schemas.values import beijing_date

log = logging.getLogger(__name__)
CHUNK = 20


def erase_residents(house: House, *, now: datetime) -> dict[str, int]:
    """How many were erased, how many wait for the bank, and whose pushes could not be cut (they stay for the next run)."""
    counts = {"erased": 0, "open_at_bank": 0, "failed": 0}
    after = 0
    while True:
        with house.db.transaction(read_only=True) as tx:
            due = subjects.list_due(tx, beijing_date(now), after, CHUNK)
            open_ids = benefits.list_applicants_with_open(tx, [one.person_id for one in due])
        if not due:
            return {name: count for name, count in counts.items() if count}
        after = due[-1].person_id
        counts["open_at_bank"] += len(open_ids)
        ready = [one for one in due if one.person_id not in open_ids]
        done, failed = _erase(house, ready, now)
        counts["erased"] += done
        counts["failed"] += failed


def _erase(house: House, due: list[subjects.Due], now: datetime) -> tuple[int, int]:
    with house.db.transaction(read_only=True) as tx:
        places = contributions.list_kept_items(tx, [one.person_id for one in due])
        raw = contributions.list_raw(tx, sorted({place.batch_id for place in places}))
    wanted: defaultdict[UUID, set[int]] = defaultdict(set)
    towns, persons = {}, defaultdict(set)
    for place in places:
        wanted[place.batch_id].add(place.item_no)
        towns[place.batch_id] = place.town
        persons[place.person_id].add(place.batch_id)
    cut: dict[UUID, Sealed] = {}
    broken: set[UUID] = set()
    for batch_id, sealed in raw.items():
        try:
            body = zlib.decompress(house.keys.open(sealed, RAW_PURPOSE))
            left = cut_items(house.readers[towns[batch_id]], body, wanted[batch_id])
            cut[batch_id] = house.keys.seal(zlib.compress(left, 1), RAW_PURPOSE)
        except (GatewayError, KeyError, ValueError, zlib.error) as exc:
            log.error("batch %s cannot be cut: %s", batch_id, type(exc).__name__)
            broken.add(batch_id)
    ready = [one for one in due if not persons[one.person_id] & broken]
    if ready:
        with house.db.transaction() as tx:
            contributions.put_raw(tx, cut)
            counts = {one.person_id: len(persons[one.person_id]) for one in ready}
            objections.erase_words(tx, [one.person_id for one in ready])
            records = subjects.erase_persons(tx, ready, counts, now=now)
            translog.append_records(tx, records, now=now, new_id=house.new_id)
    return len(ready), len(due) - len(ready)
