"""What auditors read: one contribution by a town's reference, and what somebody contributed. Each list is bounded."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.db import Row, Transaction, load_queries

queries = load_queries(__file__)


def list_by_reference(tx: Transaction, towns: Sequence[str], reference: str) -> list[Row]:
    """The contributions that these towns sent under this reference: at most one each."""
    return tx.all(queries.list_by_reference, {"towns": "\n".join(towns), "reference": reference})
