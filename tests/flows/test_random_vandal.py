"""Bar 2: one thing changed at random, anywhere evidence lies: in the tables records speak of, in the log, in the sums. Each is
found and named; and what nobody touched verifies every time."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2 import sql

from gateway.flows.cosign_checkpoint import cosign_checkpoint
from gateway.flows.receive_contributions import receive_contributions
from gateway.flows.seal_log import seal_log
from gateway.flows.verify_log import verify_log
from gateway.house import House
from tests.conftest import TestDatabase
from tests.flows.test_vandal import (  # the stage with a row in every table
    NOT_ADDED,
    NOT_EVIDENCE,
    _named,
    _spoken_of,
    house,  # noqa: F401 - the fixture
)
from tests.plain_town import NOW, invented_id_no, push
from tests.storm.tables import DERIVED, LOG
from tests.storm.vandal import Vandal
from tests.witnessing import log_keys, running_witness, watched

#: In these tables one row more or one column changed contradicts nothing, and why.
SILENT = {
    "cosignature.received_at": "when a signature reached us: the time that counts is the signed one",
    "record.record_id": "a handle, not evidence (docs/log.md)",
    "quota.total_fen": "the programme's size is a setting of the bank, not a sum",
}
SEED = 20261124


@dataclass
class RandomVandal(Vandal):
    """Picks any row instead of the first."""

    chance: random.Random = field(default_factory=random.Random)

    def pick(self, table: str) -> tuple[str, dict[str, Any]] | None:
        [(count,)] = self.run(sql.SQL("select count(*) from {}").format(sql.Identifier(table)))
        if not count:
            return None
        query = sql.SQL("select ctid::text, to_jsonb(t) from {} t order by ctid offset %s limit 1")
        [found] = self.run(query.format(sql.Identifier(table)), [self.chance.randrange(count)])
        return found[0], found[1]

    def _names(self, table: str, *contents: Mapping[str, Any]) -> set[str]:
        """Rows of the log are named by their place in it; one that is gone by the number the next one shows to be missing."""
        found: set[str] = set()
        for one in contents:
            if table == "cosignature":
                who = one["vkey"].partition("+")[0]
                found |= {f"{who} on size {one['size']}", f"expected {one['number']}:"}
            elif table == "checkpoint":
                found |= {f"checkpoint of size {one['size']}", f"expected {one['number']}:"}
            elif table == "tile":
                found.add(f"tile level {one['level']}, index {one['index']}")
            elif table == "leaf":
                found |= {f"leaf {one['position']}", str(one["record_id"])}
        if found:
            return found
        return super()._names(table, *contents)


@pytest.fixture
def wide(house: House, tmp_path: Path) -> Iterator[House]:  # noqa: F811
    """The stage with enough records for a full tile, and checkpoints that a witness signed."""
    id_no = invented_id_no(2)
    with running_witness(tmp_path / "second", "second.example", log_keys(house)) as witness:
        seen = watched(house, [witness], quorum=1)
        for number in range(240):
            item = {"reference": f"R{number}", "code": "F1", "id_no": id_no, "points_centi": 100}
            receive_contributions(house, push([item], f"r{number}"), now=NOW)
            if number % 80 == 79:
                seal_log(house, now=NOW)
                cosign_checkpoint(seen, now=NOW)
        yield seen


def _attempts(
    vandal: RandomVandal, tables: list[str]
) -> Iterator[tuple[str, str, AbstractContextManager[set[str]]]]:
    while True:
        table = vandal.chance.choice(tables)
        action = vandal.chance.choice(("changed", "changed", "changed", "removed", "added"))
        if action == "changed":
            column = vandal.chance.choice(list(vandal.columns_of(table)))
            if f"{table}.{column}" not in {**NOT_EVIDENCE, **SILENT}:
                yield f"{table}.{column}", "changed", vandal.changed(table, column)
        elif action == "removed":
            yield table, "removed", vandal.removed(table)
        elif table not in NOT_ADDED:
            yield table, "added", vandal.added(table)


def _storm(wide: House, database: TestDatabase, times: int, seed: int) -> None:
    vandal = RandomVandal(database.admin_dsn, chance=random.Random(seed))
    tables = sorted({*_spoken_of(wide)[0], *LOG, *DERIVED} - {"record_pending"})
    empty = [table for table in tables if vandal.pick(table) is None]
    assert set(empty) <= {"quota"}, f"the stage puts no row into {empty}"
    stale = [name for name in SILENT if name.split(".")[1] not in vandal.columns_of(name.split(".")[0])]
    assert stale == []
    tables = [table for table in tables if table not in empty]
    unnoticed: list[str] = []
    done = 0
    for where, action, vandalism in _attempts(vandal, tables):
        if done == times:
            break
        try:
            with vandalism as names:
                done += 1
                report = verify_log(wide, now=NOW)
                if not _named(report, names):
                    unnoticed.append(
                        f"{where} {action} ({sorted(names)[:3]}): {[str(f)[:150] for f in report.faults[:2]]}"
                    )
        except psycopg2.IntegrityError:
            continue  # not even the administrator of the database can do that without dropping an index first
    assert unnoticed == [], "\n".join(unnoticed)
    assert verify_log(wide, now=NOW).ok


def test_what_is_changed_at_random_is_named(wide: House, database: TestDatabase) -> None:
    _storm(wide, database, 60, SEED)


@pytest.mark.soak
def test_five_hundred_changes_are_named_and_five_hundred_untouched_runs_pass(
    wide: House, database: TestDatabase
) -> None:
    for _ in range(500):
        assert verify_log(wide, now=NOW).ok
    _storm(wide, database, 500, SEED + 1)
