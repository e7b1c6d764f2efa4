"""One ruleset, for people to look at."""

from __future__ import annotations

from gateway import policy
from gateway.db import Row
from gateway.house import House


def show_ruleset(house: House, ruleset_id: str) -> tuple[Row, policy.Ruleset]:
    """The row (with YAML and approval) and the ruleset of an id, or of at least 8 characters of it. Raises NotFoundError."""
    with house.audit_db.transaction(read_only=True) as tx:
        full_id = policy.find_ruleset_id(tx, ruleset_id)
        return policy.get_row(tx, full_id), policy.get_ruleset(tx, full_id)
