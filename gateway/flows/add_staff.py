"""A member of staff gets an account, and in the local directory a password and a second factor, shown once."""

from __future__ import annotations

from datetime import datetime

from gateway import staff
from gateway.house import House
from gateway.translog import append_records
from schemas.staff import DIRECTORY, Credentials, NewStaff


def add_staff(house: House, new: NewStaff, *, by: str, now: datetime) -> Credentials | None:
    """The credentials to hand over, or None for a person the provider vouches for. Raises InvalidError; ConflictError for a
    teller number that is taken."""
    credentials = staff.make_credentials() if new.source == DIRECTORY else None
    with house.db.transaction() as tx:
        account, draft = staff.insert_staff(
            tx, new, by=by, now=now, staff_id=house.new_id(), change_id=house.new_id()
        )
        drafts = [draft]
        if credentials is not None:
            drafts.append(
                staff.set_credentials(
                    tx, house.keys, account, credentials, by=by, now=now, change_id=house.new_id()
                )
            )
        append_records(tx, drafts, now=now, new_id=house.new_id)
    return credentials
