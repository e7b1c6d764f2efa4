"""The ledger: points as transfers between accounts; the sum is zero by construction.

Owns: account, transfer, hold
Reads: household_code, membership, consent
Never: sets a balance; PostgreSQL moves balances when, and only when, a transfer is written

A town's points are that town's unit and are never added to another town's. What a late deduction cannot take, because it
was spent, is owed: later points pay it first, and it is not spendable.
"""

from gateway.ledger.holds import NewHold, list_open_holds, open_holds, post_holds, reverse_holds, void_holds
from gateway.ledger.posting import (
    Balance,
    Movement,
    Standing,
    list_faults,
    list_spendable,
    list_standing,
    lock_accounts,
    open_accounts,
    post,
)

__all__ = [
    "Balance",
    "Movement",
    "NewHold",
    "Standing",
    "list_faults",
    "list_open_holds",
    "list_spendable",
    "list_standing",
    "lock_accounts",
    "open_accounts",
    "open_holds",
    "post",
    "post_holds",
    "reverse_holds",
    "void_holds",
]
