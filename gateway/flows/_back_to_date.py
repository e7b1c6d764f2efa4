"""A correction of a past quarter looks at a benefit with the day it was granted: would it have been granted so?

Where benefits follow the points (`on_decrease: at_once`), today's evaluation says it all. Where they stand until repricing, the
months that have passed since change nothing, but a correction does: the facts of that day are gathered again, as corrected.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from gateway import benefits, policy
from gateway.benefits import CORRECTED, Current
from gateway.db import Transaction
from gateway.flows._gather_facts import gather_facts
from schemas.policy import Decision, Facts, Outcome


class Regrant(NamedTuple):
    """What the benefit should have been on its day, which is less than it is; and whether that counts at once."""

    decision: Decision
    facts: Facts
    at_once: bool

    def is_no_more_than(self, other: Decision) -> bool:
        """Whether another decision gives at least as much."""
        then = self.decision
        return other.discount_bp >= then.discount_bp and other.limit_increase_fen >= then.limit_increase_fen


def regrant(
    tx: Transaction, ruleset: policy.Ruleset, current: Mapping[int, Current], causes: Mapping[int, str]
) -> dict[int, Regrant]:
    """Corrected subjects whose standing benefit would have been lower on its day. One pass a day and ruleset concerned."""
    if ruleset.on_decrease is policy.OnDecrease.AT_ONCE:
        return {}
    corrected = {
        c.proposal_decision_id: c
        for subject_id, c in current.items()
        if causes.get(subject_id, "").startswith(CORRECTED)
        and c.proposal_decision_id is not None
        and c.proposal_state in benefits.OPEN
        and not c.revoking
    }
    if not corrected:
        return {}
    days: dict[tuple[str, date], list[Current]] = defaultdict(list)
    for row in benefits.list_decided(tx, sorted(corrected)):
        days[row.ruleset_id, row.as_of_on].append(corrected[row.decision_id])
    found: dict[int, Regrant] = {}
    for (ruleset_id, on), standing in sorted(days.items(), key=lambda day: day[0]):
        found |= _regrant_day(tx, policy.get_ruleset(tx, ruleset_id), on, standing, ruleset.on_correction)
    return found


def _regrant_day(
    tx: Transaction,
    then: policy.Ruleset,
    on: date,
    standing: Sequence[Current],
    on_correction: policy.OnDecrease,
) -> dict[int, Regrant]:
    by_subject = {c.subject_id: c for c in standing}
    found = {}
    for facts in gather_facts(tx, then, sorted(by_subject), on):
        stands = by_subject[int(facts.subject_id)]
        decision = policy.evaluate(then, facts)
        if decision.applicant_id == stands.proposal_applicant_id and _is_lower(decision, stands):
            at_once = on_correction is policy.OnDecrease.AT_ONCE
            found[stands.subject_id] = Regrant(decision, facts, at_once)
    return found


def _is_lower(decision: Decision, stands: Current) -> bool:
    now = (stands.proposal_discount_bp or 0, stands.proposal_limit_fen or 0)
    if decision.outcome is not Outcome.GRANTED:
        return True
    then = (decision.discount_bp, decision.limit_increase_fen)
    return then != now and then[0] <= now[0] and then[1] <= now[1]
