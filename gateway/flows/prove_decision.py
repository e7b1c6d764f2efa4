"""What a browser needs to check one decision itself: its records, their proofs, the signed checkpoint, and the public keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from gateway import benefits
from gateway.flows._audit_case import open_case
from gateway.flows._proven import open_decisions, prove_openings
from gateway.flows.list_log_keys import list_log_keys
from gateway.house import House
from gateway.translog import find_published
from schemas.errors import ForbiddenError, NotFoundError
from schemas.staff import StaffCaller


def prove_decision(
    house: House, caller: StaffCaller, look_id: UUID, decision_id: UUID, *, now: datetime
) -> dict[str, Any]:
    """`checkpoint` (a signed note), `statements` as in a file of evidence, `keys` of the log, `witness_keys`, `quorum`.

    Errors: NotFoundError (no such decision, nothing published yet), ForbiddenError (about somebody else), UnavailableError (not
    sealed yet), those of `open_case`."""
    with house.audit_db.transaction(read_only=True, isolation="repeatable read") as tx:
        case = open_case(house, tx, caller, look_id, now)
        row = benefits.find_decision(tx, decision_id)
        if row is None:
            raise NotFoundError("there is no such decision", code="decision-not-found", where="decision")
        if case.person_id not in (row.subject_id, row.applicant_id):
            raise ForbiddenError(
                "the decision is about somebody else", code="decision-of-another", where="decision"
            )
        witness_keys = [one.vkey for one in house.witnesses.known]
        published = find_published(tx, witness_keys, house.witnesses.quorum)
        if published is None:
            raise NotFoundError("no checkpoint is published yet", code="log-empty", where="log")
        openings = open_decisions(tx, [str(decision_id)])
        return {
            "checkpoint": published.checkpoint.note,
            "statements": prove_openings(tx, openings, published.checkpoint),
            "keys": list_log_keys(house),
            "witness_keys": witness_keys,
            "quorum": house.witnesses.quorum,
        }
