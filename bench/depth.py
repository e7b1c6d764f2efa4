"""What a push costs when much is stored already: the same pushes, in one run, on a shallow and on a deep history.

The history is written by SQL in one sweep (arranging, not measured): references that are spread evenly over the index, as
UUIDs of a vendor are, ten years of days, month sums to match. Then the same batches are pushed through the door.
"""

from __future__ import annotations

import hashlib
import statistics

import orjson
import psycopg2

from bench import rows
from bench.client import Door, Shot, fire
from bench.report import Line, Report

CHUNK = 500_000
EVENTS = 40_000
ROUNDS = 3
PUSH = f"/towns/{rows.TOWN}/v1/contributions"
CATEGORIES = "array['sorting', 'hygiene', 'volunteering', 'learning']"

PEOPLE = """
create temporary table people as
select no - 1 as no, holder, person
from unnest(%(holders)s::bigint[], %(persons)s::bigint[]) with ordinality given(holder, person, no)
"""
CONTRIBUTIONS = f"""
insert into contribution (town, reference, batch_id, item_no, kind, activity, category, holder_id, person_id, points_centi,
                          occurred_at, occurred_on, content_digest)
select %(town)s, md5(n::text), md5((n / 1000)::text)::uuid, n %% 1000, 'award', 'garbageSorting', ({CATEGORIES})[1 + n %% 4],
       holder, person, 100 + n %% 700, day + interval '9 hours', day, decode(md5(n::text) || md5(n::text), 'hex')
from (select n, date '2016-01-01' + (n %% 3650)::int as day from generate_series(%(first)s::bigint, %(last)s::bigint) n) spread
join people on no = (n * 7919) %% %(count)s
"""
TRANSFERS = """
insert into transfer (cause_id, cause_no, leg, cause_kind, town, debit_holder, debit_kind, credit_holder, credit_kind,
                      points_centi, recorded_at)
select batch_id, item_no, 1, 'contribution', town, 0, 'issue', holder_id, 'available', points_centi, occurred_at
from contribution where batch_id = any(select md5(b::text)::uuid from generate_series(%(first)s / 1000, %(last)s / 1000) b)
"""
MONTH_SUMS = f"""
insert into month_sum (holder_id, town, person_id, month, category, kind, points_centi, items)
select holder, %(town)s, person, year * 100 + month, category, 'award', 400, 1
from people, generate_series(2016, 2025) year, generate_series(1, 12) month, unnest({CATEGORIES}) category
on conflict do nothing
"""


def fill(admin_dsn: str, families: list[rows.Family], first: int, count: int) -> None:
    """Store `count` contributions from number `first`, with their transfers; with the first of them the sums of ten years."""
    given = {
        "town": rows.TOWN, "holders": [f.household_id for f in families], "persons": [f.person_id for f in families],
        "count": len(families),
    }  # fmt: skip
    connection = psycopg2.connect(admin_dsn)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(
            "set session_replication_role = replica"
        )  # balances and evidence are not this row's matter
        cursor.execute(PEOPLE, given)
        if first == 0:
            cursor.execute(MONTH_SUMS, given)
        for start in range(first, first + count, CHUNK):
            last = min(start + CHUNK, first + count) - 1
            cursor.execute(CONTRIBUTIONS, {**given, "first": start, "last": last})
            cursor.execute(TRANSFERS, {"first": start, "last": last})
        cursor.execute("vacuum analyze")
    connection.close()


def measure_depth(report: Report, door: Door, admin_dsn: str, families: list[rows.Family], deep: int) -> None:
    """Rates at a million and at `deep` stored contributions, and how much dearer a push became."""
    shallow = 1_000_000
    fill(admin_dsn, families, 0, shallow)
    _rate(door, families, "warm")
    first = statistics.median(_rate(door, families, f"shallow{no}") for no in range(ROUNDS))
    report.add(Line(f"REST batch with {shallow:,} stored", first, "events/s"))
    fill(admin_dsn, families, shallow, deep - shallow)
    _rate(door, families, "warm-again")
    second = statistics.median(_rate(door, families, f"deep{no}") for no in range(ROUNDS))
    dearer = first / second
    report.add(
        Line(f"REST batch with {deep:,} stored", second, "events/s", dearer,
             "cost <= 1.2 of that with 1,000,000", dearer <= 1.2)
    )  # fmt: skip


def _rate(door: Door, families: list[rows.Family], prefix: str, connections: int = 4) -> float:
    """Events a second, 1 000 a request; their references fall anywhere in the index."""
    made = rows.events(families, EVENTS, prefix, seed=len(prefix))
    for event in made:
        event["taskId"] = hashlib.sha256(event["taskId"].encode()).hexdigest()[:32]
    shots = [
        Shot(PUSH, orjson.dumps({"items": made[at : at + 1000]}), "application/json", f"{prefix}-{at}")
        for at in range(0, EVENTS, 1000)
    ]
    took, _, _ = fire(door, [shots[n::connections] for n in range(connections)])
    return EVENTS / took
