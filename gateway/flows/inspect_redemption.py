"""One redemption as the counter shows it: how it stands, what it is, what happened, for whom (masked)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from gateway import redemptions, subjects
from gateway.db import Row
from gateway.flows._redemption_moves import get_known
from gateway.house import House
from schemas.errors import ForbiddenError
from schemas.masking import masked_id_no, masked_name
from schemas.redemptions import Redemption
from schemas.staff import StaffCaller


@dataclass(frozen=True, slots=True)
class RedemptionView:
    """Persons are masked: whoever needs more looks at the resident, with a reason."""

    redemption: Redemption
    lines: tuple[Row, ...]
    events: tuple[Row, ...]
    masked_name: str = field(repr=False)
    masked_id_no: str = field(repr=False)
    handed_over_at: datetime | None


def inspect_redemption(house: House, caller: StaffCaller, redemption_id: UUID) -> RedemptionView:
    """Raises NotFoundError, ForbiddenError for another branch's."""
    with house.audit_db.transaction(read_only=True) as tx:
        redemption = get_known(tx, redemption_id)
        if redemption.branch_no != caller.branch_no:
            raise ForbiddenError("the redemption belongs to another branch", code="other-branch")
        identity = subjects.get_identity(tx, house.keys, redemption.person_id)
        events = redemptions.list_events(tx, redemption_id)
        given = [event.occurred_at for event in events if event.to_state == "handed_over"]
        return RedemptionView(
            redemption,
            tuple(redemptions.list_lines(tx, redemption_id)),
            tuple(events),
            masked_name(identity.name),
            masked_id_no(identity.id_no),
            given[0] if given else None,
        )
