"""What an attempt to prove who one is leaves behind, wherever it was made: a session, or a record of the failure."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from gateway import staff
from gateway.db import Transaction
from gateway.house import House
from gateway.staff import StaffEvent, Tried
from gateway.translog import append_records
from schemas.staff import SignedIn, StaffAccount


def staff_event(account: StaffAccount, event: str, code: str) -> StaffEvent:
    """An event of this account, at its branch."""
    return StaffEvent(account.staff_id, event, account.branch_no, account.teller_no, code)


def write_failure(
    house: House, tx: Transaction, account: StaffAccount, tried: Tried | None, *, now: datetime
) -> None:
    """Record it, and lock the account when it was one too many. `tried` None: it was locked, or switched off."""
    events = [staff_event(account, "refused", "locked-or-disabled" if tried is None else "wrong-credentials")]
    if tried is not None and tried.failed_count >= house.config.staff_lock_after:
        locked_until = now + timedelta(seconds=house.config.staff_lock_s)
        if staff.lock_out(tx, account.staff_id, locked_until=locked_until):
            events.append(staff_event(account, "locked", "too-many-failures"))
    drafts = [staff.insert_event(tx, event, now=now, event_id=house.new_id()) for event in events]
    append_records(tx, drafts, now=now, new_id=house.new_id)


def begin_session(
    house: House, tx: Transaction, account: StaffAccount, *, now: datetime, id_token: str = ""
) -> SignedIn:
    """A session, and the record of it; any other session of the person ends."""
    token = secrets.token_urlsafe(32)
    expires_at = now + timedelta(seconds=house.config.staff_session_s)
    ended = staff.insert_session(
        tx, house.keys, account, token,
        session_id=house.new_id(), now=now, expires_at=expires_at, id_token=id_token,
    )  # fmt: skip
    event = staff_event(
        account, "signed_in", account.source if not ended else f"{account.source}-ended-another"
    )
    draft = staff.insert_event(tx, event, now=now, event_id=house.new_id())
    append_records(tx, [draft], now=now, new_id=house.new_id)
    return SignedIn(token, account, ended)
