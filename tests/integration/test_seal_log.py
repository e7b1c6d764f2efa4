"""Sealing: in the order of writing, all or nothing, one sealer, and never on top of a changed tree."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from gateway.flows import seal_log as seal_log_module
from gateway.flows.seal_log import seal_log
from gateway.translog import load_signer, load_verifiers, seal_chunk, seal_lag_s
from gateway.translog.checkpoint import open_checkpoint
from gateway.translog.merkle import leaf_hash, root_of
from schemas.errors import ConflictError, InvalidError, TamperedError
from tests.conftest import TestDatabase
from tests.integration.log_house import NOW, add_batches, later, make_house


def _bytes(rows: list[tuple[object, ...]]) -> list[bytes]:
    return [bytes(row[0]) for row in rows]  # type: ignore[call-overload]


def test_sealing_gives_positions_in_the_order_of_writing(database: TestDatabase, tmp_path: Path) -> None:
    house = make_house(database, tmp_path)
    first = add_batches(house, 3, at=later(60))
    second = add_batches(house, 2, at=later(-60))  # the clock was set back: the order stays that of writing
    outcome = seal_log(house, now=later(61))
    assert (outcome.sealed, outcome.size, outcome.lag_s, outcome.busy) == (5, 5, 0.0, False)
    rows = database.sql("select row_id from leaf join record using (record_id) order by position")
    assert [row[0] for row in rows] == [str(one) for one in first + second]
    assert database.sql("select count(*) from record_pending") == [(0,)]
    assert seal_log(house, now=later(62)).sealed == 0
    assert database.sql("select count(*) from checkpoint") == [(1,)]


@pytest.mark.parametrize("steps", [[1], [255, 1], [256], [257, 3], [100, 100, 100, 700]])
def test_the_signed_root_is_the_root_over_the_stored_bytes(
    database: TestDatabase, tmp_path: Path, steps: list[int]
) -> None:
    house = make_house(database, tmp_path)
    verifiers = load_verifiers(house.config.log_verifiers, house.config.log_key, house.config.log_origin)
    for step in steps:
        add_batches(house, step)
        seal_log(house, now=NOW)
        bodies = _bytes(database.sql("select body from leaf join record using (record_id) order by position"))
        [(note,)] = database.sql("select note from checkpoint order by size desc limit 1")
        checkpoint = open_checkpoint(str(note), verifiers, timed=True).checkpoint
        assert checkpoint.size == len(bodies)
        assert checkpoint.root == root_of([leaf_hash(body) for body in bodies])
    assert database.sql("select count(*) from tile where level = 0") == [(sum(steps) // 256,)]


def test_chunks_build_the_same_tree_as_one(
    database: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seal_log_module, "CHUNK", 7)
    house = make_house(database, tmp_path)
    add_batches(house, 40)
    outcome = seal_log(house, now=NOW)
    assert outcome.sealed == 40
    bodies = _bytes(database.sql("select body from leaf join record using (record_id) order by position"))
    for size, root in database.sql("select size, root from checkpoint order by size"):
        assert bytes(root) == root_of([leaf_hash(body) for body in bodies[: int(str(size))]])  # type: ignore[call-overload]
    assert database.sql("select array_agg(number order by size) from checkpoint") == [([1, 2, 3, 4, 5, 6],)]


def test_a_clock_set_back_keeps_the_signed_time_and_raises_the_alarm(
    database: TestDatabase, tmp_path: Path
) -> None:
    house = make_house(database, tmp_path)
    add_batches(house, 1)
    assert seal_log(house, now=NOW).clock_back_s == 0
    add_batches(house, 1)
    assert seal_log(house, now=later(-120)).clock_back_s == 120
    assert database.sql("select count(distinct signed_at) from checkpoint") == [(1,)]


def test_the_second_sealer_returns_at_once(database: TestDatabase, tmp_path: Path) -> None:
    house = make_house(database, tmp_path)
    add_batches(house, 4)
    signer = load_signer(house.config.log_key, house.config.log_origin)
    inside, done = threading.Event(), threading.Event()

    def first_sealer() -> None:
        with house.db.transaction() as tx:
            seal_chunk(tx, signer, now=NOW, limit=10)
            inside.set()
            done.wait(10)

    thread = threading.Thread(target=first_sealer)
    thread.start()
    assert inside.wait(10)
    began = time.monotonic()
    outcome = seal_log(house, now=NOW)
    assert time.monotonic() - began < 2
    done.set()
    thread.join()
    assert (outcome.busy, outcome.sealed, outcome.lag_s) == (True, 0, 0.0)
    assert database.sql("select count(*) from leaf") == [(4,)]


def test_a_sealer_that_dies_leaves_nothing_half(database: TestDatabase, tmp_path: Path) -> None:
    house = make_house(database, tmp_path)
    add_batches(house, 300)
    signer = load_signer(house.config.log_key, house.config.log_origin)

    def seal_and_die() -> None:
        with house.db.transaction() as tx:
            assert seal_chunk(tx, signer, now=NOW, limit=1000).sealed == 300
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        seal_and_die()
    counts = (
        "select (select count(*) from leaf), (select count(*) from tile), (select count(*) from checkpoint)"
    )
    assert database.sql(counts) == [(0, 0, 0)]
    assert seal_log(house, now=NOW).size == 300
    assert database.sql(counts) == [(300, 1, 1)]


@pytest.mark.parametrize(
    "change",
    [
        "update leaf set leaf_hash = sha256('x') where position = 259",
        "delete from leaf where position = 259",
        "update tile set root = sha256('x')",
        "update checkpoint set root = sha256('x')",
    ],
)
def test_nothing_is_signed_on_top_of_a_changed_edge(
    database: TestDatabase, tmp_path: Path, change: str
) -> None:
    house = make_house(database, tmp_path)
    add_batches(house, 260)
    seal_log(house, now=NOW)
    database.sql(f"set session_replication_role = replica; {change}")
    add_batches(house, 1)
    with pytest.raises(TamperedError, match="not the one that was signed last"):
        seal_log(house, now=NOW)
    assert database.sql("select count(*) from checkpoint") == [(1,)]


def test_lag_is_the_age_of_the_oldest_waiting_record(database: TestDatabase, tmp_path: Path) -> None:
    house = make_house(database, tmp_path)
    with house.db.transaction() as tx:
        assert seal_lag_s(tx, NOW) == 0
    add_batches(house, 1, at=later(-90))
    add_batches(house, 1, at=NOW)
    with house.db.transaction() as tx:
        assert seal_lag_s(tx, NOW) == 90


def test_a_key_others_can_read_is_refused(database: TestDatabase, tmp_path: Path) -> None:
    house = make_house(database, tmp_path)
    house.config.log_key.chmod(0o644)
    with pytest.raises(InvalidError, match="can be read by others"):
        seal_log(house, now=NOW)


def test_the_sealer_may_not_leave_a_gap(database: TestDatabase, tmp_path: Path) -> None:
    house = make_house(database, tmp_path)
    add_batches(house, 1)
    signer = load_signer(house.config.log_key, house.config.log_origin)
    seal_log(house, now=NOW)
    database.sql("set session_replication_role = replica; delete from checkpoint; delete from leaf")
    database.sql(
        "insert into record_pending (record_id, recorded_at) select record_id, recorded_at from record"
    )
    database.sql(
        "set session_replication_role = replica; insert into leaf select 0, gen_random_uuid(), sha256('x')"
    )
    add_batches(house, 1)
    with pytest.raises((TamperedError, ConflictError)), house.db.transaction() as tx:
        seal_chunk(tx, signer, now=NOW, limit=10)
