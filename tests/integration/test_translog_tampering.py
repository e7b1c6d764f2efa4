"""Sixty random changes, one at a time, anywhere in record, leaf, tile and checkpoint: each is found and named."""

from __future__ import annotations

import random
from pathlib import Path
from typing import NamedTuple

import psycopg2
import pytest

from gateway.flows.seal_log import seal_log
from gateway.flows.verify_log import verify_log
from tests.conftest import TestDatabase
from tests.integration.log_house import RESTATERS, add_batches, later, make_house

CHANGES = 60
KEYS = {"record": "record_id", "leaf": "position", "tile": "(level, index)", "checkpoint": "size"}
COLUMNS = {
    "record": ["record_id", "kind", "row_id", "body", "recorded_at"],
    "leaf": ["position", "record_id", "leaf_hash"],
    "tile": ["level", "index", "hashes", "root"],
    "checkpoint": ["size", "number", "root", "note", "signed_at"],
}
#: what one random step does to a column of a type; {c} is the column, {n} a random number
STEPS = {
    "bytea": "set_byte({c}, {n} %% octet_length({c}), (get_byte({c}, {n} %% octet_length({c})) + 1 + {n} %% 254) %% 256)",
    "text": "overlay({c} placing (case when substr({c}, 1 + {n} %% length({c}), 1) = 'q' then 'z' else 'q' end)"
    " from 1 + {n} %% length({c}) for 1)",
    "uuid": "gen_random_uuid()",
    "bigint": "{c} + 1 + {n} %% 1000",
    "smallint": "({c} + 1 + {n} %% 7) %% 8",
    "timestamp with time zone": "{c} - ({n} + 1) * interval '1 microsecond'",
}


class Change(NamedTuple):
    """A random change as a statement, and where it was made."""

    statement: str
    where: str


def _random_change(database: TestDatabase, chance: random.Random) -> Change:
    table = chance.choice(sorted(COLUMNS))
    number = chance.randrange(1, 10**6)
    row = f"(select {KEYS[table].strip('()')} from {table} order by {KEYS[table].strip('()')} offset"
    [(count,)] = database.sql(f"select count(*) from {table}")
    row = f"{KEYS[table]} = {row} {number % int(str(count))} limit 1)"
    if chance.random() < 0.15:
        return Change(f"delete from {table} where {row}", f"{table}, a row")
    column = chance.choice(COLUMNS[table])
    [(kind,)] = database.sql(
        "select data_type from information_schema.columns where table_name = %s and column_name = %s",
        (table, column),
    )
    value = STEPS[str(kind)].replace("%%", "%").format(c=column, n=number)
    return Change(f"update {table} set {column} = {value} where {row}", f"{table}.{column}")


@pytest.mark.parametrize("seed", [20261123])
def test_every_random_change_is_found_and_named(database: TestDatabase, tmp_path: Path, seed: int) -> None:
    house = make_house(database, tmp_path)
    for step, count in enumerate((200, 57, 300)):
        add_batches(house, count)
        seal_log(house, now=later(step))
    for table in COLUMNS:
        database.sql(f"create table kept_{table} as table {table}")
    chance = random.Random(seed)
    missed, done = [], 0
    while done < CHANGES:
        change = _random_change(database, chance)
        try:
            database.sql(f"set session_replication_role = replica; {change.statement}")
        except psycopg2.Error:
            continue  # refused by the table itself: nothing was changed
        done += 1
        report = verify_log(house, now=later(10), restaters=RESTATERS)
        if report.ok or not report.faults[0].where:
            missed.append(change)
        for table in COLUMNS:
            database.sql(
                f"set session_replication_role = replica; truncate {table}; insert into {table} table kept_{table}"
            )
    assert missed == []
    assert verify_log(house, now=later(10), restaters=RESTATERS).ok
