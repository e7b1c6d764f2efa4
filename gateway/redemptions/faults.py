"""What the log cannot see by itself: holds and transfers that do not follow from how their redemption went."""

from __future__ import annotations

from gateway.db import Transaction, load_queries
from schemas.records import RowFault

queries = load_queries(__file__)

FAULT_LIMIT = 100


def list_faults(tx: Transaction) -> list[RowFault]:
    """Holds and transfers that differ from the redemptions' events; at most FAULT_LIMIT of each."""
    holds = [
        RowFault("hold", f"hold_id {r.hold_id}", None, r.meant, r.found)
        for r in tx.all(queries.list_hold_faults, {"limit": FAULT_LIMIT})
    ]
    holds += [
        RowFault(
            "redemption_event",
            f"redemption_id {r.redemption_id}",
            "event_no",
            f"events 1 to {r.last}",
            f"{r.stand}",
        )
        for r in tx.all(queries.list_event_gaps, {"limit": FAULT_LIMIT})
    ]
    return holds + [
        RowFault("transfer", f"cause_id {r.cause_id}, cause_no {r.cause_no}", "accounts, points and time",
                 f"what follows from a redemption's part of {r.meant}",
                 f"transfers of {r.moved}" if r.moved != r.meant else "transfers between other accounts, or at another time")
        for r in tx.all(queries.list_moved_faults, {"limit": FAULT_LIMIT})
    ]  # fmt: skip
