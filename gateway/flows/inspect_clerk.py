"""What one member of staff did in a period: whom they looked at, which redemptions they opened, sign-ins and refusals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway import redemptions, staff
from gateway.db import Row
from gateway.house import House
from schemas.errors import NotFoundError
from schemas.staff import StaffAccount

MOST = 500


@dataclass(frozen=True, slots=True)
class ClerkView:
    """Residents are our numbers only: to see more of one, the auditor looks with a reason. Each list holds at most MOST."""

    account: StaffAccount
    changes: tuple[Row, ...]
    looks: tuple[Row, ...]
    redemptions: tuple[Row, ...]
    events: tuple[Row, ...]


def inspect_clerk(house: House, teller_no: str, from_at: datetime, until_at: datetime) -> ClerkView:
    """What was done in [from_at, until_at), newest first. Raises NotFoundError."""
    with house.audit_db.transaction(read_only=True, isolation="repeatable read") as tx:
        account = staff.find_by_teller(tx, teller_no)
        if account is None:
            raise NotFoundError(
                "nobody here has that teller number", code="clerk-not-found", where="teller_no"
            )
        staff_id = str(account.staff_id)
        return ClerkView(
            account,
            tuple(staff.list_changes_of(tx, staff_id)),
            tuple(staff.list_looks_by(tx, staff_id, from_at, until_at, MOST)),
            tuple(redemptions.list_of_clerk(tx, staff_id, from_at, until_at, MOST)),
            tuple(staff.list_events_by(tx, staff_id, from_at, until_at, MOST)),
        )
