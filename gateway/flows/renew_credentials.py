"""A member of staff gets a new password and a new second factor, shown once; what they had no longer works."""

from __future__ import annotations

from datetime import datetime

from gateway import staff
from gateway.house import House
from gateway.translog import append_records
from schemas.errors import NotFoundError, RefusedError
from schemas.staff import DIRECTORY, Credentials


def renew_credentials(house: House, teller_no: str, *, by: str, now: datetime) -> Credentials:
    """The new ones. Open sessions end. Raises NotFoundError; RefusedError for a person the provider vouches for."""
    credentials = staff.make_credentials()
    with house.db.transaction() as tx:
        account = staff.find_by_teller(tx, teller_no)
        if account is None:
            raise NotFoundError("no such teller number", where="teller_no", value=teller_no)
        if account.source != DIRECTORY:
            raise RefusedError(
                "the bank's provider keeps this person's password", code="provider-account", where="teller_no"
            )
        draft = staff.set_credentials(
            tx, house.keys, account, credentials, by=by, now=now, change_id=house.new_id()
        )
        staff.end_sessions_of(tx, account.staff_id, code="credentials-renewed", now=now)
        append_records(tx, [draft], now=now, new_id=house.new_id)
    return credentials
