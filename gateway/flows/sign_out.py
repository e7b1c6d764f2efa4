"""A member of staff signs out: the session ends at once, everywhere."""

from __future__ import annotations

from datetime import datetime

from gateway import staff
from gateway.house import House
from gateway.staff import StaffEvent
from gateway.translog import append_records


def sign_out(house: House, token: str, *, now: datetime) -> str:
    """End the session of this token. The provider's id_token when it vouched for the person, so that they can be signed out
    there as well; otherwise, and when the session had ended, ''."""
    with house.db.transaction() as tx:
        session = staff.find_session(tx, token)
        if session is None:
            return ""
        proof = staff.open_proof(house.keys, session)
        if staff.end_session(tx, session.session_id, code="signed-out", now=now):
            event = StaffEvent(
                session.account.staff_id, "signed_out", session.branch_no, session.teller_no, "asked"
            )
            draft = staff.insert_event(tx, event, now=now, event_id=house.new_id())
            append_records(tx, [draft], now=now, new_id=house.new_id)
    return proof
