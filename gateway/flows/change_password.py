"""A member of staff changes their own password, showing the old one and their second factor; their session ends."""

from __future__ import annotations

from datetime import datetime

from gateway import staff
from gateway.flows._staff_attempts import write_failure
from gateway.house import House
from gateway.translog import append_records
from schemas.errors import InvalidError, NotFoundError, RefusedError
from schemas.staff import DIRECTORY, SignIn, StaffCaller


def change_password(
    house: House, caller: StaffCaller, asked: SignIn, password: str, *, now: datetime
) -> None:
    """Store the new password; the second factor stays. A wrong old one counts like a failed sign-in.

    Raises InvalidError (sign-in-refused, password-length, password-weak, password-same) and RefusedError for a person
    the provider vouches for.
    """
    if caller.source != DIRECTORY:
        raise RefusedError("the bank's provider keeps this person's password", code="provider-account")
    staff.check_password(password, caller.teller_no)
    with house.db.transaction() as tx:
        tried = staff.count_attempt(tx, caller.staff_id, now=now)
    fits = staff.password_fits(asked.password, tried.password_hash if tried else None)
    step = staff.open_code(house.keys, tried.totp, asked.code, now=now) if tried else None
    if tried is not None and fits and password == asked.password:
        raise InvalidError("the new password is the old one", code="password-same", where="new")
    with house.db.transaction() as tx:
        account = staff.find_by_teller(tx, caller.teller_no)
        if account is None:
            raise NotFoundError("the account is gone", where="teller_no")
        done = fits and step is not None and staff.accept_code(tx, caller.staff_id, step)
        if done:
            by = f"staff:{caller.teller_no}"
            draft = staff.set_password(tx, account, password, by=by, now=now, change_id=house.new_id())
            staff.end_sessions_of(tx, caller.staff_id, code="password-changed", now=now)
            append_records(tx, [draft], now=now, new_id=house.new_id)
        else:
            write_failure(house, tx, account, tried, now=now)
    if not done:
        raise InvalidError("the old password or the code is wrong", code="sign-in-refused", where="old")
