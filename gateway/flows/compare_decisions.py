"""Before and after: two decisions about one subject and product side by side, and what lies between them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from gateway import contributions, policy
from gateway.db import Row
from gateway.flows._audit_case import Case, open_case
from gateway.flows._mapping_view import MappingView, view_mapping
from gateway.house import House
from schemas.errors import NotFoundError
from schemas.staff import StaffCaller

MOST_ITEMS = 200
_BATCH = re.compile(r"batch:([0-9a-f-]{36})")


class FactChange(NamedTuple):
    """One fact that differs: where it stands (`month_sums` and so on), its name, and both values; None where a side has none."""

    part: str
    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Comparison:
    """`items` are what the push that caused the later decision brought this resident and their households."""

    case: Case
    before: MappingView
    after: MappingView
    facts: tuple[FactChange, ...]
    rules: tuple[policy.Change, ...]
    items: tuple[Row, ...]


def compare_decisions(
    house: House, caller: StaffCaller, look_id: UUID, decision_id: UUID, *, now: datetime
) -> Comparison:
    """The decision and the one that stood before it. Errors: NotFoundError (also when it was the first), ForbiddenError for a
    decision about somebody else, those of `open_case`."""
    with house.audit_db.transaction(read_only=True, isolation="repeatable read") as tx:
        case = open_case(house, tx, caller, look_id, now)
        after = view_mapping(tx, case, decision_id)
        if after.before_id is None:
            raise NotFoundError("it was the first decision", code="decision-first", where="decision")
        before = view_mapping(tx, case, after.before_id)
        batch = _BATCH.search(after.decision.caused_by)
        items = contributions.list_of_batch(tx, UUID(batch[1]), case.holder_ids, MOST_ITEMS) if batch else []
    return Comparison(
        case, before, after, tuple(_fact_changes(_flat(before), _flat(after))),
        tuple(policy.compare(before.ruleset, after.ruleset)), tuple(items),
    )  # fmt: skip


def _flat(view: MappingView) -> dict[tuple[str, str], Any]:
    """Facts by part and name. Sums of a month are one fact each."""
    body: Mapping[str, Any] = orjson.loads(bytes(view.decision.facts))
    found: dict[tuple[str, str], Any] = {}
    for town, category, kind, month, points_centi in body["month_sums"]:
        found["month_sums", f"{month} {town} {category} {kind}"] = points_centi
    for town, points_centi in body["balance_centi"]:
        found["balance_centi", town] = points_centi
    for town, period, points_centi in body["posted_scores"]:
        found["posted_scores", f"{period} {town}"] = points_centi
    for name, value in (body["facility"] or {}).items():
        found["facility", name] = value
    for name in (
        "age_years",
        "vetoes",
        "honours",
        "first_month",
        "last_contribution_on",
        "as_of_on",
        "applicant_id",
    ):
        found["person", name] = body[name]
    return found


def _fact_changes(
    before: Mapping[tuple[str, str], Any], after: Mapping[tuple[str, str], Any]
) -> list[FactChange]:
    return [
        FactChange(*key, before.get(key), after.get(key))
        for key in sorted({*before, *after})
        if before.get(key) != after.get(key)
    ]
