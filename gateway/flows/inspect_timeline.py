"""Everything about one resident in the order of time, from every room that keeps something of them."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from gateway import benefits, contributions, evidence, links, redemptions, staff, subjects
from gateway.db import Row
from gateway.flows._audit_case import Case, open_case
from gateway.house import House
from schemas.audit import Happening
from schemas.masking import masked_id_no, masked_name
from schemas.staff import StaffCaller
from schemas.values import PersonId, beijing_date

PAGE, MOST_DECISIONS = 100, 500


@dataclass(frozen=True, slots=True)
class TimelineView:
    """One page of it, newest first. `more_until`: the instant the next page begins before; None: this is the end."""

    case: Case
    masked_name: str = field(repr=False)
    masked_id_no: str = field(repr=False)
    accounts: tuple[Row, ...]
    happenings: tuple[Happening, ...]
    more_until: datetime | None


def inspect_timeline(
    house: House, caller: StaffCaller, look_id: UUID, *, before: datetime, now: datetime
) -> TimelineView:
    """What happened before an instant. Twelve statements, each bounded, whatever the resident did. Errors as in `open_case`.

    Two things of one instant may fall on two pages only when more than a page's worth happened in it."""
    with house.audit_db.transaction(read_only=True, isolation="repeatable read") as tx:
        case = open_case(house, tx, caller, look_id, now)
        person_id, holders = case.person_id, case.holder_ids
        identity = subjects.list_identities(tx, house.keys, [person_id]).get(PersonId(person_id))
        decided = benefits.list_decision_ids_about(tx, person_id, holders, MOST_DECISIONS)
        abouts = [("resident", str(person_id)), *(("decision", one) for one in decided)]
        told = (
            subjects.list_happenings(tx, person_id, holders, before, PAGE + 1),
            links.list_happenings(tx, person_id, before, PAGE + 1),
            contributions.list_happenings(tx, person_id, holders, before, PAGE + 1),
            benefits.list_happenings(tx, person_id, holders, before, PAGE + 1),
            redemptions.list_happenings(tx, person_id, before, PAGE + 1),
            staff.list_look_happenings(tx, person_id, before, PAGE + 1),
            evidence.list_happenings(tx, abouts, before, PAGE + 1),
        )
        accounts = subjects.list_accounts_of(tx, person_id, beijing_date(now))
    found = list(heapq.merge(*told, key=lambda one: one.at, reverse=True))
    shown = found[:PAGE]
    if len(found) > PAGE:  # what shares the last instant of the page stays on it
        shown += [one for one in found[PAGE:] if one.at == shown[-1].at]
    return TimelineView(
        case,
        masked_name(identity.name) if identity else "—",
        masked_id_no(identity.id_no) if identity else "—",
        tuple(accounts),
        tuple(shown),
        shown[-1].at if len(found) > len(shown) else None,
    )
