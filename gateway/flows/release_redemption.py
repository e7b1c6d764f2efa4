"""A redemption is given up before the hand-over: stock is free again ‖ the towns give the points back ‖ that is written."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from gateway.flows._asking_towns import can_reverse, drive
from gateway.flows._redemption_moves import actor_of, lock_at_branch, move, ticking
from gateway.house import House
from gateway.redemptions import RedemptionEvent
from schemas.errors import ConflictError, RefusedError
from schemas.redemptions import Aim, Redemption, RedemptionState
from schemas.staff import StaffCaller

S = RedemptionState
OVER = frozenset({S.RELEASING, S.RELEASED, S.REFUSED, S.REVERSED})


def release_redemption(
    house: House, caller: StaffCaller, redemption_id: UUID, *, code: str = "given-up", now: datetime
) -> Redemption:
    """The redemption as it stands: released (reversed when the towns had confirmed), or unknown. Twice is once.

    Raises ConflictError while its outcome is unknown or after the hand-over, RefusedError where a town does not take confirmed
    points back. Killed while a town is asked: `settle_redemptions` goes on.
    """
    with house.db.transaction() as tx:
        redemption = lock_at_branch(tx, caller, redemption_id)
        if redemption.state in OVER:
            return redemption
        if redemption.state not in (S.FROZEN, S.CONFIRMED):
            raise ConflictError(
                "it cannot be given up now",
                code="not-to-be-released",
                where="state",
                value=str(redemption.state),
            )
        if redemption.state is S.CONFIRMED and not can_reverse(house, redemption):
            raise RefusedError("a town does not take confirmed points back", code="town-cannot-reverse")
        aim = Aim.RELEASE if redemption.state is S.FROZEN else Aim.REVERSE
        redemption = move(
            house,
            tx,
            redemption,
            RedemptionEvent.RELEASE_NEEDED,
            actor=actor_of(caller),
            code=code,
            aim=aim,
            now=now,
        )
    return drive(house, redemption, actor=actor_of(caller), clock=ticking(now))  # ‖
