"""The catalogue is written: goods with their words and limits, and what each costs in a town's points by agreement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from gateway import goods
from gateway.house import House
from gateway.translog import append_records
from schemas.errors import InvalidError
from schemas.goods import NewGood, NewPrice


def offer_goods(
    house: House, news: Sequence[NewGood], prices: Sequence[NewPrice], *, by: str, now: datetime
) -> dict[str, UUID]:
    """All of it or nothing; the ids of the goods by their code. Twice is once. Raises InvalidError, NotFoundError."""
    unknown = sorted({price.town for price in prices} - house.readers.keys())
    if unknown:
        raise InvalidError("no adapter speaks for that town", where="town", value=" ".join(unknown))
    with house.db.transaction() as tx:
        ids = {new.code: goods.insert_good(tx, new, now=now, good_id=house.new_id()) for new in news}
        drafts = [goods.set_price(tx, price, by=by, now=now, price_id=house.new_id()) for price in prices]
        written = [draft for draft in drafts if draft is not None]
        append_records(tx, written, now=now, new_id=house.new_id)
    return ids
