"""The answer to an earlier push, asked for by its own serial (查证): what a town does whose answer was lost."""

from __future__ import annotations

from gateway import contributions
from gateway.flows.find_batch import find_batch
from gateway.house import House
from schemas.contributions import PushAnswer
from schemas.errors import NotFoundError
from schemas.values import TownCode


def find_push(house: House, town: TownCode, client_id: str, serial: str) -> PushAnswer:
    """Raises NotFoundError when nothing was stored under this serial, so that it may be sent (again)."""
    with house.db.transaction(read_only=True) as tx:
        batch_id = contributions.find_batch_of(tx, client_id, serial)
    if batch_id is None:
        raise NotFoundError(
            "nothing is stored under this serial", code="serial-unknown", where="serial", value=serial[:128],
            remedy="send the push, if it was meant to be sent",
        )  # fmt: skip
    return find_batch(house, town, client_id, batch_id)
