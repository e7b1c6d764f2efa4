"""Whose session a request carries, and whether its owner may pass this door. A refusal is a record in the log."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from gateway import staff
from gateway.db import Transaction
from gateway.house import House
from gateway.staff import Session, StaffEvent
from gateway.translog import append_records
from schemas.errors import ForbiddenError, UnauthenticatedError
from schemas.staff import Role, StaffCaller

SEEN_EVERY = timedelta(seconds=20)  # a session's last sight is written so often at most


def authorize_staff(
    house: House, token: str | None, roles: Collection[Role], place: str, *, now: datetime
) -> StaffCaller:
    """The caller. `roles` empty: anybody signed in; `place` is the address rule.

    Raises UnauthenticatedError (no session, or it ended: idle, too old, account disabled, moved to another branch) and
    ForbiddenError (none of the roles; recorded).
    """
    if not token or len(token) > 128:
        raise _ended("session-missing")
    idle = timedelta(seconds=house.config.staff_idle_s)
    with house.db.transaction() as tx:
        session = staff.find_session(tx, token)
        if session is None:
            why = "session-missing"
        else:
            why = _why_ended(session, idle, now)
            if why:
                staff.end_session(tx, session.session_id, code=why, now=now)
            else:
                forbidden = bool(roles) and not session.account.roles & set(roles)
                if forbidden:
                    _record_refusal(house, tx, session, place, now=now)
                elif now - session.seen_at >= SEEN_EVERY:
                    staff.mark_seen(tx, session.session_id, now=now)
    if session is None or why:
        raise _ended(why)
    if forbidden:
        raise ForbiddenError(
            "this page is for others",
            code="role-missing",
            where=place,
            value=" ".join(sorted(roles)),
            remedy="ask the operator for the role, or go back",
        )
    account = session.account
    return StaffCaller(
        account.staff_id,
        session.session_id,
        account.name,
        account.branch_no,
        account.teller_no,
        account.roles,
        account.source,
        session.started_at,
        max(now, session.seen_at) + idle,
    )


def _why_ended(session: Session, idle: timedelta, now: datetime) -> str:
    """Why a session no longer counts; '' when it does. It is bound to the branch and teller number it was begun with."""
    if not session.account.enabled:
        return "account-disabled"
    if (session.branch_no, session.teller_no) != (session.account.branch_no, session.account.teller_no):
        return "branch-changed"
    if now >= session.expires_at:
        return "session-too-old"
    if now - session.seen_at >= idle:
        return "session-idle"
    return ""


def _record_refusal(house: House, tx: Transaction, session: Session, place: str, *, now: datetime) -> None:
    event = StaffEvent(
        session.account.staff_id, "refused", session.branch_no, session.teller_no, "role-missing", place
    )
    draft = staff.insert_event(tx, event, now=now, event_id=house.new_id())
    append_records(tx, [draft], now=now, new_id=house.new_id)


def _ended(why: str) -> UnauthenticatedError:
    what = {
        "session-idle": "the session ended because nothing was done for a while",
        "session-too-old": "the session ended with the working day",
        "account-disabled": "the account is switched off",
        "branch-changed": "the account belongs to another branch or teller number now",
    }.get(why, "nobody is signed in")
    return UnauthenticatedError(what, code=why, remedy="sign in")
