"""All rulesets, for people to look at."""

from __future__ import annotations

from gateway import policy
from gateway.db import Row
from gateway.house import House


def list_rulesets(house: House) -> list[Row]:
    """Rows (ruleset_id, name, product, subject, valid_from_on, proposed_by, proposed_at, approved_by, approved_at), by name and day."""
    with house.db.transaction(read_only=True) as tx:
        return policy.list_rulesets(tx)
