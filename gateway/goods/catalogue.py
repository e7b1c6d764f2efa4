"""What there is and what it costs. A price is set from a day on, never edited; the latest begun counts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from gateway.db import Row, Transaction, load_queries
from schemas.errors import InvalidError, NotFoundError
from schemas.goods import GOOD_CODE, PERIODS, PICTURES, NewGood, NewPrice, Offer
from schemas.records import RecordBody, RecordDraft
from schemas.values import TownCode, instant_text

queries = load_queries(__file__)
PRICE_SET = "good_price_set"


def find_good(tx: Transaction, code: str) -> Row | None:
    """The good with this code."""
    return tx.find(queries.find_good, {"code": code})


def list_goods(tx: Transaction, limit: int = 1000) -> list[Row]:
    """Goods by code."""
    return tx.all(queries.list_goods, {"limit": limit})


def insert_good(tx: Transaction, new: NewGood, *, now: datetime, good_id: UUID) -> UUID:
    """Add a good, or give the one with this code other words. Raises InvalidError."""
    if not GOOD_CODE.fullmatch(new.code):
        raise InvalidError(
            "a code has 1 to 24 capital letters, digits and dashes", where="code", value=new.code[:40]
        )
    for where, name in (("name_zh", new.name_zh), ("name_en", new.name_en)):
        if not 1 <= len(name.strip()) <= 60 or not name.isprintable():
            raise InvalidError("a name has 1 to 60 characters", where=where, value=new.code)
    if new.limit_period not in PERIODS:
        raise InvalidError(
            f"a period is one of {', '.join(PERIODS)}", where="limit_period", value=new.limit_period
        )
    if new.picture not in PICTURES:
        raise InvalidError(f"a picture is one of {', '.join(PICTURES)}", where="picture", value=new.picture)
    if new.low_stock_count < 0 or new.limit_count < 0:
        raise InvalidError("a count is zero or more", where="limit_count", value=new.code)
    found: UUID = tx.one(queries.insert_good, {**new._asdict(), "good_id": good_id, "now": now}).good_id
    return found


def set_price(
    tx: Transaction, new: NewPrice, *, by: str, now: datetime, price_id: UUID
) -> RecordDraft | None:
    """From its day on a good costs this; None when it does already. Raises InvalidError, NotFoundError."""
    good = find_good(tx, new.code)
    if good is None:
        raise NotFoundError("no good has this code", where="code", value=new.code[:40])
    if new.price_centi <= 0 or new.settle_fen < 0 or not new.agreement.strip():
        raise InvalidError("a price needs points, an amount and an agreement", where="price", value=new.code)
    before = tx.find(queries.find_price, {"good_id": good.good_id, "town": new.town})
    if before is not None:
        same = (before.price_centi, before.settle_fen, before.agreement)
        if same == (new.price_centi, new.settle_fen, new.agreement):
            return None
        if new.valid_from_on <= before.valid_from_on:
            raise InvalidError(
                "a price begins after the one before it",
                where="valid_from_on",
                value=new.valid_from_on.isoformat(),
                remedy=f"use a day after {before.valid_from_on}",
            )
    params = {**new._asdict(), "price_id": price_id, "good_id": good.good_id, "set_by": by, "now": now}
    tx.run(queries.insert_price, params)
    return RecordDraft(PRICE_SET, str(price_id), price_body(_AsRow({**params, "recorded_at": now})))


class _AsRow:
    """Parameters with the names of a row's columns."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)


def price_body(row: Any) -> RecordBody:
    """The body of a good_price_set record."""
    return {
        "good_id": str(row.good_id),
        "town": row.town,
        "valid_from_on": row.valid_from_on.isoformat(),
        "price_centi": row.price_centi,
        "settle_fen": row.settle_fen,
        "agreement": row.agreement,
        "set_by": row.set_by,
        "recorded_at": instant_text(row.recorded_at),
    }


def list_offers(tx: Transaction, branch_no: str, towns: Sequence[TownCode], on: date) -> list[Offer]:
    """What can be had on that day at that branch with these towns' points, in stock or not."""
    rows = tx.tuples(queries.list_offers, {"branch_no": branch_no, "towns": list(towns), "on": on})
    return [Offer(*row) for row in rows]
