"""What the log says of erasures and holds, and how verification says it again. Free text of people enters as its digest."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from gateway.db import load_queries
from gateway.db.restating import RowRestater
from schemas.records import RecordDraft, Restater
from schemas.values import instant_text

queries = load_queries(__file__)
REQUESTED, ERASED, HELD, RELEASED = (
    "erasure_requested",
    "resident_erased",
    "legal_hold_set",
    "legal_hold_ended",
)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def request_record(row: Sequence[Any]) -> RecordDraft:
    """Of the columns of erasure_request in their order."""
    request_id, person_id, requested_by, cause, basis, due_on, requested_at = row
    said = {
        "person_id": person_id,
        "requested_by": requested_by,
        "cause": cause,
        "basis": basis,
        "due_on": due_on.isoformat(),
        "requested_at": instant_text(requested_at),
    }
    return RecordDraft(REQUESTED, str(request_id), said)


def erasure_record(row: Sequence[Any]) -> RecordDraft:
    """Of the columns of erasure in their order."""
    request_id, person_id, pushes_cut, erased_at = row
    said = {"person_id": person_id, "pushes_cut": pushes_cut, "erased_at": instant_text(erased_at)}
    return RecordDraft(ERASED, str(request_id), said)


def hold_record(row: Sequence[Any]) -> RecordDraft:
    """Of the columns of legal_hold in their order."""
    hold_id, person_id, set_by, reason, set_at = row
    said = {
        "person_id": person_id,
        "set_by": set_by,
        "reason_sha256": _digest(reason),
        "set_at": instant_text(set_at),
    }
    return RecordDraft(HELD, str(hold_id), said)


def end_record(row: Sequence[Any]) -> RecordDraft:
    """Of the columns of legal_hold_end in their order."""
    hold_id, ended_by, reason, ended_at = row
    said = {"ended_by": ended_by, "reason_sha256": _digest(reason), "ended_at": instant_text(ended_at)}
    return RecordDraft(RELEASED, str(hold_id), said)


ERASURE_RESTATERS: dict[str, Restater] = {
    REQUESTED: RowRestater(
        REQUESTED, "erasure_request", queries.list_request_ids, queries.restate_requests, request_record
    ),
    ERASED: RowRestater(
        ERASED, "erasure", queries.list_erasure_ids, queries.restate_erasures, erasure_record
    ),
    HELD: RowRestater(HELD, "legal_hold", queries.list_hold_ids, queries.restate_holds, hold_record),
    RELEASED: RowRestater(
        RELEASED, "legal_hold_end", queries.list_hold_end_ids, queries.restate_hold_ends, end_record
    ),
}
