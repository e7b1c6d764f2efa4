"""What outsiders need to check what a redemption did to the stock, and which price counted. Nothing of it is hidden."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from gateway.db import Transaction
from gateway.goods.catalogue import PRICE_SET, queries
from gateway.goods.register import MOVED
from schemas.evidence import Opening


def open_goods(
    tx: Transaction, cause_ids: Sequence[UUID], priced: Sequence[tuple[str, str, str]]
) -> dict[tuple[str, str], Opening]:
    """By (kind, row id): movements with these causes, and the price of each (good_id, town, day) that counted."""
    moved = tx.tuples(queries.list_moves_of_causes, {"cause_ids": list(cause_ids)})
    columns = list(zip(*priced, strict=True)) or [(), (), ()]
    params = {"good_ids": list(columns[0]), "towns": list(columns[1]), "days": list(columns[2])}
    prices = tx.tuples(queries.list_prices_that_counted, params)
    return {
        **{(PRICE_SET, price_id): Opening() for (price_id,) in prices},
        **{(MOVED, row_id): Opening() for (row_id,) in moved},
    }
