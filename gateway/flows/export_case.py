"""An auditor takes evidence about a resident they look at out of the house; the reason is the one they gave for looking."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from gateway import benefits
from gateway.flows._audit_case import open_case
from gateway.flows.export_evidence import EvidenceFile, Wanted, export_evidence
from gateway.house import House
from schemas.errors import ForbiddenError, NotFoundError
from schemas.staff import StaffCaller


def export_case(
    house: House,
    caller: StaffCaller,
    look_id: UUID,
    decision_id: UUID | None,
    *,
    with_identity: bool = False,
    now: datetime,
) -> EvidenceFile:
    """Of one decision, or (None) of everything about the resident; `with_identity` only for the latter. It is recorded by
    `export_evidence`, whose errors these are besides those of `open_case`; ForbiddenError for a decision about somebody else."""
    with house.audit_db.transaction(read_only=True) as tx:
        case = open_case(house, tx, caller, look_id, now)
        if decision_id is not None:
            row = benefits.find_decision(tx, decision_id)
            if row is None:
                raise NotFoundError("there is no such decision", code="decision-not-found", where="decision")
            if case.person_id not in (row.subject_id, row.applicant_id):
                raise ForbiddenError(
                    "the decision is about somebody else", code="decision-of-another", where="decision"
                )
    wanted = Wanted(
        decision_id=decision_id,
        person_id=None if decision_id else case.person_id,
        with_identity=with_identity and decision_id is None,
    )
    return export_evidence(house, wanted, by=f"auditor {caller.teller_no}", reason=case.reason, now=now)
