"""Contributions: what residents did, as the towns sent it, never changed afterwards.

Owns: contribution_batch, raw_push, contribution, month_sum, quarantined_item, quarantine_reading, activity_code, changed_batch
Reads: transfer
Never: guesses an activity, changes a row that was written, keeps in the clear what a town sent

A batch is one push; a push of one is a batch of one. Month sums are kept in the same transaction, so that evaluating a
household costs the same after ten years as after one month. A reversal takes from the month of what it reverses.
"""

from gateway.contributions.codes import insert_code, list_code_rows
from gateway.contributions.faults import list_faults
from gateway.contributions.quarantine import (
    FIRST,
    Expired,
    Place,
    Waiting,
    count_quarantined,
    end_keeping,
    find_reading,
    list_expired,
    list_open,
    list_quarantined,
    list_raw,
    list_standing_batches,
    lock_open,
    mark_released,
    put_reading,
    remove_expired,
)
from gateway.contributions.reading import (
    find_batch,
    list_batch_items,
    list_codes,
    list_first_and_last,
    list_month_sums,
    list_posted_scores,
)
from gateway.contributions.writing import (
    Claim,
    Earlier,
    NewBatch,
    Posted,
    claim_keys,
    find_earlier,
    insert_batches,
    insert_contributions,
    item_digest,
)

__all__ = [
    "FIRST",
    "Claim",
    "Earlier",
    "Expired",
    "NewBatch",
    "Place",
    "Posted",
    "Waiting",
    "claim_keys",
    "count_quarantined",
    "end_keeping",
    "find_batch",
    "find_earlier",
    "find_reading",
    "insert_batches",
    "insert_code",
    "insert_contributions",
    "item_digest",
    "list_batch_items",
    "list_code_rows",
    "list_codes",
    "list_expired",
    "list_faults",
    "list_first_and_last",
    "list_month_sums",
    "list_open",
    "list_posted_scores",
    "list_quarantined",
    "list_raw",
    "list_standing_batches",
    "lock_open",
    "mark_released",
    "put_reading",
    "remove_expired",
]
