"""Two-phase transfers: points set aside (held), then posted as redeemed or given back. One row of `hold` each.

Posting and giving back are the same cause under the same number, so PostgreSQL refuses the second of the two whichever it is.
What the town has frozen and our books do not know of yet is held all the same: the town's freeze is what guarantees it; the
difference is owed until the town's next push, and pays itself as any other (`posting.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from gateway.db import Row, Transaction, copy_text
from gateway.ledger.posting import lock_accounts, open_accounts, queries
from schemas.values import TownCode

OPENED, ENDED = 0, 1  # cause_no of a hold's transfers


class NewHold(NamedTuple):
    """Points of a holder in a town to set aside."""

    hold_id: UUID
    town: TownCode
    holder_id: int
    points_centi: int
    expires_at: datetime


def open_holds(tx: Transaction, holds: Sequence[NewHold], *, now: datetime) -> dict[UUID, int]:
    """Set points aside; what each hold took that our books did not have (owed now).

    Raises ConflictError for a hold opened before."""
    short: dict[UUID, int] = {}
    rows, lines = [], []
    for hold in sorted(holds, key=lambda h: (h.holder_id, h.town)):
        open_accounts(tx, hold.town, [hold.holder_id])
        balance = lock_accounts(tx, hold.town, [hold.holder_id], taking=True).get(hold.holder_id)
        available = balance.available_centi if balance else 0
        taken = min(available, hold.points_centi)
        short[hold.hold_id] = hold.points_centi - taken
        for leg, (kind, points_centi) in enumerate((("available", taken), ("owed", short[hold.hold_id]))):
            if points_centi:
                lines.append(
                    (hold.hold_id, OPENED, leg, "hold", hold.town, hold.holder_id, kind,
                     hold.holder_id, "held", points_centi, now.isoformat())
                )  # fmt: skip
        rows.append(
            (
                hold.hold_id,
                hold.town,
                hold.holder_id,
                hold.points_centi,
                hold.expires_at.isoformat(),
                now.isoformat(),
            )
        )
    tx.copy_in(queries.copy_holds, copy_text(rows))
    tx.copy_in(queries.copy_transfers, copy_text(lines))
    return short


def post_holds(tx: Transaction, hold_ids: Sequence[UUID], *, now: datetime) -> None:
    """What was held is redeemed. Raises ConflictError for a hold that ended before."""
    lines = [
        (row.hold_id, ENDED, 0, "post", row.town, row.holder_id, "held", row.holder_id, "redeemed", row.points_centi,
         now.isoformat())
        for row in _end(tx, hold_ids, "posted", now)
    ]  # fmt: skip
    tx.copy_in(queries.copy_transfers, copy_text(lines))


def void_holds(tx: Transaction, hold_ids: Sequence[UUID], *, now: datetime, expired: bool = False) -> None:
    """What was held goes back. Raises ConflictError for a hold that ended before."""
    _give_back(tx, _end(tx, hold_ids, "expired" if expired else "voided", now), "held", "void", ENDED, now)


def reverse_holds(tx: Transaction, hold_ids: Sequence[UUID], *, now: datetime) -> None:
    """What was redeemed goes back. Raises ConflictError for one that was reversed before."""
    rows = tx.all(queries.list_holds, {"hold_ids": list(hold_ids)})
    _give_back(tx, rows, "redeemed", "reversal", ENDED + 1, now)


def list_open_holds(tx: Transaction, holder_ids: Sequence[int]) -> list[Row]:
    """Rows (holder_id, town, points_centi, expires_at) of what is set aside now, the first to end first."""
    return tx.all(queries.list_open_holds, {"holders": list(holder_ids)})


def _end(tx: Transaction, hold_ids: Sequence[UUID], state: str, now: datetime) -> list[Row]:
    return tx.all(queries.end_holds, {"hold_ids": list(hold_ids), "state": state, "now": now})


def _give_back(
    tx: Transaction, rows: Sequence[Row], source: str, cause_kind: str, cause_no: int, now: datetime
) -> None:
    """To available, after what is owed."""
    lines = []
    for row in sorted(rows, key=lambda r: (r.holder_id, r.town)):
        town, holder_id, points_centi = TownCode(row.town), row.holder_id, row.points_centi
        balance = lock_accounts(tx, town, [holder_id], taking=True).get(holder_id)
        owed = min(points_centi, -balance.owed_centi) if balance else 0
        for leg, (kind, part_centi) in enumerate((("owed", owed), ("available", points_centi - owed))):
            if part_centi:
                lines.append(
                    (row.hold_id, cause_no, leg, cause_kind, town, holder_id, source,
                     holder_id, kind, part_centi, now.isoformat())
                )  # fmt: skip
    if lines:
        tx.copy_in(queries.copy_transfers, copy_text(lines))
