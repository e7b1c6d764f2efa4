"""What follows from a decision: how long the benefit lasts, and what of the programme's quota it would use."""

from __future__ import annotations

from calendar import monthrange
from datetime import date

from gateway.policy.language import QuotaCounts, Ruleset
from schemas.policy import Decision


def benefit_period(ruleset: Ruleset, on: date) -> tuple[date, date]:
    """First day and exclusive last day of a benefit granted on a day: `term.months` later.

    Where that month has no such day, its last (31 January and one month is the end of February).
    """
    index = on.year * 12 + on.month - 1 + ruleset.term_months
    year, month = index // 12, index % 12 + 1
    return on, date(year, month, min(on.day, monthrange(year, month)[1]))


def quota_amount_fen(ruleset: Ruleset, decision: Decision) -> int:
    """What a proposal of this decision uses of the programme's quota, in fen; 0 when there is no quota.

    Counted when the proposal is approved. Where the final limit is unknown, the ruleset's assumed loan is counted.
    """
    if ruleset.quota is None:
        return 0
    if ruleset.quota.counts is QuotaCounts.LIMIT_INCREASE:
        return decision.limit_increase_fen
    return ruleset.assumed_loan_fen if decision.final_limit_fen is None else decision.final_limit_fen
