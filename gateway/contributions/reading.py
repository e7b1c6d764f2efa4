"""Reads: month sums for policies, batches for towns, codes for adapters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from gateway.db import Row, Transaction, int_array, load_queries
from schemas.values import Category, TownCode

queries = load_queries(__file__)


def list_month_sums(tx: Transaction, holder_ids: Sequence[int], from_month: int) -> list[tuple[Any, ...]]:
    """Rows (holder_id, town, person_id, month, category, kind, points_centi) from `from_month` (yyyymm) on.

    Points are net of reversals: a reversal takes from the month and the kind of what it reverses.
    """
    return tx.tuples(queries.list_month_sums, {"holder_ids": int_array(holder_ids), "from_month": from_month})


def list_first_and_last(tx: Transaction, holder_ids: Sequence[int]) -> list[tuple[Any, ...]]:
    """Rows (holder_id, first_month yyyymm or None, last contribution date or None)."""
    return tx.tuples(queries.list_first_and_last, {"holder_ids": int_array(holder_ids)})


def list_posted_scores(tx: Transaction, holder_ids: Sequence[int], on: date) -> list[tuple[Any, ...]]:
    """Rows (holder_id, town, period, points_centi): what stands now of each period that had been posted by that day."""
    return tx.tuples(queries.list_posted_scores, {"holder_ids": int_array(holder_ids), "on": on})


def list_codes(tx: Transaction, town: TownCode) -> Mapping[str, Category]:
    """Activity codes an operator added for this town."""
    return {
        activity: Category(category) for activity, category in tx.tuples(queries.list_codes, {"town": town})
    }


def find_batch(tx: Transaction, batch_id: UUID) -> Row | None:
    """The batch row (batch_id, town, client_id, received_at, item_count, accepted_count, exceptions, receipt), or None."""
    return tx.find(queries.find_batch, {"batch_id": batch_id})


def list_batches_after(tx: Transaction, town: TownCode, after: UUID, limit: int) -> list[Row]:
    """Batches of a town after a batch id (received_at, item_count, accepted_count, exceptions, corrects, …), in order."""
    return tx.all(queries.list_batches_after, {"town": town, "after": after, "limit": limit})


def list_batch_items(tx: Transaction, batch_id: UUID) -> list[tuple[Any, ...]]:
    """Rows (item_no, reference) of the items of a batch that were accepted."""
    return tx.tuples(queries.list_batch_items, {"batch_id": batch_id})


def find_batch_of(tx: Transaction, client_id: str, idempotency_key: str) -> UUID | None:
    """The batch that was stored under a client's key, or None."""
    row = tx.find(queries.find_batch_of, {"client_id": client_id, "idempotency_key": idempotency_key})
    return None if row is None else row.batch_id
