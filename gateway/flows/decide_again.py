"""A person lets a resident's benefits be decided again because of an objection: the new decisions name it as their cause."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from gateway import benefits, objections, subjects
from gateway.flows._sweeping import OBJECTED, Sweep, rulesets_in_force
from gateway.house import House
from gateway.translog import append_records
from schemas.errors import RefusedError
from schemas.policy import SubjectKind
from schemas.values import beijing_date


def decide_again(house: House, objection_id: UUID, *, by: str, words: str, now: datetime) -> list[UUID]:
    """The decisions made, also where they say what stood before: under the rules in force, with the facts of now. What follows
    from them (a proposal, a revocation) goes the same way as ever. `words`: what the person looked at and found.

    Errors: NotFoundError, ConflictError (answered, withdrawn), InvalidError (no words), RefusedError (nothing can be decided:
    no consent, no ruleset in force, or the bank has not said the base rate yet; then it is asked).
    """
    on = beijing_date(now)
    with house.db.transaction() as tx:
        stands = objections.lock_objection(tx, objection_id)
        objections.next_state(stands.state, objections.ObjectionEvent.DECIDED_AGAIN)
        households = [int(h) for h in subjects.list_households_of(tx, [stands.person_id])]
        holders = sorted([stands.person_id, *households])
        benefits.lock_subjects(tx, holders, now=now)
        sweep = Sweep(house, tx, now, on, dict.fromkeys(holders, f"{OBJECTED}{objection_id}"))
        for ruleset in rulesets_in_force(tx, on):
            persons = ruleset.subject is SubjectKind.PERSON
            sweep.evaluate(ruleset, [stands.person_id] if persons else households)
        if sweep.made:
            objections.end_reviews(tx, holders)
            new = objections.NewEvent(
                house.new_id(),
                objections.ObjectionEvent.DECIDED_AGAIN,
                by,
                objections.WordsOf(words),
                stands.due_on,
                decision_ids=tuple(sorted(map(str, sweep.made))),
            )
            draft = objections.insert_event(tx, house.keys, stands, new, now=now)
            append_records(tx, [draft], now=now, new_id=house.new_id)
    if not sweep.made:  # what was asked of the bank on the way stays asked
        raise RefusedError(
            "nothing can be decided about this resident now",
            code="nothing-to-decide",
            where="objection_id",
            value=str(objection_id),
            remedy="look for a consent in force and a ruleset in force; else the bank is being asked: try again in a minute",
        )
    return sweep.made
