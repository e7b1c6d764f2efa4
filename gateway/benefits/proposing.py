"""Proposals, their events and revocations: written in bulk, moved only along the edges of `states`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from gateway.benefits.deciding import array_text
from gateway.benefits.restate import event_record, proposal_record, revocation_record
from gateway.benefits.states import ProposalEvent, next_state
from gateway.db import Row, Transaction, copy_text, load_queries
from schemas.errors import NotFoundError
from schemas.proposals import ProposalState
from schemas.records import RecordDraft

queries = load_queries(__file__)


class NewProposal(NamedTuple):
    """A proposal to write. Dates are Asia/Shanghai days, the end exclusive; `salt` is 16 random bytes."""

    proposal_id: UUID
    business_on: date
    serial: str
    decision_id: UUID
    subject_id: int
    applicant_id: int
    product: str
    discount_bp: int
    limit_increase_fen: int
    reason_codes: list[str]
    decision_sha256: str
    valid_from_on: date
    valid_until_on: date
    supersedes: UUID | None
    salt: bytes


class NewRevocation(NamedTuple):
    """A request to end a proposal at the bank."""

    revocation_id: UUID
    proposal_id: UUID
    serial: str
    reason_code: str
    caused_by: str


class Move(NamedTuple):
    """What happened to one proposal, with the bank's code and reference where it was the bank."""

    proposal_id: UUID
    event: ProposalEvent
    code: str = ""
    bank_reference: str | None = None


def insert_proposals(tx: Transaction, news: Sequence[NewProposal], *, now: datetime) -> list[RecordDraft]:
    """Write proposals and point to them as the newest of their subject and product; the records to append."""
    if not news:
        return []
    rows = [(*new, now) for new in news]
    tx.copy_in(queries.copy_proposals, copy_text([(*r[:9], array_text(r[9]), *r[10:]) for r in rows]))
    tx.run(
        queries.point_to_proposals,
        {
            "subject_ids": [n.subject_id for n in news],
            "products": [n.product for n in news],
            "proposal_ids": [n.proposal_id for n in news],
        },
    )
    return [proposal_record(row) for row in rows]


def lock_proposals(tx: Transaction, proposal_ids: Iterable[UUID]) -> dict[UUID, Row]:
    """Lock proposals in one order; rows (proposal_id, state, decision_id, supersedes, valid_from_on, …) by id."""
    rows = tx.all(queries.lock_proposals, {"proposal_ids": sorted(set(proposal_ids))})
    return {row.proposal_id: row for row in rows}


def move_proposals(
    tx: Transaction, moves: Sequence[Move], *, now: datetime, new_id: Callable[[], UUID]
) -> list[RecordDraft]:
    """Write what happened, each proposal at most once a call; the records to append.

    Errors: NotFoundError for a proposal that is not there, ConflictError for an edge `states` does not have.
    """
    if not moves:
        return []
    locked = lock_proposals(tx, [m.proposal_id for m in moves])
    rows = []
    for move in moves:
        if move.proposal_id not in locked:
            raise NotFoundError("no such proposal", where="proposal_id", value=str(move.proposal_id))
        state = ProposalState(locked[move.proposal_id].state)
        after = next_state(state, move.event)
        rows.append(
            (
                new_id(),
                move.proposal_id,
                str(state),
                str(move.event),
                str(after),
                move.code,
                move.bank_reference,
                now,
            )
        )
    tx.copy_in(queries.copy_events, copy_text(rows))
    return [event_record(row) for row in rows]


def insert_revocations(
    tx: Transaction, news: Sequence[NewRevocation], *, on: date, now: datetime
) -> tuple[list[UUID], list[RecordDraft]]:
    """Write requests to revoke; a proposal already being revoked is passed over. Ids written, and the records to append."""
    if not news:
        return [], []
    rows = tx.tuples(
        queries.insert_revocations,
        {
            "on": on,
            "now": now,
            "revocation_ids": [n.revocation_id for n in news],
            "proposal_ids": [n.proposal_id for n in news],
            "serials": [n.serial for n in news],
            "reason_codes": [n.reason_code for n in news],
            "causes": [n.caused_by for n in news],
        },
    )
    return [row[0] for row in rows], [revocation_record(row) for row in rows]


def list_proposals(tx: Transaction, proposal_ids: Iterable[UUID]) -> dict[UUID, Row]:
    """Whole proposals by id, with serial and state of what they supersede."""
    rows = tx.all(queries.list_proposals, {"proposal_ids": list(proposal_ids)})
    return {row.proposal_id: row for row in rows}


def list_revocations(tx: Transaction, revocation_ids: Iterable[UUID]) -> dict[UUID, Row]:
    """Revocations by id, with serial and state of the proposal each would end."""
    rows = tx.all(queries.list_revocations, {"revocation_ids": list(revocation_ids)})
    return {row.revocation_id: row for row in rows}


def list_open(tx: Transaction, subject_ids: Sequence[int], product: str | None = None) -> list[Row]:
    """Proposals of these subjects (proposal_id, subject_id, product, applicant_id, state) that may still take effect."""
    return tx.all(queries.list_open, {"subject_ids": list(subject_ids), "product": product})


def list_replaced(tx: Transaction, proposal_ids: Sequence[UUID]) -> list[UUID]:
    """Older proposals at the bank whose place these, just accepted, take."""
    return [p for (p,) in tx.tuples(queries.list_replaced, {"proposal_ids": list(proposal_ids)})]


def list_open_of_applicants(tx: Transaction, applicant_ids: Sequence[int]) -> list[Row]:
    """Open proposals in the name of these persons."""
    return tx.all(queries.list_open_of_applicants, {"applicant_ids": list(applicant_ids)})


def list_proposals_of(tx: Transaction, subject_id: int, limit: int = 100) -> tuple[list[Row], list[Row]]:
    """A subject's proposals, newest first, and what happened to them, oldest first."""
    proposals = tx.all(queries.list_proposals_of, {"subject_id": subject_id, "limit": limit})
    events = tx.all(queries.list_events_of, {"proposal_ids": [p.proposal_id for p in proposals]})
    return proposals, events


def count_states(tx: Transaction) -> Mapping[str, int]:
    """Number of proposals by state."""
    return {row.state: int(row.proposals) for row in tx.all(queries.count_states)}


def take_starting(tx: Transaction, on: date, limit: int) -> list[Row]:
    """Lock accepted proposals whose first day has come."""
    return tx.all(queries.take_starting, {"on": on, "limit": limit})


def take_ending(tx: Transaction, on: date, limit: int) -> list[Row]:
    """Lock accepted and running proposals whose end has come."""
    return tx.all(queries.take_ending, {"on": on, "limit": limit})
