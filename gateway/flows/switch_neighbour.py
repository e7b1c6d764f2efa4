"""A neighbour is paused for maintenance, and resumed; who and why is in the log."""

from __future__ import annotations

from datetime import datetime

from gateway import neighbours, translog
from gateway.house import House
from schemas.errors import InvalidError

BANK = "bank_core"


def switch_neighbour(house: House, neighbour: str, *, paused: bool, why: str, by: str, now: datetime) -> bool:
    """Pause or resume; False when it stood so already. While paused nothing is said to it: messages wait, and nothing is lost.

    Errors: InvalidError (no such neighbour, no reason, no name).
    """
    known = [*house.readers, BANK]
    if neighbour not in known:
        raise InvalidError(
            "no such neighbour", code="unknown-neighbour", where="neighbour", value=neighbour,
            remedy=f"known are {', '.join(known)}",
        )  # fmt: skip
    if not by.strip() or (paused and not why.strip()):
        raise InvalidError(
            "a pause has a name and a reason", code="reason-needed", where="why", remedy="give both"
        )
    with house.db.transaction() as tx:
        draft = neighbours.insert_switch(
            tx, house.new_id(), neighbour, paused=paused, why=why.strip(), said_by=by.strip(), now=now
        )
        if draft is not None:
            translog.append_records(tx, [draft], now=now, new_id=house.new_id)
    return draft is not None
