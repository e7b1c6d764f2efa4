"""Settlements: a town's day statement compared with what stands with us, and every difference until it is settled.

Owns: reconciliation, difference_change, reconciled_day, line_elsewhere, statement_line
Reads: contribution, contribution_batch, quarantined_item, redemption_leg
Never: moves points, changes what was received, calls a town, keeps an account in the town's words

A difference is one reference of one town. Its rows are only added to; the last one is how it stands. States: open → explained
(somebody said why) → closed (both sides agree now, or somebody closed it) → open again when it is seen again.
"""

from gateway.settlements.comparing import Compared, NewRun, compare_day, insert_lines, lock_town
from gateway.settlements.standing import (
    count_differences,
    find_day,
    insert_word,
    list_differences,
    list_due_days,
    list_faults,
    list_last_days,
)

__all__ = [
    "Compared",
    "NewRun",
    "compare_day",
    "count_differences",
    "find_day",
    "insert_lines",
    "insert_word",
    "list_differences",
    "list_due_days",
    "list_faults",
    "list_last_days",
    "lock_town",
]
