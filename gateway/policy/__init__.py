"""Policy: rulesets, and what they say about facts.

Owns: ruleset, ruleset_approval
Reads: month_sum, household, membership, person, consent
Never: adds raw points of two towns, edits a ruleset, lets its author approve it, decides in anything but integers

A ruleset is a dated document; `evaluate(ruleset, facts)` is pure. See docs/policy.md for the language.
"""

from gateway.policy.breakdown import (
    Breakdown,
    CategoryShare,
    Gate,
    Source,
    TownShare,
    break_down,
    list_sources,
)
from gateway.policy.cases import CaseResult, list_case_files, run_cases
from gateway.policy.codec import (
    decision_body,
    decision_bytes,
    facts_bytes,
    facts_from_bytes,
    first_difference,
)
from gateway.policy.columns import OUTCOMES, Columns, Results, evaluate_columns, evaluate_many
from gateway.policy.comparing import Change, compare
from gateway.policy.document import (
    RulesetInvalidError,
    load_packaged,
    load_ruleset,
    packaged_names,
    packaged_text,
    ruleset_from_bytes,
)
from gateway.policy.evaluation import evaluate
from gateway.policy.explaining import explain, result_text
from gateway.policy.figures import facts_of_points
from gateway.policy.language import OnDecrease, QuotaCounts, Ruleset
from gateway.policy.opening import open_rulesets
from gateway.policy.storing import (
    find_ruleset_id,
    get_row,
    get_ruleset,
    insert_approval,
    insert_ruleset,
    list_in_force,
    list_rulesets,
    read_row,
)
from gateway.policy.terms import benefit_period, quota_amount_fen
from gateway.policy.words import reason

__all__ = [
    "OUTCOMES",
    "Breakdown",
    "CaseResult",
    "CategoryShare",
    "Change",
    "Columns",
    "Gate",
    "OnDecrease",
    "QuotaCounts",
    "Results",
    "Ruleset",
    "RulesetInvalidError",
    "Source",
    "TownShare",
    "benefit_period",
    "break_down",
    "compare",
    "decision_body",
    "decision_bytes",
    "evaluate",
    "evaluate_columns",
    "evaluate_many",
    "explain",
    "facts_bytes",
    "facts_from_bytes",
    "facts_of_points",
    "find_ruleset_id",
    "first_difference",
    "get_row",
    "get_ruleset",
    "insert_approval",
    "insert_ruleset",
    "list_case_files",
    "list_in_force",
    "list_rulesets",
    "list_sources",
    "load_packaged",
    "load_ruleset",
    "open_rulesets",
    "packaged_names",
    "packaged_text",
    "quota_amount_fen",
    "read_row",
    "reason",
    "result_text",
    "ruleset_from_bytes",
    "run_cases",
]
