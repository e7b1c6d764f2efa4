"""Contributions: what residents did, as the towns sent it, never changed afterwards.

Owns: contribution_batch, raw_push, contribution, month_sum, quarantined_item, quarantine_reading, activity_code, changed_batch,
    scoreboard, day_file, day_file_since
Reads: transfer, membership, record
Never: guesses an activity, changes a row that was written, keeps in the clear what a town sent

A batch is one push; a push of one is a batch of one. Month sums are kept in the same transaction, so that evaluating a
household costs the same after ten years as after one month. A reversal takes from the month of what it reverses.
"""

from gateway.contributions.codes import insert_code, list_code_rows
from gateway.contributions.day_files import (
    TakenFile,
    find_day_file,
    insert_day_file,
    list_day_files,
    list_days_due,
)
from gateway.contributions.digests import item_digest
from gateway.contributions.faults import list_faults, list_missing
from gateway.contributions.history import list_by_reference, list_happenings, list_of_batch
from gateway.contributions.opening import open_contributions
from gateway.contributions.quarantine import (
    FIRST,
    Expired,
    Place,
    Waiting,
    count_quarantined,
    end_keeping,
    find_reading,
    list_expired,
    list_kept_items,
    list_open,
    list_quarantined,
    list_raw,
    list_standing_batches,
    lock_open,
    mark_released,
    put_raw,
    put_reading,
    remove_expired,
)
from gateway.contributions.reading import (
    find_batch,
    find_batch_of,
    list_batch_items,
    list_batches_after,
    list_codes,
    list_first_and_last,
    list_month_sums,
    list_posted_scores,
)
from gateway.contributions.scoreboards import (
    CORRECTION,
    LIST,
    NewScoreboard,
    Quarter,
    Standing,
    find_latest_posted,
    find_newer,
    find_scoreboard,
    insert_scoreboard,
    is_listed,
    list_listed,
    list_standing,
    list_waiting_lists,
    lock_quarter,
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
)

__all__ = [
    "CORRECTION",
    "FIRST",
    "LIST",
    "Claim",
    "Earlier",
    "Expired",
    "NewBatch",
    "NewScoreboard",
    "Place",
    "Posted",
    "Quarter",
    "Standing",
    "TakenFile",
    "Waiting",
    "claim_keys",
    "count_quarantined",
    "end_keeping",
    "find_batch",
    "find_batch_of",
    "find_day_file",
    "find_earlier",
    "find_latest_posted",
    "find_newer",
    "find_reading",
    "find_scoreboard",
    "insert_batches",
    "insert_code",
    "insert_contributions",
    "insert_day_file",
    "insert_scoreboard",
    "is_listed",
    "item_digest",
    "list_batch_items",
    "list_batches_after",
    "list_by_reference",
    "list_code_rows",
    "list_codes",
    "list_day_files",
    "list_days_due",
    "list_expired",
    "list_faults",
    "list_first_and_last",
    "list_happenings",
    "list_kept_items",
    "list_listed",
    "list_missing",
    "list_month_sums",
    "list_of_batch",
    "list_open",
    "list_posted_scores",
    "list_quarantined",
    "list_raw",
    "list_standing",
    "list_standing_batches",
    "list_waiting_lists",
    "lock_open",
    "lock_quarter",
    "mark_released",
    "open_contributions",
    "put_raw",
    "put_reading",
    "remove_expired",
]
