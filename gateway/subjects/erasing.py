"""Restricting and erasing residents, and holds that keep them. What identifies goes; ids, rows and proofs stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from gateway.db import Transaction, copy_text, int_array, load_queries
from gateway.subjects.erasure_records import (
    end_record,
    erasure_record,
    hold_record,
    request_record,
)
from gateway.subjects.registration import refresh_standing
from schemas.errors import ConflictError, InvalidError, NotFoundError
from schemas.records import RecordDraft
from schemas.values import TownCode

queries = load_queries(__file__)
CAUSES = ("resident_asked", "consent_withdrawn", "purpose_ended", "authority")


class ErasureRequest(NamedTuple):
    """Who is to be erased, why, and from which day on it may be done."""

    request_id: UUID
    person_id: int
    requested_by: str
    cause: str
    basis: str
    due_on: date
    requested_at: datetime


class Due(NamedTuple):
    """A request whose day has come and that no hold stops."""

    request_id: str
    person_id: int


def find_last_consent_at(tx: Transaction, person_id: int) -> datetime | None:
    """When the person last gave or withdrew a consent."""
    found: datetime | None = tx.one(queries.find_last_consent, {"person_id": person_id}).at
    return found


def insert_erasure_request(tx: Transaction, request: ErasureRequest) -> tuple[list[RecordDraft], list[str]]:
    """Restrict the person, withdraw every consent, and note the day. The records, and the ids of the consents withdrawn.

    Raises InvalidError, or ConflictError when the person is to be erased already.
    """
    if request.cause not in CAUSES or not request.requested_by.strip():
        raise InvalidError(
            "say who asks and why", where="cause", value=request.cause, remedy=", ".join(CAUSES)
        )
    if tx.find(queries.find_erasure_request, {"person_id": request.person_id}) is not None:
        raise ConflictError(
            "the resident is to be erased already", code="erasure-requested", value=request.person_id
        )
    now = request.requested_at
    tx.run(queries.restrict_person, {"person_id": request.person_id, "now": now})
    withdrawn = tx.tuples(queries.withdraw_all_consents, {"person_id": request.person_id, "now": now})
    for town in sorted({town for _, town in withdrawn}):
        refresh_standing(tx, TownCode(town), [request.person_id])
        tx.run(queries.change_version, {"town": town})
    tx.run(queries.insert_erasure_request, {**request._asdict(), "request_id": str(request.request_id)})
    return [request_record(request)], [consent_id for consent_id, _ in withdrawn]


def list_due(tx: Transaction, on: date, after: int, limit: int) -> list[Due]:
    """Up to `limit` of them, by person id after `after`."""
    params = {"on": on, "after": after, "limit": limit}
    return [Due(*row) for row in tx.tuples(queries.list_due_erasures, params)]


def erase_persons(
    tx: Transaction, due: Sequence[Due], pushes_cut: Mapping[int, int], *, now: datetime
) -> list[RecordDraft]:
    """Take away what identifies these persons: the sealed identity, the salt, the birth date, every way to find them."""
    ids = int_array(one.person_id for one in due)
    tx.run(queries.erase_persons, {"person_ids": ids, "now": now})
    tx.run(queries.erase_identifiers, {"person_ids": ids})
    for town in sorted({town for (town,) in tx.tuples(queries.erase_standing, {"person_ids": ids})}):
        tx.run(queries.change_version, {"town": town})
    rows = [(one.request_id, one.person_id, pushes_cut.get(one.person_id, 0), now) for one in due]
    tx.copy_in(queries.copy_erasures, copy_text(rows))
    return [erasure_record(row) for row in rows]


def insert_hold(
    tx: Transaction, hold_id: UUID, person_id: int, *, by: str, reason: str, now: datetime
) -> RecordDraft:
    """Nothing of the person is erased while this stands."""
    _check(by, reason)
    params = {"hold_id": str(hold_id), "person_id": person_id, "by": by, "reason": reason, "now": now}
    tx.run(queries.insert_hold, params)
    return hold_record((hold_id, person_id, by, reason, now))


def end_legal_hold(tx: Transaction, hold_id: UUID, *, by: str, reason: str, now: datetime) -> RecordDraft:
    """The hold ends. Raises NotFoundError, ConflictError when it has ended."""
    _check(by, reason)
    found = tx.find(queries.find_hold, {"hold_id": str(hold_id)})
    if found is None:
        raise NotFoundError("there is no such hold", where="hold_id", value=str(hold_id))
    if found.ended:
        raise ConflictError("the hold has ended already", code="hold-ended", value=str(hold_id))
    tx.run(queries.insert_hold_end, {"hold_id": str(hold_id), "by": by, "reason": reason, "now": now})
    return end_record((hold_id, by, reason, now))


def _check(by: str, reason: str) -> None:
    if not by.strip() or not 4 <= len(reason) <= 500:
        raise InvalidError("say who and why, in 4 to 500 characters", code="hold-reason", where="reason")


def list_faults(tx: Transaction) -> list[str]:
    """Erasures that were undone: a person is there again who was erased."""
    return [
        f"person {person_id} was erased and is identified again"
        for (person_id,) in tx.tuples(queries.list_unerased)
    ]
