"""What must be true of the rows after a storm, asked in SQL of our own: nothing here is the product's word for itself."""

from __future__ import annotations

from typing import Any

import psycopg2

#: fact → a query that lists what contradicts it.
CONTRADICTIONS = {
    "every contribution moved exactly its points, once": """
        select c.reference, c.points_centi, t.moved from contribution c
        left join (select cause_id, cause_no, sum(points_centi) as moved from transfer
                   where cause_kind = 'contribution' group by 1, 2) t
            on t.cause_id = c.batch_id and t.cause_no = c.item_no
        where t.moved is distinct from c.points_centi""",
    "every transfer has its contribution": """
        select t.cause_id, t.cause_no from transfer t
        where t.cause_kind = 'contribution' and not exists (
            select from contribution c where c.batch_id = t.cause_id and c.item_no = t.cause_no)""",
    "every contribution has its batch, and every batch its contributions": """
        select coalesce(b.batch_id, c.batch_id), b.accepted_count, c.found from contribution_batch b
        full join (select batch_id, count(*) as found from contribution group by 1) c using (batch_id)
        where coalesce(b.accepted_count, -1) <> coalesce(c.found, 0)""",
    "every balance is the sum of its transfers": """
        select a.*, s.points from account a full join (
            select town, holder_id, kind, sum(points) as points from (
                select town, credit_holder as holder_id, credit_kind as kind, points_centi as points from transfer
                union all select town, debit_holder, debit_kind, -points_centi from transfer) legs
            where holder_id > 0 group by 1, 2, 3) s using (town, holder_id, kind)
        where coalesce(a.balance_centi, 0) <> coalesce(s.points, 0)""",
    "the ledger sums to zero": """
        select sum(points) from (select points_centi as points from transfer
            union all select -points_centi from transfer) legs having sum(points) <> 0""",
    "what the town issued is what residents hold": """
        select issued, held from
            (select coalesce(sum(case when debit_kind = 'issue' then points_centi else 0 end)
                    - sum(case when credit_kind = 'issue' then points_centi else 0 end), 0) as issued from transfer) i,
            (select coalesce(sum(balance_centi), 0) as held from account) h
        where issued <> held""",
    "month sums equal the contributions": """
        select * from (
            select holder_id, town, person_id, (to_char(occurred_on, 'YYYYMM'))::int as month, category, kind,
                   sum(points_centi) as points, count(*) as items
            from contribution where kind = 'award' group by 1, 2, 3, 4, 5, 6) c
        full join month_sum m using (holder_id, town, person_id, month, category, kind)
        where c.points is distinct from m.points_centi or c.items is distinct from m.items""",
    "every batch has one record, and every record of a batch a batch": """
        select b.batch_id, r.row_id from contribution_batch b
        full join (select row_id from record where kind = 'contribution_batch') r on r.row_id = b.batch_id::text
        where b.batch_id is null or r.row_id is null""",
}


def rows(dsn: str, text: str, params: object = None) -> list[tuple[Any, ...]]:
    """All rows of a query, on a connection of its own."""
    connection = psycopg2.connect(dsn)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(text, params)
            return cursor.fetchall()
    finally:
        connection.close()


def contradictions(dsn: str) -> dict[str, list[tuple[Any, ...]]]:
    """Facts that do not hold, each with at most five rows that say so."""
    return {fact: found[:5] for fact, text in CONTRADICTIONS.items() if (found := rows(dsn, text))}
