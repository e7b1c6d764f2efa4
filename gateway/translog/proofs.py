"""Proofs out of the stored tree: that a record is in it, and that an older tree is its beginning."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from gateway.db import Row, Transaction, load_queries
from gateway.translog.checkpoint import Proof
from gateway.translog.merkle import consistency_ranges, inclusion_ranges
from gateway.translog.tiles import list_range_roots
from schemas.errors import NotFoundError

queries = load_queries(__file__)


class StoredCheckpoint(NamedTuple):
    """The newest checkpoint, as stored."""

    size: int
    root: bytes
    note: str
    signed_at: datetime


class RecordProof(NamedTuple):
    """A record's inclusion proof under the newest checkpoint, with the bytes it proves."""

    record_id: UUID
    kind: str
    row_id: str
    body: bytes
    proof: Proof


def find_checkpoint(tx: Transaction) -> StoredCheckpoint | None:
    """The newest checkpoint; None while nothing is sealed."""
    row = tx.find(queries.find_last_checkpoint)
    return row and StoredCheckpoint(row.size, bytes(row.root), row.note, row.signed_at)


def find_proof(tx: Transaction, kind: str, row_id: str, under: StoredCheckpoint | None) -> RecordProof | None:
    """The proof for the record of a row, leading to the checkpoint `under`; None when there is no such record, or it is not below
    that checkpoint yet."""
    return _proof(tx, tx.find(queries.find_leaf_by_row, {"kind": kind, "row_id": row_id}), under)


def find_record_proof(tx: Transaction, record_id: UUID, under: StoredCheckpoint | None) -> RecordProof | None:
    """The same by record id."""
    return _proof(tx, tx.find(queries.find_leaf_by_record, {"record_id": str(record_id)}), under)


def list_proofs(
    tx: Transaction, wanted: Sequence[tuple[str, str]], under: StoredCheckpoint
) -> dict[tuple[str, str], RecordProof]:
    """Proofs for many records by (kind, row id), each tile read once. What is not below `under` is absent."""
    kinds, row_ids = [kind for kind, _ in wanted], [row_id for _, row_id in wanted]
    rows = tx.all(queries.list_leaves_by_row, {"kinds": kinds, "row_ids": row_ids})
    return _proofs(tx, [row for row in rows if row.position is not None and row.position < under.size], under)


def list_proofs_between(
    tx: Transaction, from_at: datetime, until_at: datetime, under: StoredCheckpoint, limit: int
) -> list[RecordProof]:
    """Proofs for all leaves from the first to the last that was recorded in [from_at, until_at), without a gap, in order."""
    params = {"from_at": from_at, "until_at": until_at, "size": under.size, "limit": limit}
    return list(_proofs(tx, tx.all(queries.list_leaves_between, params), under).values())


def _proofs(
    tx: Transaction, rows: Sequence[Row], under: StoredCheckpoint
) -> dict[tuple[str, str], RecordProof]:
    ranges = [inclusion_ranges(row.position, under.size) for row in rows]
    roots = iter(list_range_roots(tx, [one for path in ranges for one in path], under.size))
    return {
        (row.kind, row.row_id): RecordProof(
            row.record_id, row.kind, row.row_id, bytes(row.body),
            Proof(row.position, [next(roots) for _ in path], under.note),
        )
        for row, path in zip(rows, ranges, strict=True)
    }  # fmt: skip


def get_consistency(tx: Transaction, old: int, new: int) -> list[bytes]:
    """RFC 6962 consistency proof between two tree sizes. Raises NotFoundError beyond the signed tree."""
    newest = find_checkpoint(tx)
    size = newest.size if newest else 0
    if not 0 <= old <= new <= size:
        raise NotFoundError(
            "no such tree size", where="log", value=f"{old} to {new}", remedy=f"at most {size}"
        )
    return list_range_roots(tx, consistency_ranges(old, new), size)


def _proof(tx: Transaction, row: Row | None, under: StoredCheckpoint | None) -> RecordProof | None:
    if row is None or row.position is None or under is None or row.position >= under.size:
        return None
    path = list_range_roots(tx, inclusion_ranges(row.position, under.size), under.size)
    return RecordProof(
        row.record_id, row.kind, row.row_id, bytes(row.body), Proof(row.position, path, under.note)
    )
