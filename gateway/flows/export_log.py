"""Write the log out as files in tlog-tiles layout, so that it can be kept, served by any web server, or verified elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from gateway.house import House
from gateway.translog import find_published, get_tile
from gateway.translog.tiles import LEVELS, WIDTH, TilePath, tile_path, tile_width
from schemas.errors import NotFoundError


def export_log(
    house: House, folder: Path, *, now: datetime, progress: Callable[[str, int, int], None] | None = None
) -> int:
    """Write checkpoint, tiles and entry bundles below `folder`; the number of leaves exported.

    Full tiles that are there already are kept, so exporting again only adds. `now` names the checkpoint's own copy
    under checkpoints/, the one to keep outside. Raises NotFoundError for an empty log.
    """
    with house.audit_db.transaction(read_only=True, isolation="repeatable read") as tx:
        vkeys = [one.vkey for one in house.witnesses.known]
        published = find_published(tx, vkeys, house.witnesses.quorum)
        if published is None:
            raise NotFoundError("the log is empty: there is nothing to export", code="log-empty")
        newest = published.checkpoint
        paths = list(_list_paths(newest.size))
        for done, tile in enumerate(paths, 1):
            target = folder / "tile" / tile_path(tile)
            if tile.width < WIDTH or not target.exists():
                _write(target, get_tile(tx, tile, newest.size))
            if progress is not None:
                progress("tiles", done, len(paths))
    _write(folder / "checkpoints" / f"{now:%Y%m%dT%H%M%SZ}-{newest.size}", newest.note.encode())
    _write(folder / "checkpoint", newest.note.encode())
    return newest.size


def _list_paths(size: int) -> Iterator[TilePath]:
    for level in range(LEVELS):
        tiles = -(-(size >> (8 * level)) // WIDTH)
        for index in range(tiles):
            width = tile_width(size, level, index)
            yield TilePath(level, index, width)
            if level == 0:
                yield TilePath(None, index, width)


def _write(target: Path, content: bytes) -> None:
    """Whole or not at all: a reader never sees half a file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_name(target.name + ".part")
    half.write_bytes(content)
    half.replace(target)
