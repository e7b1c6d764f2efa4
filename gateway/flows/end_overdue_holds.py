"""Holds end by themselves: what was frozen and not confirmed in time is free again ‖ the towns give the points back.

A town may end its part first and say so (the event `freeze.expired`): then the redemption ends here too, before the clerk
confirms what is no longer set aside.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from uuid import UUID

from gateway import feeds, redemptions
from gateway.db import Transaction
from gateway.flows._asking_towns import drive, lock_and_move
from gateway.flows._redemption_moves import GATEWAY, ticking
from gateway.house import House
from gateway.redemptions import RedemptionEvent
from schemas.redemptions import Aim, RedemptionState
from schemas.values import Serial

HEARD_WITHIN = timedelta(hours=1)  # longer than a hold lasts: what ended before is no longer frozen here


def end_overdue_holds(house: House, *, now: datetime, limit: int = 200) -> dict[str, int]:
    """End them; counted by the state it led to. A town that said its part has ended is told to give back all the same, and
    answers what it did. Killed while a town is asked: `settle_redemptions` goes on."""
    counts: Counter[str] = Counter()
    with house.db.transaction() as tx:
        overdue = redemptions.claim_overdue(tx, limit, now=now)
        ended = [found for found in _list_ended(house, tx, now) if found not in overdue]
    for redemption_id in [*overdue, *ended]:
        code = "town-ended" if redemption_id in ended else "hold-ended"
        redemption = lock_and_move(
            house, redemption_id, RedemptionEvent.RELEASE_NEEDED,
            states=frozenset({RedemptionState.FROZEN}), actor=GATEWAY, code=code, aim=Aim.RELEASE, now=now,
        )  # fmt: skip
        if redemption is not None:
            counts[str(drive(house, redemption, actor=GATEWAY, clock=ticking(now)).state)] += 1  # ‖
    return dict(counts)


def _list_ended(house: House, tx: Transaction, now: datetime) -> list[UUID]:
    """Redemptions still frozen here of which a town said that its part has ended."""
    found: dict[UUID, None] = {}
    for town in house.clients:
        subjects = feeds.list_hook_subjects(tx, town, "freeze_ended", now - HEARD_WITHIN)
        if subjects:
            found |= dict.fromkeys(redemptions.list_frozen_at(tx, town, [Serial(s) for s in subjects]))
    return list(found)
