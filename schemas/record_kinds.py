"""What each kind of record says: the schema of its body.

A body is an object with exactly these fields; `|null` and `|absent` say what else a field may be. Instants are text as
`instant_text` writes them, dates ISO 8601, digests and commitments lower-case hexadecimal. No kind holds personal data: numbers
of ours, digests and salted commitments only.

All are version 1 (the `v` of the envelope). A kind never changes what it says: what must be said otherwise is a new kind, and
both stay readable.
"""

from __future__ import annotations

from collections.abc import Mapping

TEXT, INT, BOOL, LIST, OBJECT = "text", "integer", "boolean", "list", "object"
NULL, ABSENT = "|null", "|absent"

#: kind → field → type
# fmt: off
RECORD_KINDS: Mapping[str, Mapping[str, str]] = {
    "account_linked": {"linked_at": TEXT, "person_id": INT, "town": TEXT},
    "account_unlinked": {"ended_at": TEXT, "ended_by": TEXT, "linked_at": TEXT, "person_id": INT, "town": TEXT},
    "activity_code": {"activity": TEXT, "added_at": TEXT, "added_by": TEXT, "category": TEXT, "town": TEXT},
    "branch_day_closed": {
        "accounting_on": TEXT, "branch_no": TEXT, "closed_at": TEXT, "count_id": TEXT + NULL, "line_count": INT, "lines": LIST,
        "lines_sha256": TEXT, "signed_by": TEXT, "stock_count": INT, "stock_sha256": TEXT, "teller_no": TEXT,
        "towns": LIST,
    },
    "calendar_set": {
        "holidays": LIST, "reference": TEXT, "set_at": TEXT, "set_by": TEXT, "workdays": LIST, "year": INT,
    },
    "client_changed": {
        "cert_sha256": LIST, "change": TEXT, "changed_at": TEXT, "client_id": TEXT, "enabled": BOOL, "jwks_sha256": TEXT,
        "scopes": LIST, "town": TEXT,
    },
    "consent_given": {
        "by_guardian": BOOL, "commitment": TEXT, "evidence": TEXT, "given_at": TEXT, "person_id": INT, "purpose": TEXT,
        "recipient": TEXT, "recorded_at": TEXT, "text_version": TEXT, "town": TEXT,
    },
    "consent_withdrawn": {
        "by_guardian": BOOL, "commitment": TEXT, "evidence": TEXT, "given_at": TEXT, "person_id": INT, "purpose": TEXT,
        "recipient": TEXT, "recorded_at": TEXT, "text_version": TEXT, "town": TEXT, "withdrawal_recorded_at": TEXT,
        "withdrawn_at": TEXT,
    },
    "contribution_batch": {
        "accepted_count": INT, "adapter": TEXT, "client_id": TEXT, "exceptions_sha256": TEXT,
        "idempotency_key_sha256": TEXT, "item_count": INT, "items_sha256": TEXT, "payload_sha256": TEXT,
        "receipt_sha256": TEXT, "received_at": TEXT, "town": TEXT,
    },
    "day_file": {
        "accepted_count": INT, "accounting_on": TEXT, "conflict_count": INT, "duplicate_count": INT, "file_sha256": TEXT,
        "item_count": INT, "over_cap": LIST, "over_cap_count": INT, "points_centi": INT, "quarantined_count": INT,
        "rejected_count": INT, "taken_at": TEXT, "town": TEXT,
    },
    "decision": {
        "as_of_on": TEXT, "caused_by": TEXT, "commitment": TEXT, "decided_at": TEXT, "product": TEXT, "ruleset_id": TEXT,
    },
    "erasure_requested": {
        "basis": TEXT, "cause": TEXT, "due_on": TEXT, "person_id": INT, "requested_at": TEXT, "requested_by": TEXT,
    },
    "evidence_exported": {
        "about_id": TEXT, "about_kind": TEXT, "exported_at": TEXT, "exported_by": TEXT, "file_sha256": TEXT,
        "reason_sha256": TEXT, "record_count": INT, "with_identity": BOOL,
    },
    "good_picture_set": {"content_sha256": TEXT, "good_id": TEXT, "media_type": TEXT, "recorded_at": TEXT, "set_by": TEXT},
    "good_price_set": {
        "agreement": TEXT, "good_id": TEXT, "price_centi": INT, "recorded_at": TEXT, "set_by": TEXT, "settle_fen": INT,
        "town": TEXT, "valid_from_on": TEXT,
    },
    "job_outcome": {
        "counts": OBJECT, "ended_at": TEXT, "error_code": TEXT, "job": TEXT, "outcome": TEXT, "run_by": TEXT,
        "started_at": TEXT,
    },
    "legal_hold_ended": {"ended_at": TEXT, "ended_by": TEXT, "reason_sha256": TEXT},
    "legal_hold_set": {"person_id": INT, "reason_sha256": TEXT, "set_at": TEXT, "set_by": TEXT},
    "neighbour_switched": {"neighbour": TEXT, "paused": BOOL, "said_by": TEXT, "switched_at": TEXT, "why": TEXT},
    "objection_event": {
        "commitment": TEXT, "decision_ids": LIST, "due_on": TEXT, "event": TEXT, "event_no": INT, "finding": TEXT,
        "from_state": TEXT, "happened_at": TEXT, "objection_id": TEXT, "recorded_by": TEXT, "to_state": TEXT,
    },
    "objection_received": {
        "about_id": TEXT, "about_kind": TEXT, "channel": TEXT, "commitment": TEXT, "due_on": TEXT, "kind": TEXT,
        "person_id": INT, "received_at": TEXT, "received_by": TEXT, "recorded_at": TEXT, "serial": TEXT,
    },
    "own_key_changed": {"change": TEXT, "changed_at": TEXT, "public_key": TEXT, "purpose": TEXT},
    "proposal": {
        "business_on": TEXT, "commitment": TEXT, "decision_id": TEXT, "product": TEXT, "proposed_at": TEXT,
        "serial": TEXT, "supersedes": TEXT + NULL, "valid_from_on": TEXT, "valid_until_on": TEXT,
    },
    "proposal_answer": {
        "bank_reference": TEXT + NULL, "code": TEXT, "event": TEXT, "from_state": TEXT, "happened_at": TEXT,
        "proposal_id": TEXT, "to_state": TEXT,
    },
    "proposal_revocation": {
        "business_on": TEXT, "caused_by": TEXT, "proposal_id": TEXT, "reason_code": TEXT, "requested_at": TEXT,
        "serial": TEXT,
    },
    "reconciliation": {
        "accounting_on": TEXT, "asked_at": TEXT, "cause": TEXT, "change_count": INT, "changes_sha256": TEXT,
        "differing_count": INT, "line_count": INT, "matched_count": INT, "ours_only_count": INT, "reconciled_at": TEXT,
        "said_by": TEXT, "statement_sha256": TEXT, "theirs_only_count": INT, "town": TEXT,
    },
    "redemption_event": {
        "branch_no": TEXT, "business_on": TEXT, "code": TEXT, "content_sha256": TEXT, "event": TEXT, "event_no": INT,
        "expires_at": TEXT, "from_state": TEXT, "idempotency_key": TEXT, "legs": LIST, "lines": LIST,
        "needs_approval": BOOL, "occurred_at": TEXT, "opened_at": TEXT, "opened_by": TEXT, "person_id": INT,
        "proxy_person_id": INT + NULL, "proxy_proof": TEXT + ABSENT, "redemption_id": TEXT, "serial": TEXT,
        "staff_id": TEXT + NULL, "stands": TEXT, "teller_no": TEXT, "to_state": TEXT,
    },
    "resident_erased": {"erased_at": TEXT, "person_id": INT, "pushes_cut": INT},
    "ruleset_approved": {
        "approved_at": TEXT, "approved_by": TEXT, "name": TEXT, "proposed_by": TEXT, "ruleset_id": TEXT,
        "valid_from_on": TEXT,
    },
    "ruleset_proposed": {
        "document_sha256": TEXT, "name": TEXT, "product": TEXT, "proposed_at": TEXT, "proposed_by": TEXT,
        "ruleset_id": TEXT, "subject": TEXT, "valid_from_on": TEXT, "yaml_sha256": TEXT,
    },
    "scoreboard": {
        "answers_sha256": TEXT, "applied": BOOL, "content_digest": TEXT, "document_no": TEXT, "kind": TEXT,
        "objection_no": TEXT, "period": TEXT, "posted_at": TEXT, "reading": INT, "received_at": TEXT, "rule_book": TEXT,
        "town": TEXT, "village": TEXT,
    },
    "soap_client_changed": {
        "change": TEXT, "changed_at": TEXT, "client_id": TEXT, "enabled": BOOL, "password_key_id": TEXT + NULL,
        "password_sha256": TEXT + NULL, "scopes": LIST, "signing_sha256": LIST, "tls_sha256": LIST, "town": TEXT,
        "username": TEXT + NULL,
    },
    "staff_changed": {
        "branch_no": TEXT, "change": TEXT, "changed_at": TEXT, "changed_by": TEXT, "enabled": BOOL, "roles": LIST,
        "secret_sha256": TEXT, "source": TEXT, "staff_id": TEXT, "subject_sha256": TEXT, "teller_no": TEXT,
    },
    "staff_event": {
        "branch_no": TEXT, "code": TEXT, "event": TEXT, "occurred_at": TEXT, "place": TEXT, "staff_id": TEXT,
        "teller_no": TEXT,
    },
    "staff_look": {"branch_no": TEXT, "looked_at": TEXT, "person_id": INT, "reason": TEXT, "staff_id": TEXT, "teller_no": TEXT},
    "stock_counted": {
        "branch_no": TEXT, "counted_at": TEXT, "counted_by": TEXT, "differences": LIST, "line_count": INT,
        "lines_sha256": TEXT, "teller_no": TEXT,
    },
    "stock_moved": {"lines": LIST, "moved_at": TEXT, "moved_by": TEXT},
    "town_month_settled": {
        "agreed_count": INT, "amount_fen": INT, "compared": TEXT, "difference_count": INT, "differences_sha256": TEXT,
        "line_count": INT, "lines_sha256": TEXT, "month": INT, "points_centi": INT, "serial_count": INT, "settled_at": TEXT,
        "settled_by": TEXT, "statement_sha256": TEXT, "their_points_centi": INT + NULL, "town": TEXT,
    },
    "witness_refusal": {"code": TEXT, "refused_at": TEXT, "root": TEXT, "seen_size": INT + NULL, "size": INT, "vkey": TEXT},
    "witness_refusal_answer": {"answered_at": TEXT, "answered_by": TEXT, "reason_sha256": TEXT},
}
# fmt: on

_TYPES = {TEXT: str, INT: int, BOOL: bool, LIST: list, OBJECT: dict}


def body_fault(kind: str, body: Mapping[str, object]) -> str:
    """What is wrong with a body of this kind, in words; '' when it is as its schema says."""
    schema = RECORD_KINDS.get(kind)
    if schema is None:
        return f"{kind}: no such kind"
    may_lack = {name for name, said in schema.items() if said.endswith("|absent")}
    wrong = (body.keys() ^ schema.keys()) - may_lack
    if wrong:
        return f"{kind}: fields {sorted(wrong)} are missing or too many"
    for name, value in body.items():
        said = schema[name]
        if value is None and said.endswith("|null"):
            continue
        if type(value) is not _TYPES[said.partition("|")[0]]:
            return f"{kind}: {name} is {type(value).__name__}, not {said}"
    return ""
