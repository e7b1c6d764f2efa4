"""What calls to a neighbour found, for all processes: it stands so, it fails, it answers, somebody may try."""

from __future__ import annotations

import logging
import secrets
from datetime import datetime, timedelta

from gateway import neighbours
from gateway.house import House
from gateway.neighbours import Standing

log = logging.getLogger(__name__)

_dice = secrets.SystemRandom()


def note_neighbour(
    house: House, neighbour: str, found: str, *, now: datetime, code: str = ""
) -> Standing | None:
    """`found` is 'looked' (only ask how it stands), 'failed' (its breaker opens), 'answered' (it closes, if it was not), or
    'due' (this process asks to be the one that tries). The standing afterwards; None when another process tries."""
    with house.db.transaction() as tx:
        if found == "failed":
            wait = timedelta(seconds=house.config.breaker_wait_s) * (0.75 + _dice.random() / 2)
            if neighbours.mark_open(tx, neighbour, code=code, wait=wait, now=now):
                log.warning("the breaker of %s opens: %s", neighbour, code)
        elif found == "answered":
            if neighbours.mark_closed(tx, neighbour, now=now):
                log.warning("the breaker of %s closes: it answers again", neighbour)
            else:
                neighbours.mark_answered(tx, neighbour, now=now)
        elif found == "due" and not neighbours.claim_probe(tx, neighbour, now=now):
            return None
        return neighbours.find_standing(tx, neighbour)
