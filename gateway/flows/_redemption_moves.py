"""What goes with each edge of a redemption, in one transaction: towns' parts, stock, ledger, the event, the records."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from gateway import goods, ledger, redemptions
from gateway.db import Transaction
from gateway.house import House
from gateway.outbox import wait_after
from gateway.redemptions import LegNews, RedemptionEvent, next_state
from gateway.redemptions.states import ASKING
from gateway.translog import append_records
from schemas.errors import ForbiddenError, NotFoundError
from schemas.goods import Movement
from schemas.redemptions import Aim, Redemption, RedemptionState
from schemas.staff import StaffCaller

S, E = RedemptionState, RedemptionEvent
LEASE = timedelta(seconds=60)  # longer than all calls to a redemption's towns take together
#: kind of movement → (change of what is on hand, change of what is held), for one piece
CHANGES = {"hold": (0, 1), "release": (0, -1), "issue": (-1, -1), "return": (1, 0)}
GOODS_AFTER = {"release": "released", "issue": "issued", "return": "returned"}


class Actor(NamedTuple):
    """Who moves a redemption: a member of staff, or the gateway itself."""

    staff_id: UUID | None
    teller_no: str


GATEWAY = Actor(None, "gateway")


def actor_of(caller: StaffCaller) -> Actor:
    """The member of staff who is calling."""
    return Actor(caller.staff_id, caller.teller_no)


def lock_at_branch(tx: Transaction, caller: StaffCaller, redemption_id: UUID) -> Redemption:
    """The redemption, locked, if it is of the caller's branch. Raises NotFoundError, ForbiddenError."""
    redemption = redemptions.lock_redemption(tx, redemption_id)
    if redemption.branch_no != caller.branch_no:
        raise ForbiddenError(
            "the redemption belongs to another branch", code="other-branch", where="redemption_id"
        )
    return redemption


def move(
    house: House,
    tx: Transaction,
    redemption: Redemption,
    event: RedemptionEvent,
    *,
    actor: Actor,
    code: str = "",
    news: Sequence[LegNews] = (),
    aim: Aim | None = None,
    approved_by: UUID | None = None,
    now: datetime,
) -> Redemption:
    """Walk an edge. `news` is what became known of towns, `aim` what is wanted of them from now on."""
    moved = redemptions.mark_legs(tx, redemption, news, now=now)
    moved = replace(moved, wanted=aim or moved.wanted, approved_by=approved_by or moved.approved_by)
    state = next_state(moved.state, event)
    drafts = []
    kind = _stock_kind(moved, state, event)
    if kind:
        movements = movements_of(moved, kind)
        by = actor.teller_no
        drafts += goods.move_stock(tx, moved.redemption_id, movements, by=by, now=now)
        moved = replace(moved, goods=GOODS_AFTER[kind])
    hold_ids = [leg.hold_id for leg in moved.legs]
    if state is S.CONFIRMED:
        ledger.post_holds(tx, hold_ids, now=now)
        moved = replace(moved, posted=True)
    elif state in (S.REFUSED, S.RELEASED, S.REVERSED):
        if moved.posted:
            ledger.reverse_holds(tx, hold_ids, now=now)
        else:
            ledger.void_holds(tx, hold_ids, now=now, expired=code == "hold-ended")
    moved = replace(moved, attempts=0)
    redemptions.mark_moved(tx, moved, next_attempt_at=_next_attempt(state, moved, now))
    event_id = house.new_id()
    moved, draft = redemptions.move_redemption(
        tx, moved, event, staff_id=actor.staff_id, teller_no=actor.teller_no, code=code, now=now, event_id=event_id
    )  # fmt: skip
    drafts.append(draft)
    append_records(tx, drafts, now=now, new_id=house.new_id)
    return moved


def movements_of(redemption: Redemption, kind: str) -> list[Movement]:
    """The lines of the register for a redemption's goods."""
    on_hand, held = CHANGES[kind]
    counts: dict[UUID, int] = {}
    for line in redemption.lines:
        counts[line.good_id] = counts.get(line.good_id, 0) + line.quantity_count
    return [
        Movement(kind, redemption.branch_no, good_id, on_hand * count, held * count, redemption.serial)
        for good_id, count in counts.items()
    ]


def postpone(tx: Transaction, redemption: Redemption, *, now: datetime) -> Redemption:
    """Nothing new is known: try again later, later each time."""
    tried = replace(redemption, attempts=redemption.attempts + 1)
    return redemptions.mark_moved(tx, tried, next_attempt_at=now + wait_after(tried.attempts, 0.5))


def ticking(now: datetime) -> Callable[[], datetime]:
    """The time as it goes on from `now` while towns are asked."""
    begun = time.monotonic()
    return lambda: now + timedelta(seconds=time.monotonic() - begun)


def get_known(tx: Transaction, redemption_id: UUID) -> Redemption:
    """The redemption as it stands. Raises NotFoundError."""
    found = redemptions.find_redemption(tx, redemption_id)
    if found is None:
        raise NotFoundError("no such redemption", where="redemption_id", value=str(redemption_id))
    return found


def _stock_kind(redemption: Redemption, state: RedemptionState, event: RedemptionEvent) -> str:
    """Which movement goes with the edge; '' for none. What was promised is free again as soon as it is sure that it will not
    be handed over, whatever the towns still have to say."""
    if event is E.REVERSAL_ASKED:
        return "return"
    if state is S.HANDED_OVER:
        return "issue"
    ending = state in (S.REFUSED, S.RELEASING, S.RELEASED, S.REVERSED)
    return "release" if ending and redemption.goods == "held" else ""


def _next_attempt(state: RedemptionState, redemption: Redemption, now: datetime) -> datetime | None:
    if state in ASKING:
        return now + LEASE
    return now + wait_after(1, 0.5) if state is S.UNKNOWN else None
