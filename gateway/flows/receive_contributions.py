"""Points arrive: a push in a town's words becomes contributions, transfers, month sums and one record, in one transaction."""

from __future__ import annotations

from datetime import datetime

from gateway.flows._combining import SMALL_BYTES, Combiner
from gateway.flows._receiving import receive_together
from gateway.house import House
from schemas.contributions import Push, PushAnswer
from schemas.errors import GatewayError

_combiner = Combiner(receive_together)


def receive_contributions(house: House, push: Push, *, now: datetime) -> PushAnswer:
    """Receive one push. The answer stands only after its transaction committed.

    Errors: InvalidError (the document cannot be read), RefusedError `idempotency-key-reused` (same key, other payload),
    ConflictError `idempotency-in-progress`, UnavailableError (nothing happened), OutcomeUnknownError (send the same again).
    """
    if len(push.body) <= SMALL_BYTES:
        return _combiner.receive(house, push, now)
    outcome = receive_together(house, [push], now)[0]
    if isinstance(outcome, GatewayError):
        raise outcome
    return outcome
