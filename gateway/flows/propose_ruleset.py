"""A new policy, first half: somebody proposes a document."""

from __future__ import annotations

from datetime import datetime

from gateway import policy, translog
from gateway.house import House
from gateway.policy.restate import PROPOSED, ruleset_record


def propose_ruleset(house: House, text: str, *, by: str, now: datetime) -> tuple[policy.Ruleset, bool]:
    """Validate and store the YAML document `text`; the ruleset, and whether it is new. The same again changes nothing.

    Raises RulesetInvalidError (an InvalidError) with every fault; ConflictError when somebody else proposed it.
    """
    with house.db.transaction() as tx:
        ruleset, new = policy.insert_ruleset(tx, text, by=by, now=now)
        if new:
            translog.append_records(
                tx, [ruleset_record(tx, PROPOSED, ruleset.ruleset_id)], now=now, new_id=house.new_id
            )
    return ruleset, new
