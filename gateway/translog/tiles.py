"""C2SP tlog-tiles: the tree cut into tiles of 256 hashes a level, as other people's tools fetch it.

Full tiles are stored; the partial ones at the right edge are derived (leaves at level 0, roots of full tiles above).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.db import Transaction, load_queries
from gateway.translog.merkle import HASH_BYTES, Node, perfect_root, range_nodes, range_root
from schemas.errors import NotFoundError, TamperedError

queries = load_queries(__file__)

WIDTH = 256
LEVELS = 8  # 2^64 leaves and more
_PATH = re.compile(r"(?:0|[1-9]\d?|entries)/(?:x\d{3}/)*\d{3}(?:\.p/[1-9]\d{0,2})?", re.ASCII)
TileKey = tuple[int, int]  # (level, index)


@dataclass(frozen=True, slots=True)
class TilePath:
    """What a path under /tile/ names. `level` is None for an entry bundle; `width` 256 for a full tile."""

    level: int | None
    index: int
    width: int


def parse_tile_path(path: str) -> TilePath:
    """'0/x001/x234/067.p/12' or 'entries/000' to values. Raises NotFoundError for anything not in the one spelling."""
    if not _PATH.fullmatch(path) or len(path) > 80:
        raise NotFoundError("no such tile", where="/tile/", value=path[:80])
    body, _, width = path.partition(".p/")
    first, *groups = body.split("/")
    found = TilePath(
        None if first == "entries" else int(first),
        int("".join(group.removeprefix("x") for group in groups)),
        int(width) if width else WIDTH,
    )
    if (bool(width) and found.width >= WIDTH) or tile_path(found) != path or (found.level or 0) > 63:
        raise NotFoundError("no such tile", where="/tile/", value=path[:80])
    return found


def tile_path(tile: TilePath) -> str:
    """The one spelling: groups of three digits, all but the last with an x."""
    digits = str(tile.index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    spelled = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    level = "entries" if tile.level is None else str(tile.level)
    return f"{level}/{spelled}" + (f".p/{tile.width}" if tile.width < WIDTH else "")


def tile_width(size: int, level: int, index: int) -> int:
    """How many hashes tile (level, index) holds in a tree of `size` leaves: 0 to 256."""
    return max(0, min(WIDTH, (size >> (8 * level)) - index * WIDTH))


def bundle(entries: Sequence[bytes]) -> bytes:
    """An entry bundle: each entry after its length in two bytes, big-endian."""
    return b"".join([len(entry).to_bytes(2, "big") + entry for entry in entries])


def get_tile(tx: Transaction, tile: TilePath, size: int) -> bytes:
    """A tile's or bundle's bytes, within the signed tree of `size`. Raises NotFoundError beyond it."""
    if tile.index >> 56 or tile_width(size, tile.level or 0, tile.index) < tile.width:
        raise NotFoundError("this tile is beyond the signed tree", where="/tile/", value=tile_path(tile))
    start = tile.index * WIDTH
    span = {"start": start, "end": start + tile.width}
    if tile.level is None:
        return bundle([bytes(body) for (body,) in tx.tuples(queries.list_entries, span)])
    if tile.width == WIDTH:
        return _list_full(tx, [(tile.level, tile.index)])[tile.level, tile.index]
    return _partial(tx, tile.level, span)


def _partial(tx: Transaction, level: int, span: dict[str, int]) -> bytes:
    if level == 0:
        rows = tx.tuples(queries.list_leaf_hashes, span)
    else:
        rows = tx.tuples(queries.list_tile_roots, {**span, "level": level - 1})
    if len(rows) != span["end"] - span["start"]:
        raise _hole(f"level {level}, hashes {span['start']} to {span['end']}")
    return b"".join([bytes(row[0]) for row in rows])


def _list_full(tx: Transaction, keys: Sequence[TileKey]) -> dict[TileKey, bytes]:
    found = tx.tuples(
        queries.list_full_tiles, {"levels": [key[0] for key in keys], "indexes": [key[1] for key in keys]}
    )
    tiles = {(level, index): bytes(hashes) for level, index, hashes in found}
    for key in keys:
        if key not in tiles:
            raise _hole(f"level {key[0]}, tile {key[1]}")
    return tiles


def _hole(where: str) -> TamperedError:
    return TamperedError(
        "the stored tree has a hole",
        code="tile-missing",
        where=where,
        remedy="run `gateway log verify`: it names what was removed",
    )


def list_range_roots(tx: Transaction, ranges: Sequence[tuple[int, int]], size: int) -> list[bytes]:
    """The roots over leaf ranges of an inclusion or consistency proof, reading each tile once."""
    wanted = {_tile_of(node) for start, end in ranges for node in range_nodes(start, end)}
    full = [key for key in wanted if tile_width(size, *key) == WIDTH]
    tiles = _list_full(tx, full) if full else {}
    for level, index in wanted - tiles.keys():
        start = index * WIDTH
        tiles[level, index] = _partial(
            tx, level, {"start": start, "end": start + tile_width(size, level, index)}
        )
    return [range_root(start, end, lambda node: _node_hash(tiles, node)) for start, end in ranges]


def _tile_of(node: Node) -> TileKey:
    height, index = node
    return height // 8, index >> (8 - height % 8)


def _node_hash(tiles: dict[TileKey, bytes], node: Node) -> bytes:
    height, index = node
    within = height % 8
    start = (index << within) % WIDTH * HASH_BYTES
    return perfect_root(tiles[_tile_of(node)][start : start + (HASH_BYTES << within)])
