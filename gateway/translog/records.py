"""Records go in: with the business transaction, in one statement whatever their number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from gateway.db import Transaction, copy_text, load_queries
from schemas.canonical import canonical_json, sorted_json
from schemas.errors import InvalidError
from schemas.records import MAX_RECORD_BYTES, RECORD_VERSION, RecordBody, RecordDraft
from schemas.values import instant_text

queries = load_queries(__file__)


def append_records(
    tx: Transaction, drafts: Sequence[RecordDraft], *, now: datetime, new_id: Callable[[], UUID]
) -> list[UUID]:
    """Write `drafts` in their order; the record ids in the same order. They get their places in the tree
    when sealed.

    One COPY for any number. Errors: InvalidError for a body over MAX_RECORD_BYTES; ValueError for a body
    without canonical form; a (kind, row_id) that was recorded before ends the transaction with ConflictError.
    """
    rows = [
        (new_id(), draft.kind, draft.row_id, stored_bytes(draft, now), now.isoformat()) for draft in drafts
    ]
    if rows:
        tx.copy_in(queries.copy_records, copy_text(rows))
    return [row[0] for row in rows]


def stored_bytes(draft: RecordDraft, recorded_at: datetime) -> bytes:
    """The bytes that are stored, hashed and served: canonical JSON of the body in its envelope."""
    body = envelope_bytes(draft.kind, draft.row_id, recorded_at, draft.body)
    if len(body) > MAX_RECORD_BYTES:
        raise InvalidError(
            "a record is too large for the log",
            code="record-too-large",
            where=f"{draft.kind} {draft.row_id}",
            value=f"{len(body)} bytes",
            remedy=f"record a digest of the rows instead of the rows; at most {MAX_RECORD_BYTES} bytes",
        )
    return body


def envelope_bytes(kind: str, row_id: str, recorded_at: datetime, body: RecordBody) -> bytes:
    """Canonical JSON of {"body", "kind", "recorded_at", "row_id", "v"}. Raises ValueError for a body without one."""
    return canonical_json(_envelope(kind, row_id, instant_text(recorded_at), body))


def says_the_same(stored: bytes, kind: str, row_id: str, recorded_at: str, body: RecordBody) -> bool:
    """Whether `stored` is the envelope of exactly these values. `recorded_at` as instant_text gives it."""
    try:
        return sorted_json(_envelope(kind, row_id, recorded_at, body)) == stored
    except TypeError:  # what JSON cannot say was never stored
        return False


def _envelope(kind: str, row_id: str, recorded_at: str, body: RecordBody) -> RecordBody:
    return {"body": body, "kind": kind, "recorded_at": recorded_at, "row_id": row_id, "v": RECORD_VERSION}
