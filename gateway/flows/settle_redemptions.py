"""Answers that were lost, and askers that died: the towns are asked what they heard (查证) ‖ and what follows is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from gateway import redemptions
from gateway.flows._asking_towns import conclude, doubt, drive, inquire
from gateway.flows._redemption_moves import GATEWAY, LEASE, move, ticking
from gateway.house import House
from gateway.redemptions import RedemptionEvent
from gateway.redemptions.states import ASKING
from schemas.redemptions import RedemptionState

BATCH = 20


def settle_redemptions(house: House, *, now: datetime, limit: int = 200) -> dict[str, int]:
    """Settle what is due; counted by the state it led to. Killed anywhere: the lease lapses and the next run takes it up again.

    Never freezes anew. Confirms again only what a town says is still frozen, gives back only what it says it took.
    """
    counts: Counter[str] = Counter()
    clock = ticking(now)
    while sum(counts.values()) < limit:
        with house.db.transaction() as tx:
            due = redemptions.claim_lapsed(tx, BATCH, now=clock(), claimed_until=clock() + LEASE)
        if not due:
            break
        for redemption_id in due:
            counts[_settle_one(house, redemption_id, clock)] += 1
        if len(due) < BATCH:
            break
    return dict(counts)


def _settle_one(house: House, redemption_id: UUID, clock: Callable[[], datetime]) -> str:
    with house.db.transaction() as tx:
        redemption = redemptions.lock_redemption(tx, redemption_id)
        if redemption.state in ASKING:
            redemption = move(
                house, tx, redemption, RedemptionEvent.ANSWER_LOST,
                actor=GATEWAY, code="asker-died", news=doubt(redemption), now=clock(),
            )  # fmt: skip
    if redemption.state is not RedemptionState.UNKNOWN:
        return str(redemption.state)
    news = inquire(house, redemption, now=clock())  # ‖
    with house.db.transaction() as tx:
        present = redemptions.lock_redemption(tx, redemption_id)
        if present.state is not RedemptionState.UNKNOWN:
            return str(present.state)
        redemption = conclude(house, tx, present, news, actor=GATEWAY, now=clock())
    return str(drive(house, redemption, actor=GATEWAY, clock=clock).state)  # ‖
