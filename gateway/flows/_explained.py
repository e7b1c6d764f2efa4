"""A stored decision in plain words for the person it is about, each step with its line of the ruleset and its reference."""

from __future__ import annotations

from uuid import UUID

from gateway import benefits, policy
from gateway.db import Transaction
from schemas.errors import NotFoundError, TamperedError
from schemas.objections import ExplainedDecision


def explained_decision(tx: Transaction, decision_id: UUID) -> ExplainedDecision:
    """Evaluated again on the way: what does not follow from its ruleset and facts any more is not told to anybody.

    Raises NotFoundError, TamperedError.
    """
    row = benefits.find_decision(tx, decision_id)
    if row is None:
        raise NotFoundError("no such decision", where="decision_id", value=str(decision_id))
    stored = policy.get_row(tx, row.ruleset_id)
    ruleset = policy.read_row(stored)
    decision = policy.evaluate(ruleset, policy.facts_from_bytes(bytes(row.facts)))
    if policy.decision_bytes(decision) != bytes(row.body):
        raise TamperedError(
            "the decision does not follow from its ruleset and its facts any more",
            code="replay-differs",
            where="decision_id",
            value=str(decision_id),
            remedy="`gateway policy replay` names the first difference; explain nothing before that is cleared",
        )
    sources = policy.list_sources(ruleset, stored.yaml)
    return ExplainedDecision(
        ruleset.title_zh,
        f"{ruleset.name}，{ruleset.valid_from_on} 起施行，规则编号 {ruleset.ruleset_id[:12]}",
        str(decision_id),
        decision.as_of_on,
        policy.result_text(decision),
        tuple(reason.zh for reason in decision.reasons),
        tuple(
            (step.zh, step.rule, sources[step.rule].reference if step.rule in sources else "")
            for step in decision.trace
        ),
    )
