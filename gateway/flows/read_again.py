"""What waits in quarantine is read again from its sealed bytes, with today's adapter, codes and registrations, and posted.

Posted items of one pass are a batch of their own, with record and receipt like any; their first batch keeps what it answered.
"""

from __future__ import annotations

import hashlib
import logging
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import orjson

from gateway import contributions, subjects
from gateway.contributions import FIRST, Place, Waiting
from gateway.db import Transaction
from gateway.flows._lists_again import lists_again
from gateway.flows._receiving import (
    ATTEMPTS,
    RACES,
    RAW_PURPOSE,
    JudgedPush,
    Reading,
    judge_all,
    marks_of,
    write_all,
)  # fmt: skip
from gateway.flows._sealed_bytes import read_body
from gateway.house import House
from schemas.contributions import Contribution, Push, ReadPush
from schemas.crypto import Sealed
from schemas.errors import ConflictError, GatewayError, UnavailableError
from schemas.values import Category, ItemStatus, TownCode

log = logging.getLogger(__name__)

CHUNK = 1000
BY = "gateway"  # the client of batches that were read again
#: A reference that stands already settles the item: the town sent it again meanwhile.
SETTLED = frozenset({ItemStatus.DUPLICATE, ItemStatus.CONFLICT})


class Found(NamedTuple):
    """A waiting item as it reads today."""

    place: Place
    item: Contribution


def read_again(
    house: House, *, now: datetime, town: TownCode | None = None, always: bool = False
) -> dict[str, int]:
    """Read the quarantine of every town (or one) again; items posted, settled and no longer allowed, counted.

    Does nothing for a town whose codes, registrations and adapter are as they were at the last reading, less than an hour ago
    (`always` reads in any case). Safe to repeat and to run twice at once; killed anywhere, what was not committed waits still.
    """
    counts: Counter[str] = Counter()
    for each in house.readers if town is None else [town]:
        ground = _ground(house, each, now)
        if ground is None and not always:
            continue
        after = FIRST
        while True:
            with house.db.transaction(read_only=True) as tx:
                waiting = contributions.list_open(tx, each, after, CHUNK, now=now)
                raw = contributions.list_raw(tx, sorted({w.batch_id for w in waiting}))
                codes = contributions.list_codes(tx, each)
            if not waiting:
                break
            after = waiting[-1].place
            found = _read(house, each, waiting, raw, codes)
            counts["unreadable"] += len(waiting) - len(found)
            counts += _post(house, each, found, now)
        counts += lists_again(house, each, now)
        if ground is not None:
            with house.db.transaction() as tx:
                contributions.put_reading(tx, each, ground, now=now)
    return {name: count for name, count in counts.items() if count}


def _ground(house: House, town: TownCode, now: datetime) -> bytes | None:
    """Digest of what a reading depends on, or None when the last reading had the same."""
    with house.db.transaction(read_only=True) as tx:
        codes = contributions.list_codes(tx, town)
        version = subjects.town_version(tx, town)
        stood = contributions.find_reading(tx, town)
    said = f"{house.readers[town].version}\n{version}\n{sorted(codes.items())}\n{now:%Y-%m-%dT%H}"
    ground = hashlib.sha256(said.encode()).digest()
    return None if ground == stood else ground


def _read(
    house: House,
    town: TownCode,
    waiting: Sequence[Waiting],
    raw: Mapping[UUID, Sealed],
    codes: Mapping[str, Category],
) -> list[Found]:
    """Open the bytes and pick the waiting items out of them, by reference. What cannot be read stays where it is."""
    wanted: dict[UUID, dict[str, Waiting]] = {}
    for one in waiting:
        wanted.setdefault(one.batch_id, {})[one.reference] = one
    found: list[Found] = []
    for batch_id, by_reference in wanted.items():
        try:
            body = zlib.decompress(house.keys.open(raw[batch_id], RAW_PURPOSE))
            items = read_body(house.readers[town], body, codes).items
        except (GatewayError, KeyError, zlib.error) as exc:
            log.error("batch %s cannot be read again: %s", batch_id, type(exc).__name__)
            continue
        for item in items:
            one_waiting = by_reference.pop(item.reference, None)
            if one_waiting is not None:
                found.append(Found(one_waiting.place, item))
    return sorted(found, key=lambda f: f.place)


def _post(house: House, town: TownCode, found: Sequence[Found], now: datetime) -> Counter[str]:
    """One transaction; again when it met another."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with house.db.transaction() as tx:
                return _post_in(house, tx, town, found, now)
        except ConflictError as exc:
            if exc.where not in RACES or attempt == ATTEMPTS:
                raise
        except UnavailableError as exc:
            if exc.code != "transaction-rolled-back" or attempt == ATTEMPTS:
                raise
    raise AssertionError("the last attempt answers or raises")


def _post_in(
    house: House, tx: Transaction, town: TownCode, found: Sequence[Found], now: datetime
) -> Counter[str]:
    waiting = contributions.lock_open(tx, [f.place for f in found])
    still = [f for f in found if f.place in waiting]
    if not still:
        return Counter()
    items = [f.item._replace(item_no=number) for number, f in enumerate(still)]
    judged = judge_all(tx, town, [_reading(house, town, still, items, now)], now)[0]
    posted = {still[j.item.item_no].place for j in judged.accepted}
    settled = [still[a.item_no] for a in judged.exceptions if a.status in SETTLED]
    refused = [still[a.item_no].place for a in judged.exceptions if a.status == ItemStatus.REJECTED]
    standing = (
        contributions.list_standing_batches(tx, town, [f.item.reference for f in settled]) if settled else {}
    )
    released = {f.place: standing[f.item.reference] for f in settled if f.item.reference in standing}
    if judged.accepted:
        accepted = [j._replace(item=j.item._replace(item_no=n)) for n, j in enumerate(judged.accepted)]
        chosen = [still[j.item.item_no] for j in judged.accepted]
        reading = _reading(house, town, chosen, [j.item for j in accepted], now)
        write_all(house, tx, town, [reading], [JudgedPush(accepted, [])], now)
        released |= dict.fromkeys(posted, reading.push.batch_id)
    contributions.mark_released(tx, released, now=now)
    contributions.end_keeping(tx, refused, now=now)
    return Counter(posted=len(posted), settled=len(released) - len(posted), refused=len(refused))


def _reading(
    house: House, town: TownCode, found: Sequence[Found], items: list[Contribution], now: datetime
) -> Reading:
    """A push of our own: its bytes say where the items were read, and hold nothing of them."""
    places = [[str(f.place[0]), f.place[1], f.item.reference] for f in found]
    body = orjson.dumps({"readAgain": places})
    batch_id = house.new_id()
    push = Push(town, BY, f"read-again-{batch_id}", body, now, batch_id)
    return Reading(push, ReadPush(items, []), hashlib.sha256(body).digest(), marks_of(house, items))
