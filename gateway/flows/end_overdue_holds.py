"""Holds end by themselves: what was frozen and not confirmed in time is free again ‖ the towns give the points back."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from gateway import redemptions
from gateway.flows._asking_towns import drive, lock_and_move
from gateway.flows._redemption_moves import GATEWAY, ticking
from gateway.house import House
from gateway.redemptions import RedemptionEvent
from schemas.redemptions import Aim, RedemptionState


def end_overdue_holds(house: House, *, now: datetime, limit: int = 200) -> dict[str, int]:
    """End them; counted by the state it led to. Killed while a town is asked: `settle_redemptions` goes on."""
    counts: Counter[str] = Counter()
    with house.db.transaction() as tx:
        overdue = redemptions.claim_overdue(tx, limit, now=now)
    for redemption_id in overdue:
        redemption = lock_and_move(
            house, redemption_id, RedemptionEvent.RELEASE_NEEDED,
            states=frozenset({RedemptionState.FROZEN}), actor=GATEWAY, code="hold-ended", aim=Aim.RELEASE, now=now,
        )  # fmt: skip
        if redemption is not None:
            counts[str(drive(house, redemption, actor=GATEWAY, clock=ticking(now)).state)] += 1  # ‖
    return dict(counts)
