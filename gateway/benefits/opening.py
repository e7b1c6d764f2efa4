"""What outsiders need to check this room's records: the values under their commitments, the facts and the trace."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from gateway.benefits.restate import ANSWER, DECISION, PROPOSAL, REVOCATION, decision_hidden, proposal_hidden
from gateway.db import Row, Transaction, int_array, load_queries
from schemas.evidence import Opening

queries = load_queries(__file__)


class Story(NamedTuple):
    """Everything this room recorded about some decisions, by (kind, row id), and the rulesets they rest on."""

    openings: dict[tuple[str, str], Opening]
    ruleset_ids: list[str]


def list_decision_ids_about(
    tx: Transaction, person_id: int, holder_ids: Sequence[int], limit: int
) -> list[str]:
    """Decisions about these holders in which the person is the subject or would apply, oldest first."""
    params = {"person_id": person_id, "holder_ids": list(holder_ids), "limit": limit}
    return [row_id for (row_id,) in tx.tuples(queries.list_decisions_about, params)]


def list_told(tx: Transaction, applicant_id: int, subject_ids: Sequence[int]) -> list[Row]:
    """What stands for an applicant: the decision, its body, and the state of the proposal made for it (None: none)."""
    return tx.all(queries.list_told, {"applicant_id": applicant_id, "subject_ids": int_array(subject_ids)})


def open_story(tx: Transaction, decision_ids: Sequence[str]) -> Story:
    """The decisions, the proposals made of them, and what became of these. Four statements whatever the number."""
    openings: dict[tuple[str, str], Opening] = {}
    ruleset_ids: set[str] = set()
    for row_id, *row in tx.tuples(queries.restate_decisions, {"row_ids": list(decision_ids)}):
        attached = {"facts": bytes(row[13]).decode(), "body": bytes(row[14]).decode()}
        openings[DECISION, row_id] = Opening(bytes(row[15]), decision_hidden(row), attached)
        ruleset_ids.add(row[1])
    found = tx.tuples(queries.list_proposals_of_decisions, {"decision_ids": list(decision_ids)})
    proposal_ids = [row_id for (row_id,) in found]
    for row_id, *row in tx.tuples(queries.restate_proposals, {"row_ids": proposal_ids}):
        openings[PROPOSAL, row_id] = Opening(bytes(row[14]), proposal_hidden(row))
    for kind, row_id in tx.tuples(queries.list_parts_of_proposals, {"proposal_ids": proposal_ids}):
        openings[ANSWER if kind == "event" else REVOCATION, row_id] = Opening()
    return Story(openings, sorted(ruleset_ids))


def open_commitments(
    tx: Transaction, decision_ids: Sequence[str], proposal_ids: Sequence[str]
) -> dict[tuple[str, str], Opening]:
    """What the records of these decisions and proposals commit to, and nothing beside it."""
    openings: dict[tuple[str, str], Opening] = {}
    for row_id, *row in tx.tuples(queries.restate_decisions, {"row_ids": list(decision_ids)}):
        openings[DECISION, row_id] = Opening(bytes(row[15]), decision_hidden(row))
    for row_id, *row in tx.tuples(queries.restate_proposals, {"row_ids": list(proposal_ids)}):
        openings[PROPOSAL, row_id] = Opening(bytes(row[14]), proposal_hidden(row))
    return openings


def find_last_decided_at(tx: Transaction, person_id: int) -> datetime | None:
    """When something was last decided in which the person is the subject, or would apply for their household."""
    found: datetime | None = tx.one(queries.find_last_decided, {"person_id": person_id}).at
    return found


def list_applicants_with_open(tx: Transaction, applicant_ids: Sequence[int]) -> set[int]:
    """Those in whose name something is open at the bank, also while it is being revoked."""
    rows = tx.tuples(queries.list_applicants_with_open, {"applicant_ids": list(applicant_ids)})
    return {applicant_id for (applicant_id,) in rows}
