"""The resident of a case: who (masked), which households, every decision about them, and who else looked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from gateway import benefits, staff, subjects
from gateway.db import Row
from gateway.flows._audit_case import Case, open_case
from gateway.house import House
from schemas.masking import masked_id_no, masked_name
from schemas.staff import StaffCaller
from schemas.values import PersonId, beijing_date

MOST_DECISIONS, MOST_LOOKS = 200, 200


@dataclass(frozen=True, slots=True)
class CaseView:
    """A resident as the audit desk shows them. Erased: name and id are '—', everything else stands."""

    case: Case
    masked_name: str = field(repr=False)
    masked_id_no: str = field(repr=False)
    accounts: tuple[Row, ...]  # (town, household_id, code) of today
    decisions: tuple[Row, ...]  # newest first
    looks: tuple[Row, ...]  # newest first

    @property
    def standing(self) -> tuple[Row, ...]:
        """The decisions that are in force."""
        return tuple(row for row in self.decisions if row.stands)


def inspect_case(house: House, caller: StaffCaller, look_id: UUID, *, now: datetime) -> CaseView:
    """Six statements, whatever the resident did. Errors as in `open_case`."""
    with house.audit_db.transaction(read_only=True, isolation="repeatable read") as tx:
        case = open_case(house, tx, caller, look_id, now)
        identity = subjects.list_identities(tx, house.keys, [case.person_id]).get(PersonId(case.person_id))
        return CaseView(
            case,
            masked_name(identity.name) if identity else "—",
            masked_id_no(identity.id_no) if identity else "—",
            tuple(subjects.list_accounts_of(tx, case.person_id, beijing_date(now))),
            tuple(
                benefits.list_decisions_of_person(tx, case.person_id, case.holder_ids, now, MOST_DECISIONS)
            ),
            tuple(staff.list_looks(tx, case.person_id, MOST_LOOKS)),
        )
