"""What points are worth: evaluate whose facts changed, keep decisions that say something new, propose them to the bank."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from gateway import benefits
from gateway.flows._sweeping import Sweep, rulesets_in_force
from gateway.house import House
from schemas.values import beijing_date

CHUNK = 2000  # subjects in one transaction


def propose_benefits(house: House, *, now: datetime, limit: int = 40_000) -> dict[str, int]:
    """Evaluate changed subjects under every ruleset in force until about `limit` are done; what was done, counted.

    Each chunk is one transaction, and the queue's rows leave in it: killed at any point, the same subjects are evaluated
    again. Nothing is said to the bank here; messages wait in the outbox.
    """
    counts: Counter[str] = Counter()
    while counts["subjects"] < limit:
        done = _sweep(house, min(CHUNK, limit - counts["subjects"]), now=now)
        counts += done
        if not done["subjects"]:
            break
    return dict(counts)


def _sweep(house: House, size: int, *, now: datetime) -> Counter[str]:
    """One chunk, in one transaction."""
    on = beijing_date(now)
    with house.db.transaction() as tx:
        rulesets = rulesets_in_force(tx, on)
        for ruleset_id in benefits.mark_swept(tx, [r.ruleset_id for r in rulesets], now=now):
            benefits.mark_everybody(tx, cause=f"ruleset:{ruleset_id}", now=now)
        changed = benefits.claim_changes(tx, size, on)
        sweep = Sweep(house, tx, now, on, {c.subject_id: c.cause for c in changed})
        if changed:
            benefits.lock_subjects(tx, [c.subject_id for c in changed], now=now)
            sweep.revoke_unmappable(changed)
            for ruleset in rulesets:
                sweep.evaluate(ruleset, [c.subject_id for c in changed if c.subject_kind == ruleset.subject])
        sweep.counts["subjects"] = len(changed)
        return sweep.counts
