"""What auditors read: decisions about somebody, in a period, and what became of them. Each list is bounded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from gateway.db import Row, Transaction, int_array, load_queries
from schemas.audit import Happening

queries = load_queries(__file__)


def list_decisions_of_person(
    tx: Transaction, person_id: int, holder_ids: Sequence[int], before: datetime, limit: int
) -> list[Row]:
    """Decisions in which the person is the subject or would apply, made before an instant, newest first; `stands`: it is the one
    in force for its subject and product."""
    params = {"person_id": person_id, "holder_ids": int_array(holder_ids), "before": before, "limit": limit}
    return tx.all(queries.list_decisions_of_person, params)


def list_decided_between(tx: Transaction, from_at: datetime, until_at: datetime, limit: int) -> list[Row]:
    """Decisions made in [from_at, until_at), newest first."""
    return tx.all(queries.list_decided_between, {"from_at": from_at, "until_at": until_at, "limit": limit})


def count_decided_between(tx: Transaction, from_at: datetime, until_at: datetime) -> list[Row]:
    """How many in [from_at, until_at), by product and outcome."""
    return tx.all(queries.count_decided_between, {"from_at": from_at, "until_at": until_at})


def list_proposals_made_of(tx: Transaction, decision_ids: Sequence[UUID]) -> list[Row]:
    """The proposals made of these decisions, oldest first, each with its state and its revocation if one was asked for."""
    return tx.all(queries.list_proposals_made_of, {"decision_ids": list(decision_ids)})


def list_events_of(tx: Transaction, proposal_ids: Sequence[UUID]) -> list[Row]:
    """What happened to these proposals, in order: event_id, proposal_id, from_state, event, to_state, code, bank_reference,
    happened_at."""
    return tx.all(queries.list_events_of, {"proposal_ids": list(proposal_ids)})


def find_decision_before(tx: Transaction, decision_id: UUID) -> UUID | None:
    """The decision that stood for the same subject and product before this one; None: it was the first."""
    row = tx.find(queries.find_decision_before, {"decision_id": decision_id})
    return row.decision_id if row else None


def list_happenings(
    tx: Transaction, person_id: int, holder_ids: Sequence[int], before: datetime, limit: int
) -> list[Happening]:
    """Decisions, proposals and what became of them, before an instant, newest first."""
    params = {
        "person_id": person_id,
        "holder_ids": int_array(holder_ids),
        "before": before,
        "limit": limit,
    }
    return [Happening(*row) for row in tx.tuples(queries.list_happenings, params)]


def find_standing_proposal(tx: Transaction, decision_id: UUID) -> Row | None:
    """The proposal of an earlier decision that is still open while this one stands, if there is one."""
    return tx.find(queries.find_standing_proposal, {"decision_id": decision_id})
