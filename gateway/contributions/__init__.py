"""Contributions: what residents did, as the towns sent it, never changed afterwards.

Owns: contribution_batch, raw_push, contribution, month_sum, quarantined_item, activity_code, changed_batch
Reads: transfer
Never: guesses an activity, changes a row that was written, keeps in the clear what a town sent

A batch is one push; a push of one is a batch of one. Month sums are kept in the same transaction, so that evaluating a
household costs the same after ten years as after one month. A reversal takes from the month of what it reverses.
"""

from gateway.contributions.faults import list_faults
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
    "Claim",
    "Earlier",
    "NewBatch",
    "Posted",
    "claim_keys",
    "find_batch",
    "find_earlier",
    "insert_batches",
    "insert_contributions",
    "item_digest",
    "list_batch_items",
    "list_codes",
    "list_faults",
    "list_first_and_last",
    "list_month_sums",
    "list_posted_scores",
]
