"""A member of staff signs out: the session ends at once, everywhere."""

from __future__ import annotations

import logging
from datetime import datetime

from gateway import staff
from gateway.flows._staff_attempts import staff_event
from gateway.house import House
from gateway.translog import append_records
from schemas.errors import GatewayError

log = logging.getLogger(__name__)


def sign_out(house: House, token: str, *, now: datetime) -> str:
    """End the session of this token. Where to send the browser so that the provider ends its session as well; '' when it did not
    vouch for the person, offers no such place or does not answer, and when the session had ended."""
    with house.db.transaction() as tx:
        session = staff.find_session(tx, token)
        if session is None:
            return ""
        proof = staff.open_proof(house.keys, session)
        if staff.end_session(tx, session.session_id, code="signed-out", now=now):
            event = staff_event(session.account, "signed_out", "asked")
            draft = staff.insert_event(tx, event, now=now, event_id=house.new_id())
            append_records(tx, [draft], now=now, new_id=house.new_id)
    if not proof or house.identity is None:
        return ""
    back = house.config.public_url.rstrip("/") + "/staff/sign-in"
    try:
        return house.identity.sign_out_url(
            proof, back
        )  # ‖ ours has ended already, whatever the provider does
    except GatewayError as exc:
        log.warning("the provider's sign-out is not known", extra={"code": exc.code})
        return ""
