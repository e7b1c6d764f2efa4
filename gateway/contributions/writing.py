"""The write path: claims, the earlier items a push meets, and the inserts. Hot: every function takes whole pushes."""

from __future__ import annotations

import hashlib
from binascii import b2a_base64
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from gateway.db import Transaction, copy_text, int_array, load_queries
from schemas.contributions import Contribution
from schemas.values import TownCode

queries = load_queries(__file__)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Claim(NamedTuple):
    """What stands under an idempotency key. `mine` is False while another transaction works on the same key."""

    mine: bool
    batch_id: UUID | None
    payload_sha256: bytes | None
    received_at: datetime | None
    item_count: int | None
    exceptions: list[list[Any]] | None
    receipt: str | None


class Earlier(NamedTuple):
    """A contribution that stands already."""

    content_digest: bytes
    holder_id: int
    person_id: int
    kind: str
    category: str
    points_centi: int
    occurred_on: date


class Posted(NamedTuple):
    """One contribution, resolved: exactly what its row will hold, less town and batch.

    `sum_*` say which month sum it moves: a reversal moves the one of its original, downwards.
    """

    item: Contribution
    holder_id: int
    person_id: int
    category: str
    occurred_on: date
    content_digest: bytes
    sum_month: int
    sum_category: str
    sum_kind: str
    sum_points_centi: int


class NewBatch(NamedTuple):
    """A batch row, its encrypted bytes and its quarantined items (item_no, reference, code, detail)."""

    batch_id: UUID
    client_id: str
    idempotency_key: str
    payload_sha256: bytes
    adapter: str
    received_at: datetime
    item_count: int
    accepted_count: int
    exceptions: list[list[Any]]
    item_digests: bytes
    receipt: str
    key_id: str
    sealed: bytes
    whole: bool
    quarantined: list[tuple[int, str, str, str]]


def claim_keys(tx: Transaction, keys: Sequence[tuple[str, str]]) -> list[Claim]:
    """Claim (client_id, idempotency_key) pairs, in order; held until the transaction ends."""
    params = {"client_ids": [c for c, _ in keys], "keys": [k for _, k in keys]}
    rows = tx.tuples(queries.claim_keys, params)
    return [
        Claim(mine, batch_id, payload and bytes(payload), received_at, count, exceptions, receipt)
        for _, mine, batch_id, payload, received_at, count, exceptions, receipt in rows
    ]


def find_earlier(
    tx: Transaction, town: TownCode, references: Iterable[str], reversing: Sequence[str]
) -> tuple[dict[str, Earlier], set[str]]:
    """Items that stand under these references (or are to be reversed), and which of `reversing` are reversed already."""
    wanted = "\n".join([*references, *reversing])
    rows = tx.tuples(queries.find_earlier, {"town": town, "references": wanted})
    earlier = {row[0]: Earlier(bytes(row[1]), *row[2:8]) for row in rows}
    reversed_already: set[str] = set()
    if reversing:
        params = {"town": town, "references": "\n".join(reversing)}
        reversed_already = {reference for (reference,) in tx.tuples(queries.list_reversed, params)}
    return earlier, reversed_already


def insert_contributions(
    tx: Transaction, town: TownCode, batches: Sequence[tuple[UUID, Sequence[Posted]]]
) -> list[bytes]:
    """Write rows and month sums of several batches of one town. Returns each batch's item digests, joined."""
    lines: list[str] = []
    sums: dict[tuple[int, int, int, str, str], list[int]] = {}
    digests: list[bytes] = []
    for batch_id, posted in batches:
        digests.append(_lines_of(town, str(batch_id), posted, lines, sums))
    if lines:
        lines.append("")
        tx.copy_in(queries.copy_contributions, "\n".join(lines).encode())
    if sums:
        keys = sorted(sums)
        params = {
            "town": town,
            "holders": int_array(k[0] for k in keys),
            "persons": int_array(k[1] for k in keys),
            "months": int_array(k[2] for k in keys),
            "categories": "\n".join(k[3] for k in keys),
            "kinds": "\n".join(k[4] for k in keys),
            "points": int_array(sums[k][0] for k in keys),
            "items": int_array(sums[k][1] for k in keys),
        }
        tx.later(queries.add_month_sums, params)
    return digests


def _lines_of(
    town: str,
    batch_id: str,
    posted: Sequence[Posted],
    lines: list[str],
    sums: dict[tuple[int, int, int, str, str], list[int]],
) -> bytes:
    """Append COPY lines and month sums of one batch; its item digests. References and codes carry no control characters."""
    sha256 = hashlib.sha256
    digests: list[bytes] = []
    for entry in posted:
        item = entry.item
        content = entry.content_digest.hex()
        micros = (item.occurred_at - EPOCH) // MICROSECOND
        on = entry.occurred_on.isoformat()
        reverses = item.reverses or ""
        period = item.period or ""
        who = f"{entry.category}\x1f{entry.holder_id}\x1f{entry.person_id}"
        middle = f"{item.kind}\x1f{item.activity}\x1f{who}\x1f{item.points_centi}"
        text = (
            f"{town}\x1f{batch_id}\x1f{item.item_no}\x1f{item.reference}\x1f{middle}\x1f{micros}\x1f{on}"
            f"\x1f{reverses}\x1f{period}\x1f{content}"
        )
        digests.append(sha256(text.encode()).digest())
        reference = item.reference.replace("\\", "\\\\")
        columns = middle.replace("\\", "\\\\").replace("\x1f", "\t")
        lines.append(
            f"{town}\t{reference}\t{batch_id}\t{item.item_no}\t{columns}\t{item.occurred_at.isoformat()}\t{on}"
            f"\t{_nullable(reverses)}\t{_nullable(period)}\t\\\\x{content}"
        )
        if entry.sum_month:
            key = (entry.holder_id, entry.person_id, entry.sum_month, entry.sum_category, entry.sum_kind)
            found = sums.get(key)
            if found is None:
                sums[key] = [entry.sum_points_centi, 1]
            else:
                found[0] += entry.sum_points_centi
                found[1] += 1
    return b"".join(digests)


def _nullable(text: str) -> str:
    return text.replace("\\", "\\\\") if text else "\\N"


def insert_batches(
    tx: Transaction, town: TownCode, batches: Sequence[NewBatch], *, now: datetime, keep_until: datetime
) -> None:
    """Write batch rows, their encrypted bytes, their quarantined items, and queue them for evaluation."""
    given = [
        {**b._asdict(), "batch_id": str(b.batch_id), "payload_sha256": b.payload_sha256.hex(),
         "item_digests": b2a_base64(b.item_digests, newline=False).decode(),
         "sealed": b2a_base64(b.sealed, newline=False).decode(), "quarantined": None}
        for b in batches
    ]  # fmt: skip
    tx.later(queries.insert_batches, {"batches": orjson.dumps(given).decode(), "town": town, "now": now})
    quarantined = [(b.batch_id, no, town, ref, code, detail, now, keep_until)
                   for b in batches for no, ref, code, detail in b.quarantined]  # fmt: skip
    if quarantined:
        tx.copy_in(queries.copy_quarantined, copy_text(quarantined))
