"""A town's SOAP client is disabled (refused within two seconds) or enabled again; a record in the log says so."""

from __future__ import annotations

from datetime import datetime

from gateway import clients
from gateway.house import House
from gateway.translog import append_records


def switch_soap_client(house: House, client_id: str, enabled: bool, *, now: datetime) -> bool:
    """False when it already was so. Raises NotFoundError."""
    with house.db.transaction() as tx:
        draft = clients.mark_soap_client_enabled(tx, client_id, enabled, now=now, change_id=house.new_id())
        if draft is not None:
            append_records(tx, [draft], now=now, new_id=house.new_id)
    return draft is not None
