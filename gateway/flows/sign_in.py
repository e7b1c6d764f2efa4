"""A member of staff signs in with teller number, password and second factor; a session begins, and any other of theirs ends."""

from __future__ import annotations

from datetime import datetime

from gateway import staff
from gateway.flows._staff_attempts import begin_session, write_failure
from gateway.house import House
from schemas.errors import ForbiddenError, UnauthenticatedError
from schemas.staff import DIRECTORY, SignedIn, SignIn


def sign_in(house: House, asked: SignIn, *, now: datetime) -> SignedIn:
    """Begin a session. Raises UnauthenticatedError, the same for every reason: which part was wrong is nobody's business.

    The attempt is counted, then the password looked at with no transaction open, then the code used up: what the
    three steps leave behind when the process dies in between is at most one attempt counted too many.
    """
    if not house.config.staff_directory:
        raise ForbiddenError(
            "staff sign in at the bank's provider here", code="directory-off", remedy="use the bank's sign-in"
        )
    with house.db.transaction() as tx:
        account = staff.find_by_teller(tx, asked.teller_no)
        usable = account is not None and account.enabled and account.source == DIRECTORY
        tried = staff.count_attempt(tx, account.staff_id, now=now) if account and usable else None
    fits = staff.password_fits(asked.password, tried.password_hash if tried else None)
    step = staff.open_code(house.keys, tried.totp, asked.code, now=now) if tried else None
    if account is None:
        raise _refused()
    with house.db.transaction() as tx:
        if fits and step is not None and staff.accept_code(tx, account.staff_id, step):
            staff.forgive_attempts(tx, account.staff_id)
            return begin_session(house, tx, account, now=now)
        write_failure(house, tx, account, tried, now=now)
    raise _refused()


def _refused() -> UnauthenticatedError:
    return UnauthenticatedError(
        "teller number, password or code is wrong, or the account is locked",
        code="sign-in-refused",
        remedy="wait for the next code and try again; after several failures the account stays locked for a while",
    )
