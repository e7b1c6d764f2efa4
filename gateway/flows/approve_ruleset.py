"""A new policy, second half: another person approves it."""

from __future__ import annotations

from datetime import datetime

from gateway import policy, translog
from gateway.house import House
from gateway.policy.restate import APPROVED, ruleset_record


def approve_ruleset(house: House, ruleset_id: str, *, by: str, now: datetime) -> tuple[policy.Ruleset, bool]:
    """Approve a proposed ruleset (its id, or at least 8 characters of it); the ruleset, and whether it was approved just now.

    Raises NotFoundError; RefusedError for the proposer; ConflictError when approved by somebody else, or when another ruleset
    of this name begins on the same day.
    """
    with house.db.transaction() as tx:
        full_id = policy.find_ruleset_id(tx, ruleset_id)
        new = policy.insert_approval(tx, full_id, by=by, now=now)
        if new:
            translog.append_records(tx, [ruleset_record(tx, APPROVED, full_id)], now=now, new_id=house.new_id)
        return policy.get_ruleset(tx, full_id), new
