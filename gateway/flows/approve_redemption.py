"""A second person approves a redemption above the threshold or outside limits. Nobody approves their own."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from gateway.flows._redemption_moves import actor_of, lock_at_branch, move
from gateway.house import House
from gateway.redemptions import RedemptionEvent
from schemas.errors import ConflictError, ForbiddenError
from schemas.redemptions import Redemption, RedemptionState
from schemas.staff import Role, StaffCaller


def approve_redemption(
    house: House, caller: StaffCaller, redemption_id: UUID, *, now: datetime
) -> Redemption:
    """The redemption with its approval. Twice is once. Raises ForbiddenError (`own-redemption`, `other-branch`, `role-missing`),
    ConflictError for one that is no longer frozen."""
    if not caller.may(Role.SUPERVISOR):
        raise ForbiddenError("only a supervisor approves", code="role-missing", where="role")
    with house.db.transaction() as tx:
        redemption = lock_at_branch(tx, caller, redemption_id)
        if redemption.staff_id == caller.staff_id:
            raise ForbiddenError(
                "nobody approves their own redemption", code="own-redemption", where="staff_id"
            )
        if redemption.approved_by is not None or not redemption.needs_approval:
            return redemption
        if redemption.state is not RedemptionState.FROZEN or now >= redemption.expires_at:
            raise ConflictError(
                "the redemption no longer waits for an approval", code="redemption-over", where="state",
                value=str(redemption.state),
            )  # fmt: skip
        return move(
            house, tx, redemption, RedemptionEvent.APPROVED,
            actor=actor_of(caller), approved_by=caller.staff_id, now=now,
        )  # fmt: skip
