"""A town's OAuth client is registered, replaced, or switched off and on; each change is a record in the
log."""

from __future__ import annotations

from datetime import datetime

from gateway import clients
from gateway.house import House
from gateway.translog import append_records
from schemas.errors import InvalidError
from schemas.oauth import ClientRegistration


def register_client(house: House, asked: ClientRegistration, *, now: datetime) -> bool:
    """Register or replace; False when the client stood exactly so already. Raises InvalidError."""
    if asked.town not in house.readers:
        raise InvalidError(
            "no adapter speaks for that town",
            where="town",
            value=asked.town,
            remedy=f"use {', '.join(house.readers)}",
        )
    with house.db.transaction() as tx:
        draft = clients.insert_client(tx, asked, now=now, change_id=house.new_id())
        if draft is not None:
            append_records(tx, [draft], now=now, new_id=house.new_id)
    return draft is not None
