"""The browser is back from the provider ‖ the code is exchanged, the ID token checked ‖ the account is brought up to date and a
session begins."""

from __future__ import annotations

from datetime import datetime

from gateway import staff
from gateway.db import Transaction
from gateway.flows._provider_ask import open_begun
from gateway.flows._staff_attempts import begin_session, staff_event
from gateway.house import House
from gateway.translog import append_records
from schemas.errors import ConflictError, ForbiddenError, NotFoundError
from schemas.staff import PROVIDER, NewStaff, ProviderClaims, ProviderReturn, SignedIn, StaffAccount


def finish_provider_sign_in(
    house: House, returned: ProviderReturn, cookie: str, *, now: datetime
) -> tuple[SignedIn, str]:
    """The session and where to go. Branch, teller number and roles are what the provider says today; a change is a record.

    Raises ForbiddenError (not our sign-in, an answer that cannot be trusted, no role, an account switched off here),
    ConflictError (the teller number is another person's), UnavailableError. Killed after the exchange: nothing was stored,
    the person signs in again.
    """
    if house.identity is None:
        raise NotFoundError("no identity provider is configured")
    begun = open_begun(house.keys, cookie, now=now)
    claims = house.identity.exchange(begun.ask, returned, now)  # ‖ no transaction is open here
    with house.db.transaction() as tx:
        account = _bring_up_to_date(house, tx, claims, now=now)
        if account.enabled:
            return begin_session(house, tx, account, id_token=claims.id_token, now=now), begun.back
        event = staff_event(account, "refused", "account-disabled")
        append_records(
            tx,
            [staff.insert_event(tx, event, now=now, event_id=house.new_id())],
            now=now,
            new_id=house.new_id,
        )
    raise ForbiddenError("the account is switched off", code="account-disabled")


def _bring_up_to_date(
    house: House, tx: Transaction, claims: ProviderClaims, *, now: datetime
) -> StaffAccount:
    new = NewStaff(claims.name, claims.branch_no, claims.teller_no, claims.roles, PROVIDER, claims.subject)
    account = staff.find_by_subject(tx, claims.subject)
    holder = staff.find_by_teller(tx, claims.teller_no)
    if holder is not None and (account is None or holder.staff_id != account.staff_id):
        raise ConflictError(
            "the teller number belongs to another account",
            code="teller-no-taken",
            where="teller_no",
            remedy="operations: disable the other account, or correct the provider",
        )
    if account is None:
        made, draft = staff.insert_staff(
            tx, new, by="provider", now=now, staff_id=house.new_id(), change_id=house.new_id()
        )
        append_records(tx, [draft], now=now, new_id=house.new_id)
        return made
    changed, found = staff.replace_staff(tx, account, new, by="provider", now=now, change_id=house.new_id())
    if found is not None:
        append_records(tx, [found], now=now, new_id=house.new_id)
    return changed
