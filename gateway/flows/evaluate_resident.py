"""Why would this resident get what? Read-only: evaluates the rulesets in force on a day and stores nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from gateway import policy, subjects
from gateway.db import Transaction
from gateway.flows._gather_facts import gather_facts
from gateway.house import House
from schemas.errors import InvalidError, NotFoundError
from schemas.policy import Decision
from schemas.values import TownCode, beijing_date


def evaluate_resident(
    house: House,
    *,
    now: datetime,
    id_no: str | None = None,
    household: tuple[TownCode, str] | None = None,
    person_id: int | None = None,
    on: date | None = None,
    ruleset: policy.Ruleset | None = None,
) -> list[tuple[policy.Ruleset, Decision]]:
    """Decisions for one resident (`id_no` or `person_id`) or family (`household`: town and family code), each with its ruleset.

    For a resident, rulesets for persons look at them and rulesets for households at each of their households. `on` is the
    day of `now` in Beijing when None. With `ruleset` only that one, in force or not. Empty when no consent admits mapping.
    Raises NotFoundError (nobody known, without repeating who was asked for), InvalidError when not exactly one is named.
    """
    if sum(x is not None for x in (id_no, household, person_id)) != 1:
        raise InvalidError(
            "name one resident or one household", remedy="give exactly one of id_no, household, person_id"
        )
    day = on or beijing_date(now)
    with house.db.transaction(read_only=True, isolation="repeatable read") as tx:
        if household is not None:
            asked: Sequence[int] = [_household(tx, household, day)]
        else:
            found = (
                person_id if person_id is not None else subjects.find_person(tx, house.keys, _upper(id_no))
            )
            if found is None:
                raise NotFoundError(
                    "no such resident",
                    where="id_no",
                    remedy="check the number; only residents with a consent are kept",
                )
            asked = [found, *subjects.list_households_of(tx, [found])]
        rulesets = [ruleset] if ruleset is not None else policy.list_in_force(tx, day)
        return [
            (each, policy.evaluate(each, facts))
            for each in rulesets
            for facts in gather_facts(tx, each, asked, day)
        ]


def _household(tx: Transaction, household: tuple[TownCode, str], on: date) -> int:
    found = subjects.find_household(tx, household[0], household[1], on)
    if found is None:
        raise NotFoundError(
            "no such household", where="household", value=household[0], remedy="check town and family code"
        )
    return found


def _upper(id_no: str | None) -> str:
    return (id_no or "").strip().upper()
