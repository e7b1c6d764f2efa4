"""Staff: who works here, what each may do, how they sign in, and which sessions are open.

Owns: staff, staff_change, staff_secret, staff_session, staff_event, staff_look
Reads:
Never: a password or a second factor in the clear, a session token (only its digest), a resident

Every change of an account, every sign-in and sign-out and every refusal is a record in the log; what verification compares
with it includes a digest of the credentials, so that a password put in behind the house's back is found.
"""

from gateway.staff.accounts import (
    find_by_subject,
    find_by_teller,
    insert_staff,
    list_staff,
    mark_enabled,
    replace_staff,
)
from gateway.staff.events import StaffEvent, insert_event, list_events
from gateway.staff.history import list_changes_of, list_events_by, list_look_happenings, list_looks_by
from gateway.staff.looks import get_look, has_looked, insert_look, list_looks
from gateway.staff.secrets import (
    Tried,
    accept_code,
    check_password,
    count_attempt,
    forgive_attempts,
    lock_out,
    make_credentials,
    open_code,
    password_fits,
    set_credentials,
    set_password,
)
from gateway.staff.sessions import (
    Session,
    delete_ended_sessions,
    end_session,
    end_sessions_of,
    find_session,
    insert_session,
    mark_seen,
    open_proof,
    token_digest,
)

__all__ = [
    "Session",
    "StaffEvent",
    "Tried",
    "accept_code",
    "check_password",
    "count_attempt",
    "delete_ended_sessions",
    "end_session",
    "end_sessions_of",
    "find_by_subject",
    "find_by_teller",
    "find_session",
    "forgive_attempts",
    "get_look",
    "has_looked",
    "insert_event",
    "insert_look",
    "insert_session",
    "insert_staff",
    "list_changes_of",
    "list_events",
    "list_events_by",
    "list_look_happenings",
    "list_looks",
    "list_looks_by",
    "list_staff",
    "lock_out",
    "make_credentials",
    "mark_enabled",
    "mark_seen",
    "open_code",
    "open_proof",
    "password_fits",
    "replace_staff",
    "set_credentials",
    "set_password",
    "token_digest",
]
