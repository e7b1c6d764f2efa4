"""The floor: the same rows, written by plain SQL into the same schema on the same server.

COPY into a staging table and one set-based statement per 1 000 events, durable commits; the best of one and two
connections. What PostgreSQL alone would take: no parsing, no checks, no tokens, everything computed beforehand.
"""

from __future__ import annotations

import hashlib
import io
import multiprocessing
import os
import time
import zlib
from datetime import datetime
from typing import Any

import psycopg2
from uuid6 import uuid7

from bench.rows import TOWN, Family, bodies, events

BATCH = 1000

STAGING = """
create temporary table staging (
    item_no int, reference text, kind text, activity text, category text, holder_id bigint, person_id bigint,
    points_centi bigint, occurred_at timestamptz, occurred_on date, month int, content_digest bytea
) on commit delete rows
"""

WRITE = """
with written as (
    insert into contribution (town, reference, batch_id, item_no, kind, activity, category, holder_id, person_id, points_centi,
                              occurred_at, occurred_on, content_digest)
    select %(town)s, reference, %(batch_id)s, item_no, kind, activity, category, holder_id, person_id, points_centi,
           occurred_at, occurred_on, content_digest
    from staging
), moved as (
    insert into transfer (cause_id, cause_no, leg, cause_kind, town, debit_holder, debit_kind, credit_holder, credit_kind,
                          points_centi, recorded_at)
    select %(batch_id)s, item_no, 1, 'contribution', %(town)s, 0, 'issue', holder_id, 'available', points_centi, now()
    from staging
), summed as (
    insert into month_sum as m (holder_id, town, person_id, month, category, kind, points_centi, items)
    select holder_id, %(town)s, person_id, month, category, kind, sum(points_centi), count(*)
    from staging group by holder_id, person_id, month, category, kind
    order by holder_id, person_id, month, category, kind
    on conflict (holder_id, town, person_id, month, category, kind)
    do update set points_centi = m.points_centi + excluded.points_centi, items = m.items + excluded.items
), batch as (
    insert into contribution_batch (batch_id, town, client_id, idempotency_key, payload_sha256, adapter, received_at,
                                    item_count, accepted_count, exceptions, item_digests, receipt)
    values (%(batch_id)s, %(town)s, 'floor', %(key)s, %(sha)s, 'floor/1', now(), %(count)s, %(count)s,
            '[]', %(digests)s, %(receipt)s)
), raw as (
    insert into raw_push (batch_id, key_id, sealed, received_at) values (%(batch_id)s, 'k', %(sealed)s, now())
), changed as (
    insert into changed_batch values (%(batch_id)s, now())
)
insert into record (record_id, kind, row_id, body, recorded_at)
values (%(record_id)s, 'contribution_batch', %(row_id)s, %(body)s, now())
"""


def prepare(
    families: list[Family], count: int, prefix: str, town: str = TOWN
) -> list[tuple[bytes, dict[str, Any]]]:
    """Staging text and parameters of each batch: everything that is not PostgreSQL's work, done beforehand."""
    by_code = {f.code: f for f in families}
    made = events(families, count, prefix)
    prepared = []
    for body, start in zip(bodies(made, BATCH), range(0, count, BATCH), strict=True):
        lines = []
        for no, event in enumerate(made[start : start + BATCH]):
            family = by_code[event["familyCode"]]
            at = datetime.fromisoformat(event["finishedAt"])
            digest = hashlib.sha256(event["taskId"].encode()).hexdigest()
            lines.append(
                f"{no}\t{event['taskId']}\taward\t{event['taskType']}\tsorting\t{family.household_id}\t{family.person_id}"
                f"\t{event['points'] * 100}\t{at.isoformat()}\t{at.date()}\t{at.year * 100 + at.month}\t\\\\x{digest}\n"
            )
        batch_id = uuid7()
        params = {
            "town": town, "batch_id": str(batch_id), "key": f"{prefix}-{start}", "sha": hashlib.sha256(body).digest(),
            "count": len(lines), "digests": os.urandom(32 * len(lines)), "receipt": "r" * 700,
            "sealed": os.urandom(len(zlib.compress(body, 1)) + 28), "record_id": str(uuid7()), "row_id": str(batch_id),
            "body": os.urandom(600),
        }  # fmt: skip
        prepared.append(("".join(lines).encode(), params))
    return prepared


def _write(dsn: str, prepared: list[tuple[bytes, dict[str, Any]]], start_at: float) -> None:
    connection = psycopg2.connect(dsn)
    with connection.cursor() as cursor:
        cursor.execute(STAGING)
        connection.commit()
        time.sleep(max(0.0, start_at - time.time()))
        for text, params in prepared:
            cursor.copy_expert("copy staging from stdin", io.BytesIO(text))
            cursor.execute(WRITE, params)
            connection.commit()
    connection.close()


def measure(
    dsn: str, families: list[Family], count: int, writers: int, prefix: str, town: str = TOWN
) -> float:
    """Events a second with `writers` connections at once."""
    prepared = prepare(families, count, prefix, town)
    shares = [prepared[n::writers] for n in range(writers)]
    start_at = time.time() + 1.0
    workers = [
        multiprocessing.get_context("fork").Process(target=_write, args=(dsn, share, start_at))
        for share in shares
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        if worker.exitcode:
            raise RuntimeError("a floor writer failed")
    return count / (time.time() - start_at)


__all__ = ["BATCH", "measure"]
