"""Why did they get that: one decision taken apart, from points to the bank's answer, each number with the line it follows."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from gateway.flows._audit_case import open_case
from gateway.flows._mapping_view import MappingView, view_mapping
from gateway.house import House
from schemas.staff import StaffCaller

__all__ = ["MappingView", "inspect_mapping"]


def inspect_mapping(
    house: House, caller: StaffCaller, look_id: UUID, decision_id: UUID, *, now: datetime
) -> MappingView:
    """Eight statements. Errors: NotFoundError; ForbiddenError for a decision about somebody else than the case; those of
    `open_case`."""
    with house.audit_db.transaction(read_only=True, isolation="repeatable read") as tx:
        return view_mapping(tx, open_case(house, tx, caller, look_id, now), decision_id)
