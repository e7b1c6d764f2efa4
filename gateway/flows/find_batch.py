"""The answer to an earlier push, again."""

from __future__ import annotations

from uuid import UUID

from gateway import contributions
from gateway.house import House
from schemas.contributions import ItemAnswer, PushAnswer
from schemas.errors import NotFoundError
from schemas.values import ItemStatus, TownCode


def find_batch(house: House, town: TownCode, client_id: str, batch_id: UUID) -> PushAnswer:
    """Raises NotFoundError when there is no such batch or it is another client's: the two look alike on purpose."""
    with house.db.transaction(read_only=True) as tx:
        row = contributions.find_batch(tx, batch_id)
        if row is None or row.client_id != client_id or row.town != town:
            raise NotFoundError("no such batch", where="batch_id", value=str(batch_id))
        accepted = contributions.list_batch_items(tx, batch_id)
    items = [ItemAnswer(no, reference, ItemStatus.ACCEPTED) for no, reference in accepted]
    items += [ItemAnswer(e[0], e[1], ItemStatus(e[2]), *e[3:]) for e in row.exceptions]
    items.sort(key=lambda i: i.item_no)
    return PushAnswer(row.batch_id, town, row.received_at, items, row.receipt, replayed=True)
