"""One redemption as the counter shows it: how it stands, what it is, what happened, for whom (masked)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from gateway import redemptions, subjects
from gateway.db import Row
from gateway.flows._asking_towns import can_reverse
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
    can_reverse: bool  # every town takes confirmed points back
    masked_proxy: str = field(default="", repr=False)  # name and id number; '' without a proxy
    approver_no: str = ""


def inspect_redemption(house: House, caller: StaffCaller, redemption_id: UUID) -> RedemptionView:
    """Raises NotFoundError, ForbiddenError for another branch's."""
    with house.audit_db.transaction(read_only=True) as tx:
        redemption = get_known(tx, redemption_id)
        if redemption.branch_no != caller.branch_no:
            raise ForbiddenError("the redemption belongs to another branch", code="other-branch")
        identity = subjects.get_identity(tx, house.keys, redemption.person_id)
        proxy = ""
        if redemption.proxy_person_id is not None:
            acting = subjects.get_identity(tx, house.keys, redemption.proxy_person_id)
            proxy = f"{masked_name(acting.name)} {masked_id_no(acting.id_no)}"
        events = redemptions.list_events(tx, redemption_id)
        approved = [event.teller_no for event in events if event.event == "approved"]
        given = [event.occurred_at for event in events if event.to_state == "handed_over"]
        return RedemptionView(
            redemption,
            tuple(redemptions.list_lines(tx, redemption_id)),
            tuple(events),
            masked_name(identity.name),
            masked_id_no(identity.id_no),
            given[0] if given else None,
            can_reverse(house, redemption),
            proxy,
            approved[-1] if approved else "",
        )
