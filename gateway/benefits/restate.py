"""What this room's records say, as pure functions of rows: used when a row is written and again when the log is verified.

Who the subject is and what they got enters as a salted commitment only; the ids, days and codes around it are in the open.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.db import Query, load_queries
from schemas.canonical import canonical_json
from schemas.records import RecordBody, RecordDraft, Restater, RowFault
from schemas.values import instant_text

queries = load_queries(__file__)
_NIL = "00000000-0000-0000-0000-000000000000"  # no row has it: the start of a listing

DECISION, PROPOSAL, ANSWER, REVOCATION = "decision", "proposal", "proposal_answer", "proposal_revocation"


def _commitment(salt: bytes, content: Mapping[str, Any]) -> str:
    return hashlib.sha256(bytes(salt) + canonical_json(dict(content))).hexdigest()


def _sha256(value: bytes) -> str:
    return hashlib.sha256(bytes(value)).hexdigest()


def decision_hidden(row: Sequence[Any]) -> dict[str, Any]:
    """What a decision's commitment hides; of the columns in the order of `copy_decisions`."""
    (_, _, subject_id, subject_kind, applicant_id, _, _, outcome, score_centi, discount_bp, limit_increase_fen, final_rate_bp,
     reason_codes, facts, body, _, _, _) = row  # fmt: skip
    return {
        "subject_id": subject_id,
        "subject_kind": subject_kind,
        "applicant_id": applicant_id,
        "outcome": outcome,
        "score_centi": score_centi,
        "discount_bp": discount_bp,
        "limit_increase_fen": limit_increase_fen,
        "final_rate_bp": final_rate_bp,
        "reason_codes": list(reason_codes),
        "facts_sha256": _sha256(facts),
        "body_sha256": _sha256(body),
    }


def decision_record(row: Sequence[Any]) -> RecordDraft:
    """Of the same columns."""
    (decision_id, ruleset_id, _, _, _, product, as_of_on, *_, salt, caused_by, decided_at) = row
    said = {
        "ruleset_id": ruleset_id,
        "product": product,
        "as_of_on": as_of_on.isoformat(),
        "caused_by": caused_by,
        "decided_at": instant_text(decided_at),
        "commitment": _commitment(salt, decision_hidden(row)),
    }
    return RecordDraft(DECISION, str(decision_id), said)


def proposal_hidden(row: Sequence[Any]) -> dict[str, Any]:
    """What a proposal's commitment hides; of the columns in the order of `copy_proposals`."""
    (_, _, _, _, subject_id, applicant_id, _, discount_bp, limit_increase_fen, reason_codes, decision_sha256,
     *_) = row  # fmt: skip
    return {
        "subject_id": subject_id,
        "applicant_id": applicant_id,
        "discount_bp": discount_bp,
        "limit_increase_fen": limit_increase_fen,
        "reason_codes": list(reason_codes),
        "decision_sha256": decision_sha256,
    }


def proposal_record(row: Sequence[Any]) -> RecordDraft:
    """Of the same columns."""
    (proposal_id, business_on, serial, decision_id, _, _, product, _, _, _, _, valid_from_on, valid_until_on, supersedes, salt,
     proposed_at) = row  # fmt: skip
    said = {
        "business_on": business_on.isoformat(),
        "serial": serial,
        "decision_id": str(decision_id),
        "product": product,
        "valid_from_on": valid_from_on.isoformat(),
        "valid_until_on": valid_until_on.isoformat(),
        "supersedes": None if supersedes is None else str(supersedes),
        "proposed_at": instant_text(proposed_at),
        "commitment": _commitment(salt, proposal_hidden(row)),
    }
    return RecordDraft(PROPOSAL, str(proposal_id), said)


def event_record(row: Sequence[Any]) -> RecordDraft:
    """Of the columns in the order of `copy_events`."""
    event_id, proposal_id, from_state, event, to_state, code, bank_reference, happened_at = row
    said = {
        "proposal_id": str(proposal_id),
        "from_state": from_state,
        "event": event,
        "to_state": to_state,
        "code": code,
        "bank_reference": bank_reference,
        "happened_at": instant_text(happened_at),
    }
    return RecordDraft(ANSWER, str(event_id), said)


def revocation_record(row: Sequence[Any]) -> RecordDraft:
    """Of the columns in the order of `insert_revocations`' answer."""
    revocation_id, proposal_id, business_on, serial, reason_code, caused_by, requested_at = row
    said = {
        "proposal_id": str(proposal_id),
        "business_on": business_on.isoformat(),
        "serial": serial,
        "reason_code": reason_code,
        "caused_by": caused_by,
        "requested_at": instant_text(requested_at),
    }
    return RecordDraft(REVOCATION, str(revocation_id), said)


@dataclass(frozen=True, slots=True)
class _RowRestater:
    """One record speaks of one row: list the ids, read the rows, say them again."""

    kind: str
    table: str
    ids: Query
    rows: Query
    draft: Callable[[Sequence[Any]], RecordDraft]

    def list_row_ids(self, tx: Any, after: str, limit: int) -> list[str]:
        found = tx.tuples(self.ids, {"after": after or _NIL, "limit": limit})
        return [row_id for (row_id,) in found]

    def restate(self, tx: Any, row_ids: Sequence[str]) -> Mapping[str, RecordBody]:
        found = tx.tuples(self.rows, {"row_ids": list(row_ids)})
        return {row[0]: self.draft(row[1:]).body for row in found}

    def explain(self, tx: Any, row_id: str, recorded: RecordBody) -> list[RowFault]:
        body = self.restate(tx, [row_id]).get(row_id)
        if body is None:
            return [RowFault(self.table, row_id, None, "a row", None)]
        names = sorted(name for name in {*body, *recorded} if body.get(name) != recorded.get(name))
        return [
            RowFault(
                self.table,
                row_id,
                "one of those under the commitment" if name == "commitment" else name,
                _shown(recorded.get(name)),
                _shown(body.get(name)),
            )
            for name in names
        ]


def _shown(value: Any) -> str | None:
    return None if value is None else str(value)


RESTATERS: dict[str, Restater] = {
    DECISION: _RowRestater(
        DECISION, "decision", queries.list_decision_ids, queries.restate_decisions, decision_record
    ),
    PROPOSAL: _RowRestater(
        PROPOSAL, "proposal", queries.list_proposal_ids, queries.restate_proposals, proposal_record
    ),
    ANSWER: _RowRestater(
        ANSWER, "proposal_event", queries.list_event_ids, queries.restate_events, event_record
    ),
    REVOCATION: _RowRestater(
        REVOCATION, "revocation", queries.list_revocation_ids, queries.restate_revocations, revocation_record
    ),
}
