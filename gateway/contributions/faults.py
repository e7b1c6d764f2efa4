"""What the log cannot see by itself: sums and postings that do not follow from the contributions."""

from __future__ import annotations

from gateway.db import Transaction, load_queries
from schemas.records import RowFault

queries = load_queries(__file__)

FAULT_LIMIT = 100


def list_faults(tx: Transaction) -> list[RowFault]:
    """Orphaned contributions, month sums and transfers that differ from the contributions, posted scores that
    are not the sum of their lines; at most FAULT_LIMIT of each."""
    limit = {"limit": FAULT_LIMIT}
    faults = [
        RowFault(
            "contribution",
            f"batch_id {r.row_id}, item_no {r.item_no}",
            "batch_id",
            None,
            "a batch that does not exist",
        )
        for r in tx.all(queries.list_orphans, limit)
    ]
    faults += [
        RowFault(
            "month_sum",
            f"holder_id {r.holder_id}, town {r.town}, person_id {r.person_id}, month {r.month}, {r.category}/{r.kind}",
            "points_centi",
            f"contributions that sum to {r.summed}",
            str(r.stored),
        )
        for r in tx.all(queries.list_month_faults, limit)
    ]
    faults += [
        RowFault(
            "transfer",
            f"cause_id {r.row_id}, cause_no {r.item_no}",
            "accounts, points and time",
            f"what follows from a contribution of {r.meant}",
            f"transfers of {r.moved}"
            if r.moved != r.meant
            else "transfers between other accounts, or at another time",
        )
        for r in tx.all(queries.list_posting_faults, limit)
    ]
    faults += [
        RowFault(
            "contribution",
            f"holder_id {r.holder_id}, town {r.town}, period {r.period}, kind posted_score",
            "points_centi",
            f"lines that sum to {r.lines}",
            f"a posted score of {r.posted}",
        )
        for r in tx.all(queries.list_score_faults, limit)
    ]
    faults += [
        RowFault(
            "scoreboard",
            f"town {r.town}, {r.kind} {r.document_no}",
            "reading",
            f"readings 1 to {r.last}",
            f"{r.stand}",
        )
        for r in tx.all(queries.list_reading_faults, limit)
    ]
    return faults


def list_missing(tx: Transaction) -> list[str]:
    """Days of which a town's file is known to be missing, in words; at most FAULT_LIMIT."""
    rows = tx.tuples(queries.list_missing_days, {"limit": FAULT_LIMIT})
    return [f"the day file of {town} for {missing_on}" for town, missing_on in rows]
