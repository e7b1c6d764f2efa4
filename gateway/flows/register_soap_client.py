"""Somebody who may speak for a town over SOAP is registered or replaced; each change is a record in the log."""

from __future__ import annotations

from datetime import datetime

from gateway import clients
from gateway.house import House
from gateway.translog import append_records
from schemas.errors import InvalidError
from schemas.soap import SoapRegistration


def register_soap_client(house: House, asked: SoapRegistration, *, now: datetime) -> bool:
    """Register or replace; False when the client stood exactly so already. Raises InvalidError."""
    service = house.soap_towns.get(asked.town)
    if service is None:
        raise InvalidError(
            "no town of that name comes in by SOAP", where="town", value=asked.town,
            remedy=f"use {', '.join(house.soap_towns) or 'none here'}; `gateway client` registers the others",
        )  # fmt: skip
    with house.db.transaction() as tx:
        draft = clients.insert_soap_client(
            tx, house.keys, asked, service.security, now=now, change_id=house.new_id()
        )
        if draft is not None:
            append_records(tx, [draft], now=now, new_id=house.new_id)
    return draft is not None
