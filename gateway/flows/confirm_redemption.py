"""The resident agrees: the towns are asked to take the points ‖ what they said is written; then the goods may be handed over."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from gateway.flows._asking_towns import drive
from gateway.flows._redemption_moves import actor_of, lock_at_branch, move, ticking
from gateway.house import House
from gateway.redemptions import RedemptionEvent
from schemas.errors import ConflictError, RefusedError
from schemas.redemptions import Aim, Redemption, RedemptionState
from schemas.staff import StaffCaller

S = RedemptionState
AFTER = frozenset({S.CONFIRMING, S.CONFIRMED, S.HANDED_OVER, S.UNKNOWN})


def confirm_redemption(
    house: House, caller: StaffCaller, redemption_id: UUID, *, now: datetime
) -> Redemption:
    """The redemption as it stands: confirmed, unknown, or being undone. Twice is once.

    Raises RefusedError `approval-needed` or `hold-ended`, ConflictError for one that is over, ForbiddenError for another
    branch's. Killed while a town is asked: the lease lapses and `settle_redemptions` asks the town what it heard.
    """
    with house.db.transaction() as tx:
        redemption = lock_at_branch(tx, caller, redemption_id)
        if redemption.state in AFTER:
            return redemption
        if redemption.state is not S.FROZEN:
            raise ConflictError(
                "the redemption is over", code="redemption-over", where="state", value=str(redemption.state)
            )
        if redemption.needs_approval and redemption.approved_by is None:
            raise RefusedError(
                "a second person has to approve this redemption", code="approval-needed", where="approved_by"
            )
        if now >= redemption.expires_at:
            raise RefusedError(
                "the time for this redemption is over; the points go back",
                code="hold-ended",
                remedy="begin again",
            )
        redemption = move(
            house,
            tx,
            redemption,
            RedemptionEvent.CONFIRM_SENT,
            actor=actor_of(caller),
            aim=Aim.CONFIRM,
            now=now,
        )
    return drive(house, redemption, actor=actor_of(caller), clock=ticking(now))  # ‖
