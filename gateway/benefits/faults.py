"""What the log cannot see by itself: a proposal in a state its events do not lead to, a quota nobody used."""

from __future__ import annotations

from gateway.db import Transaction, load_queries
from schemas.records import RowFault

queries = load_queries(__file__)

FAULT_LIMIT = 100


def list_faults(tx: Transaction) -> list[RowFault]:
    """Proposals that are not where their events lead, quotas that are not the sum of their uses; at most FAULT_LIMIT each."""
    quotas = [
        RowFault(
            "quota", f"programme {r.programme}", "used_fen", f"uses that sum to {r.summed}", str(r.stored)
        )
        for r in tx.all(queries.list_quota_faults, {"limit": FAULT_LIMIT})
    ]
    return quotas + [
        RowFault("proposal", f"proposal_id {r.row_id}", "state", f"events that lead to {r.last}", r.state)
        for r in tx.all(queries.list_state_faults, {"limit": FAULT_LIMIT})
    ]
