"""A staff account is switched off or on. Switched off, its session ends with the next request."""

from __future__ import annotations

from datetime import datetime

from gateway import staff
from gateway.house import House
from gateway.translog import append_records
from schemas.errors import NotFoundError


def switch_staff(house: House, teller_no: str, enabled: bool, *, by: str, now: datetime) -> bool:
    """False when it was so already. Raises NotFoundError."""
    with house.db.transaction() as tx:
        account = staff.find_by_teller(tx, teller_no)
        if account is None:
            raise NotFoundError("no such teller number", where="teller_no", value=teller_no)
        draft = staff.mark_enabled(tx, account, enabled, by=by, now=now, change_id=house.new_id())
        if draft is None:
            return False
        if not enabled:
            staff.end_sessions_of(tx, account.staff_id, code="account-disabled", now=now)
        append_records(tx, [draft], now=now, new_id=house.new_id)
    return True
