"""A resident is to be erased: restricted at once, erased on the day every duty to keep has ended (PIPL art. 47)."""

from __future__ import annotations

from datetime import datetime

from gateway import benefits, objections, redemptions, subjects, translog
from gateway.house import House
from gateway.subjects.restate import WITHDRAWN, consent_records
from schemas.retention import latest_duty
from schemas.values import beijing_date


def request_erasure(
    house: House, person_id: int, *, by: str, cause: str, now: datetime
) -> subjects.ErasureRequest:
    """Withdraw every consent, restrict, revoke what stands at the bank (through the sweep), note the day.

    Errors: NotFoundError, InvalidError (who or why is missing), ConflictError (requested before).
    """
    with house.db.transaction() as tx:
        subjects.get_person(tx, person_id)
        decided_at, consented_at = (
            benefits.find_last_decided_at(tx, person_id),
            subjects.find_last_consent_at(tx, person_id),
        )
        objected_at = objections.find_last_event_at(tx, person_id)
        redeemed = redemptions.list_of_person(tx, person_id, 1)
        last = {
            "redemption": beijing_date(redeemed[0].opened_at) if redeemed else None,
            "decision": decided_at and beijing_date(decided_at),
            "objection": objected_at and beijing_date(objected_at),
            "consent": consented_at and beijing_date(consented_at),
        }
        due_on, basis = latest_duty(last) or (beijing_date(now), "no duty to keep")
        request = subjects.ErasureRequest(house.new_id(), person_id, by, cause, basis, due_on, now)
        records, withdrawn = subjects.insert_erasure_request(tx, request)
        records += consent_records(tx, WITHDRAWN, withdrawn)
        translog.append_records(tx, records, now=now, new_id=house.new_id)
        households = [int(h) for h in subjects.list_households_of(tx, [person_id])]
        benefits.mark_changed(tx, [person_id, *households], cause="consent withdrawn", now=now)
    return request
