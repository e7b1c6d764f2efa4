"""The goods leave the branch: the register says so."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from gateway.flows._redemption_moves import actor_of, lock_at_branch, move
from gateway.house import House
from gateway.redemptions import RedemptionEvent
from schemas.errors import ConflictError
from schemas.redemptions import Redemption, RedemptionState
from schemas.staff import StaffCaller


def hand_over_goods(house: House, caller: StaffCaller, redemption_id: UUID, *, now: datetime) -> Redemption:
    """The redemption, handed over. Twice is once. Raises ConflictError for one that is not confirmed."""
    with house.db.transaction() as tx:
        redemption = lock_at_branch(tx, caller, redemption_id)
        if redemption.state is RedemptionState.HANDED_OVER:
            return redemption
        if redemption.state is not RedemptionState.CONFIRMED:
            raise ConflictError(
                "the towns have not confirmed: nothing is handed over", code="not-confirmed", where="state",
                value=str(redemption.state),
            )  # fmt: skip
        return move(house, tx, redemption, RedemptionEvent.HANDED_OVER, actor=actor_of(caller), now=now)
