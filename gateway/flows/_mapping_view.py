"""One decision taken apart, as far as it lies in the database: the piece that `inspect_mapping` and `compare_decisions` share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from gateway import benefits, policy
from gateway.db import Row, Transaction
from gateway.flows._audit_case import Case
from schemas.errors import ForbiddenError, NotFoundError
from schemas.policy import Facts


@dataclass(frozen=True, slots=True)
class MappingView:
    """A decision and everything it rests on. `body` is what is stored (reasons, trace, rates); `fault` is empty when evaluating
    again gives the same bytes, else says where it does not; `sources` the lines of the ruleset by path."""

    case: Case
    decision: Row
    body: Mapping[str, Any]
    facts: Facts
    ruleset: policy.Ruleset
    ruleset_row: Row
    breakdown: policy.Breakdown
    sources: Mapping[str, policy.Source]
    proposals: tuple[Row, ...]
    events: tuple[Row, ...]
    before_id: UUID | None
    stands_instead: Row | None  # the proposal in force, where this decision stands and was not proposed
    fault: str


def view_mapping(tx: Transaction, case: Case, decision_id: UUID) -> MappingView:
    """Six statements. Errors: NotFoundError; ForbiddenError for a decision about somebody else than the case."""
    row = benefits.find_decision(tx, decision_id)
    if row is None:
        raise NotFoundError("there is no such decision", code="decision-not-found", where="decision")
    if case.person_id not in (row.subject_id, row.applicant_id):
        raise ForbiddenError(
            "the decision is about somebody else", code="decision-of-another", where="decision"
        )
    ruleset_row = policy.get_row(tx, row.ruleset_id)
    ruleset = policy.read_row(ruleset_row)
    proposals = benefits.list_proposals_made_of(tx, [decision_id])
    events = benefits.list_events_of(tx, [one.proposal_id for one in proposals])
    before_id = benefits.find_decision_before(tx, decision_id)
    instead = None if proposals else benefits.find_standing_proposal(tx, decision_id)
    body, facts = orjson.loads(bytes(row.body)), policy.facts_from_bytes(bytes(row.facts))
    return MappingView(
        case, row, body, facts, ruleset, ruleset_row, policy.break_down(ruleset, facts, body),
        policy.list_sources(ruleset, ruleset_row.yaml), tuple(proposals), tuple(events), before_id, instead,
        _fault(ruleset, facts, bytes(row.body)),
    )  # fmt: skip


def _fault(ruleset: policy.Ruleset, facts: Facts, stored: bytes) -> str:
    """Where evaluating again does not give what is stored; '' when it does, to the byte."""
    again = policy.decision_bytes(policy.evaluate(ruleset, facts))
    if again == stored:
        return ""
    difference = policy.first_difference(orjson.loads(stored), orjson.loads(again))
    return difference[0] if difference else "$"
