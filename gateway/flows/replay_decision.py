"""Does a past decision still follow from its ruleset and its facts, to the byte?"""

from __future__ import annotations

from uuid import UUID

import orjson

from gateway import benefits, policy
from gateway.house import House
from schemas.errors import NotFoundError, TamperedError
from schemas.policy import Decision


def replay_decision(house: House, decision_id: UUID) -> tuple[policy.Ruleset, Decision, bytes]:
    """Evaluate a stored decision again from its stored ruleset and facts: (ruleset, decision, its bytes).

    The bytes are those that are stored, or it raises.

    Raises NotFoundError; TamperedError whose `where` is the path of the first difference, with both values.
    """
    with house.audit_db.transaction(read_only=True) as tx:
        row = benefits.find_decision(tx, decision_id)
        if row is None:
            raise NotFoundError("no such decision", where="decision_id", value=str(decision_id))
        ruleset = policy.get_ruleset(tx, row.ruleset_id)
    stored = bytes(row.body)
    decision = policy.evaluate(ruleset, policy.facts_from_bytes(bytes(row.facts)))
    again = policy.decision_bytes(decision)
    if again != stored:
        _say_where(decision_id, stored, again)
    return ruleset, decision, again


def _say_where(decision_id: UUID, stored: bytes, again: bytes) -> None:
    try:
        recorded = orjson.loads(stored)
    except ValueError:
        raise TamperedError("the stored decision is not JSON", where="$", value=str(decision_id)) from None
    difference = policy.first_difference(recorded, orjson.loads(again))
    where, was, now = difference or ("$ (the order or spelling of the bytes)", "…", "…")
    raise TamperedError(
        f"decision {decision_id} does not replay: stored {_short(was)}, evaluated again {_short(now)}",
        code="replay-differs",
        where=where,
        remedy="the ruleset, the facts or the decision was changed, or evaluation itself was; run `gateway log verify`",
    )


def _short(value: object) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= 120 else text[:119] + "…"
