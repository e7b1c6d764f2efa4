"""What outsiders need to check the records of redemptions: they hide nothing, so only which records there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from gateway.db import Transaction
from gateway.redemptions.keeping import EVENT, queries
from schemas.evidence import Opening

MOST = 2000


class Taken(NamedTuple):
    """The records of some redemptions by (kind, row id), and what they took: (good_id, town, business day as 2026-11-24)."""

    openings: dict[tuple[str, str], Opening]
    priced: list[tuple[str, str, str]]


def list_redemption_ids(tx: Transaction, person_id: int) -> list[UUID]:
    """Redemptions for a person, or that a person fetched for somebody, oldest first; at most MOST."""
    params = {"person_id": person_id, "limit": MOST}
    return [redemption_id for (redemption_id,) in tx.tuples(queries.list_ids_of_person, params)]


def open_redemptions(tx: Transaction, redemption_ids: Sequence[UUID]) -> Taken:
    """Two statements whatever the number."""
    params = {"redemption_ids": list(redemption_ids)}
    found = tx.tuples(queries.list_event_ids_of, params)
    priced = [tuple(row) for row in tx.tuples(queries.list_priced, params)]
    return Taken({(EVENT, event_id): Opening() for (event_id,) in found}, priced)
