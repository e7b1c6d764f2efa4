"""The goods come back (冲正), by another person: on the shelf again ‖ the towns give the points back ‖ that is written."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from gateway.flows._asking_towns import can_reverse, drive
from gateway.flows._open_day import require_open_day
from gateway.flows._redemption_moves import actor_of, lock_at_branch, move, ticking
from gateway.house import House
from gateway.redemptions import RedemptionEvent
from schemas.errors import ConflictError, ForbiddenError, RefusedError
from schemas.redemptions import Aim, Redemption, RedemptionState
from schemas.staff import Role, StaffCaller
from schemas.values import beijing_date

S = RedemptionState


def reverse_redemption(
    house: House, caller: StaffCaller, redemption_id: UUID, *, now: datetime
) -> Redemption:
    """The redemption as it stands: reversed, or unknown. Twice is once. On a later accounting date (Asia/Shanghai) the event says
    `correcting-entry` and counts on that day.

    Raises ForbiddenError for one's own, RefusedError where a town does not take confirmed points back or the
    branch has closed the day, ConflictError for one that was not handed over.
    Killed while a town is asked: `settle_redemptions` goes on.
    """
    if not caller.may(Role.SUPERVISOR):
        raise ForbiddenError("only a supervisor reverses", code="role-missing", where="role")
    with house.db.transaction() as tx:
        redemption = lock_at_branch(tx, caller, redemption_id)
        if redemption.staff_id == caller.staff_id:
            raise ForbiddenError(
                "nobody reverses their own redemption", code="own-redemption", where="staff_id"
            )
        if redemption.goods == "returned":
            return redemption
        if redemption.state is not S.HANDED_OVER:
            raise ConflictError(
                "only what was handed over is reversed", code="not-handed-over", where="state",
                value=str(redemption.state),
            )  # fmt: skip
        if not can_reverse(house, redemption):
            raise RefusedError("a town does not take confirmed points back", code="town-cannot-reverse")
        require_open_day(tx, redemption.branch_no, now)
        code = "same-day" if redemption.business_on == beijing_date(now) else "correcting-entry"
        redemption = move(
            house, tx, redemption, RedemptionEvent.REVERSAL_ASKED,
            actor=actor_of(caller), code=code, aim=Aim.REVERSE, now=now,
        )  # fmt: skip
    return drive(house, redemption, actor=actor_of(caller), clock=ticking(now))  # ‖
