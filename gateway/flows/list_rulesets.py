"""All rulesets, for people to look at."""

from __future__ import annotations

from gateway import policy
from gateway.db import Row
from gateway.house import House


def list_rulesets(house: House) -> list[Row]:
    """Rows (ruleset_id, name, product, subject, valid_from_on, proposed_by, proposed_at, approved_by, approved_at).

    By name and first day; approved_by and approved_at are None before approval.
    """
    with house.audit_db.transaction(read_only=True) as tx:
        return policy.list_rulesets(tx)
