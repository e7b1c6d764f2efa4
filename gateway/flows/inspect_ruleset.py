"""One ruleset as it was written, each line with its reference, and what it changed of the one before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway import policy
from gateway.db import Row
from gateway.house import House


@dataclass(frozen=True, slots=True)
class RulesetView:
    """`before` is the ruleset of the same name that began last before it, approved or not; `changes` are path by path."""

    row: Row
    ruleset: policy.Ruleset
    lines: tuple[str, ...]
    references: Mapping[int, str]  # line number, from 1 → reference of what begins there
    before: Row | None
    changes: tuple[policy.Change, ...]


def inspect_ruleset(house: House, ruleset_id: str) -> RulesetView:
    """By id, or at least 8 characters of it. Raises NotFoundError, InvalidError for two that begin so."""
    with house.audit_db.transaction(read_only=True, isolation="repeatable read") as tx:
        row = policy.get_row(tx, policy.find_ruleset_id(tx, ruleset_id))
        every = [one for one in policy.list_rulesets(tx) if one.name == row.name]
        earlier = [
            one
            for one in every
            if (one.valid_from_on, one.proposed_at) < (row.valid_from_on, row.proposed_at)
        ]
        before = policy.get_row(tx, earlier[-1].ruleset_id) if earlier else None
    ruleset = policy.read_row(row)
    sources = policy.list_sources(ruleset, row.yaml)
    references: dict[int, str] = {}
    for source in sources.values():
        if source.line is not None and source.reference:
            references[source.line] = source.reference
    return RulesetView(
        row, ruleset, tuple(row.yaml.splitlines()), references, before,
        tuple(policy.compare(policy.read_row(before), ruleset)) if before else (),
    )  # fmt: skip
