"""A member of staff moves to another branch, or may do other things than before. Open sessions end: they are bound to the old."""

from __future__ import annotations

from datetime import datetime

from gateway import staff
from gateway.house import House
from gateway.translog import append_records
from schemas.errors import NotFoundError
from schemas.staff import NewStaff


def replace_staff(house: House, teller_no: str, new: NewStaff, *, by: str, now: datetime) -> bool:
    """False when the account stood so already. Raises NotFoundError, InvalidError, ConflictError."""
    with house.db.transaction() as tx:
        account = staff.find_by_teller(tx, teller_no)
        if account is None:
            raise NotFoundError("no such teller number", where="teller_no", value=teller_no)
        wanted = new._replace(source=account.source, subject=account.subject)
        changed, draft = staff.replace_staff(tx, account, wanted, by=by, now=now, change_id=house.new_id())
        if draft is None:
            return False
        staff.end_sessions_of(tx, changed.staff_id, code="account-changed", now=now)
        append_records(tx, [draft], now=now, new_id=house.new_id)
    return True
