"""Sealing: waiting records get their places in the tree, and the tree is signed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from gateway.db import Transaction, copy_text, load_queries
from gateway.translog.checkpoint import Checkpoint, sign_checkpoint
from gateway.translog.merkle import HASH_BYTES, Edge, leaf_hash, perfect_root
from gateway.translog.note import Signer
from gateway.translog.tiles import LEVELS, WIDTH
from schemas.errors import TamperedError

queries = load_queries(__file__)

_SPAN = WIDTH * HASH_BYTES


class SealedChunk(NamedTuple):
    """What one transaction sealed. `busy`: another sealer is at work and nothing was done."""

    sealed: int
    size: int
    busy: bool = False
    clock_back_s: int = 0  # how far the clock stands before the last checkpoint; its time was kept


def seal_chunk(tx: Transaction, signer: Signer, *, now: datetime, limit: int) -> SealedChunk:
    """Seal up to `limit` waiting records in the order they were written and sign one checkpoint over them.

    Raises TamperedError, and signs nothing, when the stored tree is not the one signed last.
    """
    if not tx.one(queries.try_sealer_lock).taken:
        return SealedChunk(0, 0, busy=True)
    last = tx.find(queries.find_last_checkpoint)
    size = last.size if last else 0
    levels = _read_edge(tx, size, bytes(last.root) if last else b"")
    ids: list[UUID] = []
    hashes: list[bytes] = []
    for piece in tx.stream(
        queries.list_pending, {"limit": limit}, chunk=1000
    ):  # bodies are large: a few at a time
        ids += [record_id for record_id, _ in piece]
        hashes += [leaf_hash(body) for _, body in piece]
    if not hashes:
        return SealedChunk(0, size)
    tx.copy_in(queries.copy_leaves, copy_text(zip(range(size, size + len(ids)), ids, hashes, strict=True)))
    tiles = _grow(levels, size, hashes)
    if tiles:
        tx.copy_in(queries.copy_tiles, copy_text(tiles))
    signed_at, back_s = _signing_time(now, last.signed_at if last else None)
    size += len(hashes)
    checkpoint = Checkpoint(signer.name, size, _edge_of(levels, size).root())
    tx.run(
        queries.insert_checkpoint,
        {
            "number": last.number + 1 if last else 1,
            "size": size,
            "root": checkpoint.root,
            "note": sign_checkpoint(checkpoint, signer, signed_at),
            "signed_at": signed_at,
        },
    )
    return SealedChunk(len(hashes), size, clock_back_s=back_s)


def seal_lag_s(tx: Transaction, now: datetime) -> float:
    """Age in seconds of the oldest record that waits for its leaf; 0 when none waits."""
    oldest = tx.find(queries.find_oldest_pending)
    return 0.0 if oldest is None else max(0.0, (now - oldest.recorded_at).total_seconds())


def _signing_time(now: datetime, last: datetime | None) -> tuple[datetime, int]:
    """Whole seconds, never before the last checkpoint's; and by how many seconds the clock would have gone back."""
    now = now.replace(microsecond=0)
    if last is None or now >= last:
        return now, 0
    return last, int((last - now).total_seconds())


def _read_edge(tx: Transaction, size: int, root: bytes) -> list[bytes]:
    """Each level's partial tile, checked to be the tree that was signed."""
    starts = [(size >> (8 * (level + 1))) * WIDTH for level in range(LEVELS)]
    levels: list[list[bytes]] = [[] for _ in range(LEVELS)]
    for level, _, hashed in tx.tuples(queries.list_edge, {"starts": starts}):
        levels[level].append(bytes(hashed))
    widths = [(size >> (8 * level)) % WIDTH for level in range(LEVELS)]
    joined = [b"".join(hashes) for hashes in levels]
    if [len(hashes) for hashes in levels] != widths or (size and _edge_of(joined, size).root() != root):
        raise TamperedError(
            "the stored tree is not the one that was signed last: nothing is sealed on top of it",
            code="tree-not-signed-one",
            where=f"checkpoint of size {size}",
            remedy="run `gateway log verify`: it names what was changed",
        )
    return joined


def _grow(levels: list[bytes], size: int, hashes: Sequence[bytes]) -> list[tuple[Any, ...]]:
    """Append leaf hashes to the partial tiles in place; the tiles that became full as (level, index, hashes, root)."""
    tiles: list[tuple[Any, ...]] = []
    arriving = b"".join(hashes)
    for level in range(LEVELS):
        if not arriving:
            break
        held = levels[level] + arriving
        index = (size >> (8 * level)) // WIDTH
        roots = []
        whole = len(held) // _SPAN * _SPAN
        for at in range(0, whole, _SPAN):
            full = held[at : at + _SPAN]
            roots.append(perfect_root(full))
            tiles.append((level, index + at // _SPAN, full, roots[-1]))
        levels[level] = held[whole:]
        arriving = b"".join(roots)
    return tiles


def _edge_of(levels: Sequence[bytes], size: int) -> Edge:
    """The edge of a tree from its partial tiles, highest level first."""
    edge = Edge()
    for level in reversed(range(LEVELS)):
        for at in range(0, len(levels[level]), HASH_BYTES):
            edge.append(levels[level][at : at + HASH_BYTES], 8 * level)
    if edge.size != size:
        raise TamperedError(
            "the tree's edge has another size than its checkpoint", value=f"{edge.size}, {size}"
        )
    return edge
