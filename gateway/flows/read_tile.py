"""The tree and its entries as static resources (c2sp.org/tlog-tiles): what a door serves below /tile/."""

from __future__ import annotations

from gateway.house import House
from gateway.translog import find_checkpoint, get_tile, parse_tile_path


def read_tile(house: House, path: str) -> bytes:
    """A tile or entry bundle: `path` is what follows /tile/, e.g. '0/x001/234', '1/000.p/17', 'entries/000'.

    `application/octet-stream`, and never changes. NotFoundError for any other spelling and beyond the signed tree.
    """
    tile = parse_tile_path(path)
    with house.db.transaction(read_only=True) as tx:
        newest = find_checkpoint(tx)
        return get_tile(tx, tile, newest.size if newest else 0)
