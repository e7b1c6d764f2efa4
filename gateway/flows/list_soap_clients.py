"""Who may speak over SOAP, for the operator."""

from __future__ import annotations

from gateway import clients
from gateway.clients import SoapClient
from gateway.house import House


def list_soap_clients(house: House) -> list[SoapClient]:
    """By client id, enabled or not."""
    with house.db.transaction(read_only=True) as tx:
        return clients.list_soap_clients(tx)
