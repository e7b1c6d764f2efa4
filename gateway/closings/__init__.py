"""Closings: a branch's day once it is closed, and what a town owes for a month once it is settled.

Owns: branch_day, branch_day_line, branch_day_stock
Reads: redemption, redemption_line, redemption_event, stock, stock_movement, good
Never: moves goods or points, changes a closed day; a later reversal is a correcting entry of the day it happens on
"""

from gateway.closings.days import (
    NewDay,
    day_totals,
    find_day,
    find_first_open,
    find_last_day,
    insert_day,
    is_shut,
    list_day_lines,
    list_day_stock,
    list_days,
    list_faults,
    list_pending,
    list_uncounted,
    lock_branch,
    preview_lines,
    preview_stock,
    share_branch,
)

__all__ = [
    "NewDay",
    "day_totals",
    "find_day",
    "find_first_open",
    "find_last_day",
    "insert_day",
    "is_shut",
    "list_day_lines",
    "list_day_stock",
    "list_days",
    "list_faults",
    "list_pending",
    "list_uncounted",
    "lock_branch",
    "preview_lines",
    "preview_stock",
    "share_branch",
]
