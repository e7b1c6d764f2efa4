"""What stands of one family: what it can spend, what was decided, what was proposed to the bank. For the demo and the counter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway import benefits, ledger, subjects
from gateway.db import Row
from gateway.house import House
from schemas.errors import NotFoundError
from schemas.values import TownCode, beijing_date


@dataclass(frozen=True, slots=True)
class FamilyView:
    """Ids and numbers only. `proposals` and `decisions` are those of the household and of the members asked for."""

    household_id: int
    spendable_centi: int
    proposals: tuple[
        Row, ...
    ]  # proposal_id, serial, decision_id, subject_id, product, discount_bp, limit_increase_fen, state
    decisions: tuple[
        Row, ...
    ]  # decision_id, subject_id, subject_kind, product, outcome, discount_bp, limit_increase_fen


def inspect_family(
    house: House, town: TownCode, household_code: str, id_nos: Sequence[str] = (), *, now: datetime
) -> FamilyView:
    """The family with this code today, and those of its members that are kept. Raises NotFoundError."""
    with house.audit_db.transaction(read_only=True) as tx:
        household = subjects.find_household(tx, town, household_code, beijing_date(now))
        if household is None:
            raise NotFoundError(
                "no such household", where="household_code", remedy="check town and family code"
            )
        people = [subjects.find_person(tx, house.keys, id_no) for id_no in id_nos]
        concerned = [int(household), *(int(person) for person in people if person is not None)]
        spendable = ledger.list_spendable(tx, [int(household)])
        proposals = [row for subject in concerned for row in benefits.list_proposals_of(tx, subject)[0]]
        decisions = [row for subject in concerned for row in benefits.list_decisions(tx, subject)]
    points = sum(centi for _, of_town, centi in spendable if of_town == town)
    return FamilyView(int(household), points, tuple(proposals), tuple(decisions))
