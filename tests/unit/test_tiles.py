"""Tile paths and widths as c2sp.org/tlog-tiles gives them."""

from __future__ import annotations

import pytest

from gateway.translog.tiles import TilePath, bundle, parse_tile_path, tile_path, tile_width
from schemas.errors import NotFoundError


@pytest.mark.parametrize(
    ("path", "tile"),
    [
        ("0/x001/x234/067", TilePath(0, 1234067, 256)),  # the specification's example
        ("0/000", TilePath(0, 0, 256)),
        ("1/999", TilePath(1, 999, 256)),
        ("1/x001/000", TilePath(1, 1000, 256)),
        ("63/x001/000.p/255", TilePath(63, 1000, 255)),
        ("entries/000.p/1", TilePath(None, 0, 1)),
    ],
)
def test_a_path_has_one_spelling(path: str, tile: TilePath) -> None:
    assert parse_tile_path(path) == tile
    assert tile_path(tile) == path


def test_widths_of_the_specifications_example() -> None:
    """A tree of 70 000: 273 full level-0 tiles, one of 112, one full level-1 tile, one of 17, and one level-2 of 1."""
    assert [tile_width(70_000, 0, index) for index in (0, 272, 273, 274)] == [256, 256, 112, 0]
    assert [tile_width(70_000, 1, index) for index in (0, 1, 2)] == [256, 17, 0]
    assert [tile_width(70_000, 2, index) for index in (0, 1)] == [1, 0]
    assert [tile_width(256, level, 0) for level in (0, 1)] == [256, 1]


def test_a_bundle_is_length_and_bytes() -> None:
    assert bundle([b"", b"ab", b"x" * 300]) == b"\x00\x00\x00\x02ab\x01\x2c" + b"x" * 300


@pytest.mark.parametrize(
    "path", ["", "0", "0/1", "0/x1/000", "0/000/000", "-1/000", "0/000.p/", "entries", "0/000 "]
)
def test_no_other_spelling(path: str) -> None:
    with pytest.raises(NotFoundError):
        parse_tile_path(path)
