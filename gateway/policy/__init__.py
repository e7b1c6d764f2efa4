"""Policy: rulesets, and what they say about facts.

Owns: ruleset, ruleset_approval
Reads: month_sum, contribution, account, household, membership, person, consent, mark, facility
Never: adds raw points of two towns, edits a ruleset, lets its author approve it, decides in anything but integers

A ruleset is a dated document; `evaluate(ruleset, facts)` is pure. See docs/policy.md for the language.
"""

from gateway.policy.codec import (
    decision_body,
    decision_bytes,
    facts_bytes,
    facts_from_bytes,
    first_difference,
)
from gateway.policy.document import (
    RulesetInvalidError,
    load_packaged,
    load_ruleset,
    packaged_names,
    ruleset_from_bytes,
)
from gateway.policy.evaluation import evaluate
from gateway.policy.language import OnDecrease, QuotaCounts, Ruleset
from gateway.policy.storing import (
    find_ruleset_id,
    get_row,
    get_ruleset,
    insert_approval,
    insert_ruleset,
    list_in_force,
    list_rulesets,
)
from gateway.policy.terms import benefit_period, quota_amount_fen
from gateway.policy.words import reason

__all__ = [
    "OnDecrease",
    "QuotaCounts",
    "Ruleset",
    "RulesetInvalidError",
    "benefit_period",
    "decision_body",
    "decision_bytes",
    "evaluate",
    "facts_bytes",
    "facts_from_bytes",
    "find_ruleset_id",
    "first_difference",
    "get_row",
    "get_ruleset",
    "insert_approval",
    "insert_ruleset",
    "list_in_force",
    "list_rulesets",
    "load_packaged",
    "load_ruleset",
    "packaged_names",
    "quota_amount_fen",
    "reason",
    "ruleset_from_bytes",
]
