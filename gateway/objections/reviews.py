"""Whom the sweep left to a person, because the applicant refuses decisions made only by a machine (PIPL art. 24)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from gateway.db import Row, Transaction, load_queries

queries = load_queries(__file__)


def put_reviews(tx: Transaction, product: str, left: Mapping[int, int], *, now: datetime) -> None:
    """These (subject_id → applicant_id) wait for a person; who waits already keeps their place."""
    if left:
        ids = sorted(left)
        params = {"product": product, "subject_ids": ids, "applicant_ids": [left[i] for i in ids], "now": now}
        tx.run(queries.put_reviews, params)


def end_reviews(tx: Transaction, subject_ids: Sequence[int]) -> None:
    """A person has looked at these, or nobody needs to any more."""
    if subject_ids:
        tx.run(queries.end_reviews, {"subject_ids": list(subject_ids)})


def list_reviews(tx: Transaction, *, applicant_id: int | None = None, limit: int = 500) -> list[Row]:
    """Longest waiting first: subject_id, product, applicant_id, waiting_since."""
    return tx.all(queries.list_reviews, {"applicant_id": applicant_id, "limit": limit})
