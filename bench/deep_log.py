"""A log of many leaves, made quickly: leaves by one set-based statement, tiles by COPY beside it, and the checkpoint signed.

Every leaf is the hash of a record's true bytes; of the records themselves every `KEPT_EACH`th is stored, because their
number is not what a proof's cost depends on.
"""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import psycopg2

from gateway.db import copy_text
from gateway.house import House
from gateway.translog import load_signer
from gateway.translog.checkpoint import Checkpoint, sign_checkpoint
from gateway.translog.merkle import HASH_BYTES, Edge, perfect_root
from gateway.translog.tiles import WIDTH

KIND = "bench"
RECORDED_AT = datetime(2026, 1, 1, tzinfo=UTC)
KEPT_EACH = 100
PIECE = 256 * 256  # leaves a statement, and tiles copied together

_BODY = """convert_to('{"body":{"n":' || n || '},"kind":"bench","recorded_at":"2026-01-01T00:00:00.000000Z","row_id":"' || n
 || '","v":1}', 'UTF8')"""
_ID = "lpad(to_hex(n), 32, '0')::uuid"
_LEAVES = f"""insert into leaf (position, record_id, leaf_hash)
select n, {_ID}, sha256('\\x00'::bytea || {_BODY}) from generate_series(%(start)s::bigint, %(end)s::bigint - 1) n"""
_RECORDS = f"""insert into record (record_id, kind, row_id, body, recorded_at)
select {_ID}, '{KIND}', n::text, {_BODY}, %(at)s from generate_series(0, %(count)s::bigint - 1, {KEPT_EACH}) n"""


class _Tree(NamedTuple):
    """Full tiles as (level, index, hashes, root), and the whole tree's root."""

    tiles: list[tuple[int, int, bytes, bytes]]
    root: bytes


def body_of(n: int) -> bytes:
    """The bytes whose hash is leaf `n`: what _BODY says in SQL."""
    return (
        b'{"body":{"n":%d},"kind":"bench","recorded_at":"2026-01-01T00:00:00.000000Z","row_id":"%d","v":1}'
        % (n, n)
    )


def fill_deep(house: House, admin_dsn: str, count: int) -> None:
    """Make the log of this (empty) database one of `count` leaves under one signed checkpoint."""
    writer = threading.Thread(target=_write_leaves, args=(admin_dsn, count))
    writer.start()
    tree = _build(count)
    writer.join()
    signer = load_signer(house.config.log_key, house.config.log_origin)
    note = sign_checkpoint(Checkpoint(signer.name, count, tree.root), signer, RECORDED_AT)
    connection = _connect(admin_dsn)
    with connection, connection.cursor() as cursor:
        for at in range(0, len(tree.tiles), WIDTH):
            text = copy_text(tree.tiles[at : at + WIDTH])
            cursor.copy_expert("copy tile (level, index, hashes, root) from stdin", io.BytesIO(text))
        cursor.execute(_RECORDS, {"count": count, "at": RECORDED_AT})
        cursor.execute(
            "insert into checkpoint (number, size, root, note, signed_at) values (1, %s, %s, %s, %s)",
            [count, tree.root, note, RECORDED_AT],
        )
        cursor.execute("select count(*) from leaf")
        if cursor.fetchone() != (count,):
            raise RuntimeError("not all leaves were written")
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("vacuum analyze leaf, tile, record, checkpoint")
    connection.close()


def _connect(dsn: str) -> Any:
    connection = psycopg2.connect(dsn)
    with connection, connection.cursor() as cursor:
        cursor.execute("set session_replication_role = replica; set synchronous_commit = off")
    return connection


def _write_leaves(dsn: str, count: int) -> None:
    connection = _connect(dsn)
    for start in range(0, count, PIECE):
        with connection, connection.cursor() as cursor:
            cursor.execute(_LEAVES, {"start": start, "end": min(count, start + PIECE)})
    connection.close()


def _leaves_by_tile(count: int) -> Iterator[bytes]:
    sha256 = hashlib.sha256
    for start in range(0, count, WIDTH):
        numbers = range(start, min(count, start + WIDTH))
        yield b"".join([sha256(b"\x00" + body_of(n)).digest() for n in numbers])


def _build(count: int) -> _Tree:
    """The tree over the same leaves, computed here and not read back: a wrong leaf in the table is found by verifying."""
    tiles: list[tuple[int, int, bytes, bytes]] = []
    edge = Edge()
    level, hashes = 0, _leaves_by_tile(count)
    while True:
        roots = []
        for index, held in enumerate(hashes):
            full = len(held) == WIDTH * HASH_BYTES
            if full:
                roots.append(perfect_root(held))
                tiles.append((level, index, held, roots[-1]))
            if level == 0 and full:
                edge.append(roots[-1], 8)
            elif level == 0:
                for at in range(0, len(held), HASH_BYTES):
                    edge.append(held[at : at + HASH_BYTES])
        if len(roots) < WIDTH:
            return _Tree(tiles, edge.root())
        joined = b"".join(roots)
        span = WIDTH * HASH_BYTES
        level, hashes = level + 1, (joined[at : at + span] for at in range(0, len(joined), span))
