"""A message at a town's SOAP door: who sent it, is it whole and lately made, was it used before?

The list of who may speak is at most PARTIES_FRESH_S old in a process: a disabled client is refused within that time. A message
that passes is remembered in the database until its own age refuses it, so a replay is refused after a restart and everywhere.
"""

from __future__ import annotations

import time
from datetime import datetime

from gateway import clients
from gateway.house import House
from schemas.errors import UnauthenticatedError
from schemas.soap import SoapCall, SoapParty, SoapRequest
from schemas.values import TownCode

PARTIES_FRESH_S = 2.0


def authorize_soap(house: House, town: TownCode, request: SoapRequest, *, now: datetime) -> SoapCall:
    """The call behind a message. Two short transactions at most; the message is opened outside of both.

    Errors: InvalidError, NotFoundError (the message), UnauthenticatedError (who sent it, when; replays), ForbiddenError.
    Nothing of the message was stored, except for a replay id when it passed."""
    call = house.soap_towns[town].open(request, _parties(house, town), now)
    with house.db.transaction() as tx:
        fresh = clients.insert_soap_message(tx, call.replay_id, call.client_id, call.replay_until)
    if not fresh:
        raise UnauthenticatedError(
            "this message was used before", code="message-replayed", where="Security",
            remedy="to send the same content again, make a new Timestamp or nonce and sign it again: the first answer is given",
        )  # fmt: skip
    return call


def _parties(house: House, town: TownCode) -> tuple[SoapParty, ...]:
    memory = clients.memory_of(house.db, house.config.token_keys)
    at = time.monotonic()
    known = memory.soap_parties.get(town)
    if known is not None and at - known[0] < PARTIES_FRESH_S:
        return known[1]
    with house.db.transaction(read_only=True) as tx:
        found = clients.list_soap_clients(tx, town)
    parties = tuple(clients.party_of(client, house.keys) for client in found if client.enabled)
    memory.soap_parties[town] = (at, parties)
    return parties
