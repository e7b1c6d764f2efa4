"""A programme's quota is never overshot, and what ends gives its room to whoever waits."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import psycopg2
import pytest

from gateway.benefits import Want, release_quota, take_quota
from gateway.db import Database
from tests.bank_stage import QUOTA, RULESET, Stage, bank_stage
from tests.conftest import TestDatabase

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def _used(database: TestDatabase) -> int:
    [(used, counted)] = database.sql(
        "select used_fen, (select coalesce(sum(amount_fen), 0)::bigint from quota_use"
        " where counted and released_at is null) from quota"
    )
    assert used == counted, "the quota's sum and its uses differ"
    return int(used)  # type: ignore[call-overload, no-any-return]


def test_eight_threads_never_overshoot(database: TestDatabase) -> None:
    pool = Database(database.app_dsn, size=8)
    total_fen, taken = 1_000, list[tuple[UUID, int]]()
    start = threading.Barrier(8)

    def work(seed: int) -> None:
        chance = random.Random(seed)
        start.wait()
        for _ in range(15):
            wants = [Want(uuid4(), chance.randint(1, 30)) for _ in range(5)]
            with pool.transaction() as tx:
                got = take_quota(tx, "p", total_fen, wants, now=NOW)
            taken.extend((w.proposal_id, w.amount_fen) for w in wants if w.proposal_id in got)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pool.close()
    assert sum(amount for _, amount in taken) == _used(database)
    assert total_fen - 1 <= _used(database) <= total_fen


def test_postgresql_refuses_an_overshoot(database: TestDatabase) -> None:
    with database.app.transaction() as tx:
        take_quota(tx, "p", 100, [Want(uuid4(), 100)], now=NOW)
    with pytest.raises(psycopg2.errors.CheckViolation):
        database.sql("update quota set used_fen = used_fen + 1")


def test_released_twice_is_once(database: TestDatabase) -> None:
    want = Want(uuid4(), 70)
    with database.app.transaction() as tx:
        assert take_quota(tx, "p", 100, [want, Want(uuid4(), 40)], now=NOW) == {want.proposal_id}
    for room in ({"p": 100}, {}):
        with database.app.transaction() as tx:
            assert release_quota(tx, [want.proposal_id], now=NOW) == room
    assert _used(database) == 0


def test_a_lower_use_takes_the_place_of_a_higher_even_when_nothing_is_left(database: TestDatabase) -> None:
    full = Want(uuid4(), 100)
    lower = Want(uuid4(), 60, instead_of=full.proposal_id)
    with database.app.transaction() as tx:
        take_quota(tx, "p", 100, [full], now=NOW)
        assert take_quota(tx, "p", 100, [lower], now=NOW) == {lower.proposal_id}
    assert _used(database) == 100
    with database.app.transaction() as tx:
        assert release_quota(tx, [full.proposal_id], now=NOW) == {"p": 40}
    assert _used(database) == 60


def test_a_lowered_quota_keeps_what_is_used(database: TestDatabase) -> None:
    with database.app.transaction() as tx:
        take_quota(tx, "p", 100, [Want(uuid4(), 80)], now=NOW)
        assert take_quota(tx, "p", 50, [Want(uuid4(), 1)], now=NOW) == set()
    assert database.sql("select total_fen, used_fen from quota") == [(80, 80)]


@pytest.fixture
def stage(database: TestDatabase, tmp_path: Path) -> Iterator[Stage]:
    with bank_stage(database, tmp_path) as found:
        yield found


def test_families_beyond_the_quota_wait_and_are_served_when_there_is_room(stage: Stage) -> None:
    stage.ruleset(RULESET + QUOTA.format(amount_cny=15_000))
    families = stage.families(5)  # 5 000 CNY each: three fit
    stage.give_points(families, 500)
    stage.evaluate()
    stage.quiet()
    assert list(stage.proposals().values()) == ["in_force"] * 3
    assert stage.database.sql("select count(*) from quota_waiting") == [(2,)]
    assert _used(stage.database) == 1_500_000
    served = stage.database.sql("select subject_id from proposal limit 1")
    stage.give_points([int(served[0][0])], 500, kind="deduction")  # type: ignore[call-overload]
    stage.quiet()
    assert sorted(stage.proposals().values()) == ["in_force"] * 3 + ["revoked"]
    assert stage.database.sql("select count(*) from quota_waiting") == [(1,)]
    stage.agree()


def test_sweeps_at_once_do_not_overshoot(stage: Stage) -> None:
    stage.ruleset(RULESET + QUOTA.format(amount_cny=50_000))
    families = stage.families(40)
    stage.propose()
    stage.refresh()
    stage.propose()
    for n in range(8):
        stage.give_points(families[n::8], 500)
    threads = [threading.Thread(target=stage.propose, args=(1,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stage.quiet()
    assert list(stage.proposals().values()) == ["in_force"] * 10
    assert _used(stage.database) == 5_000_000
