"""Decisions: written once, and the one that stands for each subject and product."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from gateway.benefits.restate import decision_record
from gateway.db import Row, Transaction, copy_text, load_queries
from schemas.policy import Decision
from schemas.records import RecordDraft

queries = load_queries(__file__)


class NewDecision(NamedTuple):
    """A decision to keep: `facts` and `body` are the bytes `replay` must reach again; `salt` is 16 random bytes."""

    decision_id: UUID
    product: str
    decision: Decision
    facts: bytes
    body: bytes
    salt: bytes
    caused_by: str

    @property
    def reason_codes(self) -> list[str]:
        """Codes of the reasons, sorted, each once."""
        return reason_codes(self.decision)


class Current(NamedTuple):
    """The decision that stands for a subject and a product, and the newest proposal made for it (None: never one)."""

    subject_id: int
    product: str
    decision_id: UUID
    applicant_id: int
    ruleset_id: str
    outcome: str
    discount_bp: int
    limit_increase_fen: int
    final_rate_bp: int | None
    reason_codes: list[str]
    proposal_id: UUID | None
    proposal_state: str | None
    proposal_decision_id: UUID | None
    proposal_discount_bp: int | None
    proposal_limit_fen: int | None
    proposal_applicant_id: int | None
    proposal_until_on: Any
    revoking: bool

    def says(self, decision: Decision) -> bool:
        """Whether `decision` has the outcome this one has: nothing new is written then."""
        return (
            self.outcome,
            self.applicant_id,
            self.discount_bp,
            self.limit_increase_fen,
            self.final_rate_bp,
            self.reason_codes,
        ) == (
            str(decision.outcome),
            decision.applicant_id,
            decision.discount_bp,
            decision.limit_increase_fen,
            decision.final_rate_bp,
            reason_codes(decision),
        )


def reason_codes(decision: Decision) -> list[str]:
    """Codes of a decision's reasons, sorted, each once."""
    return sorted({reason.code for reason in decision.reasons})


def list_current(tx: Transaction, product: str, subject_ids: Sequence[int]) -> dict[int, Current]:
    """What stands now, by subject; subjects without a decision are absent."""
    rows = tx.tuples(queries.list_current, {"product": product, "subject_ids": list(subject_ids)})
    return {row[0]: Current(*row) for row in rows}


def insert_decisions(tx: Transaction, news: Sequence[NewDecision], *, now: datetime) -> list[RecordDraft]:
    """Keep decisions and let them stand. Two statements for any number; returns the records to append."""
    if not news:
        return []
    rows, drafts = [], []
    for new in news:
        d = new.decision
        row = (
            new.decision_id, d.ruleset_id, d.subject_id, str(d.subject_kind), d.applicant_id, new.product, d.as_of_on,
            str(d.outcome), d.score_centi, d.discount_bp, d.limit_increase_fen, d.final_rate_bp, new.reason_codes,
            new.facts, new.body, new.salt, new.caused_by, now,
        )  # fmt: skip
        drafts.append(decision_record(row))
        rows.append((*row[:12], array_text(new.reason_codes), *row[13:]))
    tx.copy_in(queries.copy_decisions, copy_text(rows))
    tx.run(
        queries.put_current,
        {
            "subject_ids": [int(n.decision.subject_id) for n in news],
            "products": [n.product for n in news],
            "decision_ids": [n.decision_id for n in news],
        },
    )
    return drafts


def list_decided(tx: Transaction, decision_ids: Sequence[UUID]) -> list[Row]:
    """Rows (decision_id, ruleset_id, as_of_on): under which ruleset and as of which day."""
    return tx.all(queries.list_decided, {"decision_ids": list(decision_ids)})


def find_decision(tx: Transaction, decision_id: UUID) -> Row | None:
    """A decision row with its facts and body, or None."""
    return tx.find(queries.get_decision, {"decision_id": decision_id})


def list_decisions(tx: Transaction, subject_id: int, limit: int = 100) -> list[Row]:
    """Decisions about a subject, newest first."""
    return tx.all(queries.list_decisions, {"subject_id": subject_id, "limit": limit})


def array_text(words: Sequence[str]) -> str:
    """A text[] in PostgreSQL's input form, for COPY."""
    quoted = ['"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in words]
    return "{" + ",".join(quoted) + "}"
