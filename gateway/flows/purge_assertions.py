"""Used assertions and SOAP messages that are refused by their own age are forgotten; for a job."""

from __future__ import annotations

from datetime import datetime

from gateway import clients
from gateway.house import House


def purge_assertions(house: House, *, now: datetime) -> int:
    """How many were forgotten."""
    with house.db.transaction() as tx:
        return clients.delete_expired_assertions(tx, now) + clients.delete_expired_soap_messages(tx, now)
