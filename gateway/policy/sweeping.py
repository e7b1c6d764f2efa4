"""Score units of everybody, summed by PostgreSQL: for sweeps over ranges of subjects, where rows would be too many to fetch."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from typing import Any, NamedTuple

from gateway.db import Transaction, load_queries
from gateway.policy.language import SUMMED, Ruleset
from schemas.policy import SubjectKind
from schemas.values import month_of

queries = load_queries(__file__)

_END = 2**62


class Range(NamedTuple):
    """Subject ids from `low` to before `high`."""

    low: int
    high: int


def list_ranges(tx: Transaction, subject: SubjectKind, size: int) -> list[Range]:
    """Ranges that together hold every subject of a kind once, about `size` in each."""
    query = queries.list_household_marks if subject is SubjectKind.HOUSEHOLD else queries.list_person_marks
    marks = [int(i) for (i,) in tx.tuples(query, {"size": size})]
    return [Range(low, high) for low, high in pairwise([*marks, _END])]


def list_subjects(tx: Transaction, subject: SubjectKind, span: Range) -> list[int]:
    """The subjects of a range, ascending. A restricted person (PIPL art. 47) is nobody's subject."""
    query = (
        queries.list_households_between if subject is SubjectKind.HOUSEHOLD else queries.list_persons_between
    )
    return [int(i) for (i,) in tx.tuples(query, {"low": span.low, "high": span.high})]


def sum_units(tx: Transaction, ruleset: Ruleset, on: date, span: Range) -> Mapping[int, int]:
    """Score units by subject (see `columns.score_units_of`), for a basis that looks at month sums. Without points: absent."""
    assert ruleset.basis.kind in SUMMED, "balances and posted scores are not in month sums"
    names = sorted(ruleset.categories)
    rules = [ruleset.category(name) for name in names]
    other = ruleset.other_categories
    scale = ruleset.units_per_centi
    caps = [_cap(r.month_cap_centi, scale) for r in rules]
    params: dict[str, Any] = {
        "low": span.low,
        "high": span.high,
        "first": ruleset.basis.first_month(on),
        "last": month_of(on),
        "on": on,
        "towns": sorted(ruleset.factors),
        "town_units": [ruleset.town_units(town) for town in sorted(ruleset.factors)],
        "categories": names,
        "weights": [r.weight_percent for r in rules],
        "caps": caps,
        "other_weight": other.weight_percent,
        "other_cap": _cap(other.month_cap_centi, scale),
    }
    if ruleset.subject is SubjectKind.PERSON:
        query = queries.sum_persons
    elif any(r.month_cap_centi is not None for r in (*rules, other)):
        query = queries.sum_households_capped
    else:
        query = queries.sum_households_plain
    tx.run(queries.allow_sorting_memory)
    return dict(tx.tuples(query, params))


def _cap(month_cap_centi: int | None, scale: int) -> int | None:
    """A cap in units, within PostgreSQL's bigint: no sum comes near the end of it."""
    return None if month_cap_centi is None else min(month_cap_centi * scale, _END)


def same_score(left: Ruleset, right: Ruleset) -> bool:
    """Whether two rulesets count the same points in the same way, so that one sum serves both."""
    return all(
        getattr(left, name) == getattr(right, name)
        for name in ("subject", "basis", "factors", "categories", "other_categories")
    )
