"""Quarantine: what waits, the sealed bytes it is read again from, and its end. Every function takes whole lists."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from gateway.db import Row, Transaction, int_array, load_queries
from schemas.crypto import Sealed
from schemas.values import TownCode

queries = load_queries(__file__)

Place = tuple[UUID, int]  # batch and item number: which item
FIRST: Place = (UUID(int=0), -1)
LISTED = 10_000


class Waiting(NamedTuple):
    """One item in quarantine."""

    batch_id: UUID
    item_no: int
    reference: str

    @property
    def place(self) -> Place:
        return self.batch_id, self.item_no


class Expired(NamedTuple):
    """Items of one batch past their end; `waiting_nos` were never posted, so their bytes go too."""

    batch_id: UUID
    town: TownCode
    item_nos: list[int]
    waiting_nos: list[int]


def list_open(tx: Transaction, town: TownCode, after: Place, limit: int, *, now: datetime) -> list[Waiting]:
    """What waits and may still be kept, in the order it came."""
    params = {"town": town, "after_batch": after[0], "after_item": after[1], "limit": limit, "now": now}
    return [Waiting(*row) for row in tx.tuples(queries.list_open, params)]


def lock_open(tx: Transaction, places: Sequence[Place]) -> set[Place]:
    """Those of `places` that still wait, held until the transaction ends."""
    return {(b, n) for b, n in tx.tuples(queries.lock_open, _params(places))}


def list_raw(tx: Transaction, batch_ids: Sequence[UUID]) -> dict[UUID, Sealed]:
    """The sealed bytes of batches."""
    rows = tx.tuples(queries.list_raw, {"batch_ids": list(batch_ids)})
    return {batch_id: Sealed(key_id, bytes(sealed)) for batch_id, key_id, sealed in rows}


def mark_released(tx: Transaction, released: Mapping[Place, UUID], *, now: datetime) -> None:
    """These are posted; the value is the batch that posted them."""
    if released:
        tx.run(
            queries.mark_released,
            {**_params(list(released)), "released_as": list(released.values()), "now": now},
        )


def end_keeping(tx: Transaction, places: Sequence[Place], *, now: datetime) -> None:
    """These may not be kept any longer."""
    if places:
        tx.run(queries.end_keeping, {**_params(places), "now": now})


def list_standing_batches(tx: Transaction, town: TownCode, references: Sequence[str]) -> dict[str, UUID]:
    """Reference → the batch whose contribution stands under it."""
    return dict(tx.tuples(queries.list_standing_batches, {"town": town, "references": "\n".join(references)}))


def list_expired(tx: Transaction, limit: int, *, now: datetime) -> list[Expired]:
    """Up to `limit` batches with items past their end."""
    return [
        Expired(batch_id, TownCode(town), numbers, waiting)
        for batch_id, town, numbers, waiting in tx.tuples(queries.list_expired, {"now": now, "limit": limit})
    ]


def remove_expired(
    tx: Transaction, expired: Sequence[Expired], raw: Mapping[UUID, Sealed], *, now: datetime
) -> int:
    """Remove their rows, and put `raw` in the place of the bytes they stood in. How many items."""
    put_raw(tx, raw)
    places = [(e.batch_id, number) for e in expired for number in e.item_nos]
    return tx.run(queries.delete_quarantined, {**_params(places), "now": now})


def put_raw(tx: Transaction, raw: Mapping[UUID, Sealed]) -> None:
    """Put these sealed bytes in the place of those that are kept of the batches."""
    if raw:
        params = {
            "batch_ids": list(raw),
            "key_ids": [sealed.key_id for sealed in raw.values()],
            "sealed": [b2a_base64(sealed.box, newline=False).decode() for sealed in raw.values()],
        }
        tx.run(queries.put_raw, params)


class KeptItem(NamedTuple):
    """An item of a person in bytes that are still kept."""

    batch_id: UUID
    item_no: int
    town: TownCode
    person_id: int


def list_kept_items(tx: Transaction, person_ids: Sequence[int]) -> list[KeptItem]:
    """Every item of these persons whose bytes are kept."""
    return [KeptItem(*row) for row in tx.tuples(queries.list_kept_items, {"person_ids": list(person_ids)})]


def count_quarantined(tx: Transaction) -> list[Row]:
    """Rows (town, code, items, oldest_at, first_until) of what waits."""
    return tx.all(queries.count_quarantined)


def list_quarantined(tx: Transaction, town: TownCode | None) -> list[Row]:
    """Items that wait (reference, code, detail, quarantined_at, keep_until, …), oldest first. Nothing personal."""
    return tx.all(queries.list_quarantined, {"town": town, "limit": LISTED})


def find_reading(tx: Transaction, town: TownCode) -> bytes | None:
    """Digest of what the town's quarantine was last read with."""
    row = tx.find(queries.find_reading, {"town": town})
    return bytes(row.ground_sha256) if row else None


def put_reading(tx: Transaction, town: TownCode, ground_sha256: bytes, *, now: datetime) -> None:
    """It was read with this."""
    tx.run(queries.put_reading, {"town": town, "ground_sha256": ground_sha256, "now": now})


def _params(places: Sequence[Place]) -> dict[str, object]:
    return {"batch_ids": [b for b, _ in places], "item_nos": int_array(n for _, n in places)}
