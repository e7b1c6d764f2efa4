"""Posting transfers. Hot: whole pushes at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from gateway.db import Transaction, int_array, load_queries
from schemas.records import RowFault
from schemas.values import TownCode

queries = load_queries(__file__)

FAULT_LIMIT = 100


class Movement(NamedTuple):
    """One change of what a holder may spend: positive gives, negative takes. `other` is the account on the other side."""

    cause_id: UUID | str
    cause_no: int
    holder_id: int
    points_centi: int
    other: str  # 'issue' (the town) or 'spent' (the holder's own spent account)


class Balance(NamedTuple):
    """A holder's available points and what they owe (zero or negative)."""

    available_centi: int
    owed_centi: int


def open_accounts(tx: Transaction, town: TownCode, holder_ids: Sequence[int]) -> None:
    """Accounts of new holders, at zero. Saying it twice changes nothing."""
    if holder_ids:
        tx.later(queries.open_accounts, {"town": town, "holders": int_array(holder_ids)})


def lock_accounts(
    tx: Transaction, town: TownCode, holder_ids: Iterable[int], *, taking: bool
) -> dict[int, Balance]:
    """What the holders have and owe. When something is to be taken (`taking`), their accounts are locked, in one order.

    Holders without an entry have nothing. When only giving, available balances are not read: they do not matter.
    """
    params = {"town": town, "holders": int_array(sorted(holder_ids))}
    available = dict(tx.tuples(queries.lock_available, params)) if taking else {}
    owing = dict(
        tx.tuples(queries.list_owing, params)
    )  # after the lock: whoever changes it holds the lock first
    return {h: Balance(available.get(h, 0), owing.get(h, 0)) for h in {*available, *owing}}


def post(
    tx: Transaction,
    town: TownCode,
    movements: Sequence[Movement],
    locked: dict[int, Balance],
    *,
    now: datetime,
) -> int:
    """Write the transfers of `movements` in their order; the number of rows.

    What cannot be taken from available is taken from owed; what comes in pays owed first. `locked` comes from
    `lock_accounts` in the same transaction. Raises ConflictError (from the session) when a cause was posted already.
    """
    at = now.isoformat()
    lines: list[str] = []
    standing = {holder: [b.available_centi, b.owed_centi] for holder, b in locked.items()}
    for move in movements:
        balance = standing.get(move.holder_id)
        if balance is None:
            balance = standing[move.holder_id] = [0, 0]
        head = f"{move.cause_id}\t{move.cause_no}"
        holder, other = move.holder_id, f"{0 if move.other == 'issue' else move.holder_id}\t{move.other}"
        points = move.points_centi
        if points > 0:
            first, second = min(points, -balance[1]), 0
            second = points - first
            if first:
                lines.append(f"{head}\t0\tcontribution\t{town}\t{other}\t{holder}\towed\t{first}\t{at}")
            if second:
                lines.append(f"{head}\t1\tcontribution\t{town}\t{other}\t{holder}\tavailable\t{second}\t{at}")
            balance[1] += first
            balance[0] += second
        else:
            first = min(-points, balance[0])
            second = -points - first
            if first:
                lines.append(f"{head}\t0\tcontribution\t{town}\t{holder}\tavailable\t{other}\t{first}\t{at}")
            if second:
                lines.append(f"{head}\t1\tcontribution\t{town}\t{holder}\towed\t{other}\t{second}\t{at}")
            balance[0] -= first
            balance[1] -= second
    if not lines:
        return 0
    count = len(lines)
    lines.append("")
    tx.copy_in(queries.copy_transfers, "\n".join(lines).encode())
    return count


def list_spendable(tx: Transaction, holder_ids: Sequence[int]) -> list[tuple[int, str, int]]:
    """Rows (holder_id, town, points_centi): available less owed; may be negative while something is owed."""
    return [(h, t, p) for h, t, p in tx.tuples(queries.list_spendable, {"holders": int_array(holder_ids)})]


class Standing(NamedTuple):
    """What stands of a holder in a town. Spendable is available less owed: negative while more is owed than there is."""

    spendable_centi: int = 0
    held_centi: int = 0
    owed_centi: int = 0


def list_standing(tx: Transaction, holder_ids: Sequence[int]) -> dict[tuple[int, str], Standing]:
    """What stands by (holder_id, town)."""
    rows = tx.tuples(queries.list_standing, {"holders": int_array(holder_ids)})
    return {(holder, town): Standing(*counts) for holder, town, *counts in rows}


def list_faults(tx: Transaction) -> list[RowFault]:
    """Accounts of nobody, whose balance is not the sum of their transfers, or whose held points are not their open holds."""
    sums = [
        RowFault("account", f"town {row.town}, holder_id {row.holder_id}, kind {row.kind}", "balance_centi",
                 f"transfers that sum to {row.summed}", str(row.stored))
        for row in tx.all(queries.list_balance_faults, {"limit": FAULT_LIMIT})
    ]  # fmt: skip
    sums += [
        RowFault("account", f"town {row.town}, holder_id {row.holder_id}, kind {row.kind}", None,
                 "a registered holder", row.found)
        for row in tx.all(queries.list_account_faults, {"limit": FAULT_LIMIT})
    ]  # fmt: skip
    return sums + [
        RowFault("hold", f"town {row.town}, holder_id {row.holder_id}", "points_centi",
                 f"a held account of {row.stored}", f"open holds of {row.summed}")
        for row in tx.all(queries.list_hold_faults, {"limit": FAULT_LIMIT})
    ]  # fmt: skip
