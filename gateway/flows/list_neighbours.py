"""Who is registered: the clients of towns, for the command line and the start page."""

from __future__ import annotations

from gateway import clients
from gateway.clients import RegisteredClient
from gateway.house import House


def list_neighbours(house: House) -> list[RegisteredClient]:
    """Every registered client, by id."""
    with house.db.transaction(read_only=True) as tx:
        return clients.list_clients(tx)
