"""Every staff account, for the operator."""

from __future__ import annotations

from gateway import staff
from gateway.house import House
from schemas.staff import StaffAccount


def list_staff(house: House) -> list[StaffAccount]:
    """Accounts by branch and teller number."""
    with house.audit_db.transaction(read_only=True) as tx:
        return staff.list_staff(tx)
