"""What an auditor's search may mean. Residents come out masked; to see more of one, a look is recorded first."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from gateway import benefits, contributions, policy, staff, subjects
from gateway.db import Transaction
from gateway.flows.search_residents import search_residents
from gateway.house import House
from schemas.audit import Found, Sought
from schemas.errors import InvalidError, NotFoundError
from schemas.masking import masked_id_no, masked_name
from schemas.staff import TELLER_NO
from schemas.values import PersonId, beijing_date

REFERENCE = re.compile(r"[\x21-\x7e]{1,128}")


class SearchResult(NamedTuple):
    """Residents, or where else to go: exactly one of the three is set."""

    residents: tuple[Found, ...] = ()
    ruleset_id: str = ""
    teller_no: str = ""


def search_audited(house: House, sought: Sought, words: str, *, now: datetime) -> SearchResult:
    """Raises InvalidError for words that cannot be what is sought, NotFoundError when there is no such thing. What was typed
    is in no error and no log line."""
    asked = words.strip()
    if sought in (Sought.RESIDENT, Sought.HOUSEHOLD):
        found = search_residents(house, asked, now=now)
        return SearchResult(tuple(Found(c.person_id, c.masked_name, c.masked_id_no) for c in found))
    with house.audit_db.transaction(read_only=True) as tx:
        if sought is Sought.RULESET:
            return SearchResult(ruleset_id=policy.find_ruleset_id(tx, asked.lower()))
        if sought is Sought.CLERK:
            return SearchResult(teller_no=_teller_no(tx, asked))
        if sought is Sought.DECISION:
            return SearchResult(_of_decision(house, tx, asked))
        return SearchResult(_of_reference(house, tx, asked, now))


def _teller_no(tx: Transaction, asked: str) -> str:
    if not TELLER_NO.fullmatch(asked):
        raise _unreadable("a teller number has 1 to 16 letters and digits")
    found = staff.find_by_teller(tx, asked)
    if found is None:
        raise NotFoundError("nobody here has that teller number", code="clerk-not-found", where="words")
    return found.teller_no


def _of_decision(house: House, tx: Transaction, asked: str) -> tuple[Found, ...]:
    try:
        decision_id = UUID(asked)
    except ValueError:
        raise _unreadable("a decision's number is a UUID, as it stands on its page") from None
    decision = benefits.find_decision(tx, decision_id)
    if decision is None:
        raise NotFoundError("there is no such decision", code="decision-not-found", where="words")
    return _masked(house, tx, [decision.applicant_id], decision_id)


def _of_reference(house: House, tx: Transaction, asked: str, now: datetime) -> tuple[Found, ...]:
    if not REFERENCE.fullmatch(asked):
        raise _unreadable("a town's reference has up to 128 characters without spaces")
    people: dict[int, None] = {}
    for row in contributions.list_by_reference(tx, list(house.readers), asked):
        if row.person_id:
            people[row.person_id] = None
        else:
            people.update(dict.fromkeys(subjects.list_members_of(tx, row.holder_id, beijing_date(now))))
    if not people:
        raise NotFoundError("no town sent that reference", code="reference-not-found", where="words")
    return _masked(house, tx, people, None)


def _masked(
    house: House, tx: Transaction, person_ids: Iterable[int], decision_id: UUID | None
) -> tuple[Found, ...]:
    """Also those who were erased: of them there is only the number."""
    wanted = list(person_ids)
    known = subjects.list_identities(tx, house.keys, wanted)
    found = []
    for person_id in wanted:
        identity = known.get(PersonId(person_id))
        shown = (masked_name(identity.name), masked_id_no(identity.id_no)) if identity else ("—", "—")
        found.append(Found(person_id, *shown, decision_id))
    return tuple(found)


def _unreadable(what: str) -> InvalidError:
    return InvalidError(what, code="search-unreadable", where="words")
