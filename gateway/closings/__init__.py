"""Closings: a branch's day once it is closed, and what a town owes for a month once it is settled.

Owns: branch_day, branch_day_line, branch_day_stock, town_month, town_month_line, town_month_difference
Reads: redemption, redemption_leg, redemption_line, redemption_event, stock, stock_movement, good, good_price, account
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
    list_day_faults,
    list_day_lines,
    list_day_stock,
    list_days,
    list_pending,
    list_uncounted,
    lock_branch,
    preview_lines,
    preview_stock,
    share_branch,
)
from gateway.closings.months import (
    Explained,
    NewMonth,
    find_month,
    first_of,
    insert_month,
    lines_sha256,
    list_given,
    list_month_differences,
    list_month_faults,
    list_month_lines,
    list_months,
    list_open_days,
    list_serials,
    list_traded_months,
    lock_month,
    preview_month,
    sum_outstanding,
    sum_trade,
)
from gateway.db import Transaction
from schemas.records import RowFault

__all__ = [
    "Explained",
    "NewDay",
    "NewMonth",
    "day_totals",
    "find_day",
    "find_first_open",
    "find_last_day",
    "find_month",
    "first_of",
    "insert_day",
    "insert_month",
    "is_shut",
    "lines_sha256",
    "list_day_lines",
    "list_day_stock",
    "list_days",
    "list_faults",
    "list_given",
    "list_month_differences",
    "list_month_lines",
    "list_months",
    "list_open_days",
    "list_pending",
    "list_serials",
    "list_traded_months",
    "list_uncounted",
    "lock_branch",
    "lock_month",
    "preview_lines",
    "preview_month",
    "preview_stock",
    "share_branch",
    "sum_outstanding",
    "sum_trade",
]


def list_faults(tx: Transaction) -> list[RowFault]:
    """Closed days and settled months that are not what redemptions and the register come to."""
    return list_day_faults(tx) + list_month_faults(tx)
