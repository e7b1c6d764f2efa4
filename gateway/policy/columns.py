"""Many subjects at once: the same rules as `evaluate`, on numpy columns, without words. For sweeps and simulations.

`evaluate` is the truth; tests hold this module to it, field by field. The trace is built only for those whose outcome matters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.policy.language import BasisKind, Linear, Rounding, Ruleset, StepRow
from gateway.policy.scoring import DIRECTION, months_of_data
from schemas.policy import Facts, Outcome
from schemas.values import month_of

Integers = NDArray[np.int64]
Truths = NDArray[np.bool_]

UNKNOWN = -1  # ages, rates and limits are never negative
NEVER = 10**6  # days since the last points where there are none; also an age nobody reaches
OUTCOMES = (Outcome.NOTHING, Outcome.GRANTED, Outcome.NOT_ELIGIBLE, Outcome.VETOED)  # by code
_FITS = 2**61  # below this doubling (for rounding) stays within int64


@dataclass(frozen=True, slots=True)
class Columns:
    """Facts of many subjects, one array element each. UNKNOWN where a value is not known."""

    subject_ids: Integers
    applicant_ids: Integers
    score_units: Integers  # 1/ruleset.units_per_centi of a centi-point, see `score_units_of`
    ages: Integers
    age_lows: Integers  # UNKNOWN: no lower bound
    age_highs: Integers  # NEVER: no upper bound
    months: Integers
    stale_days: Integers
    base_rates_bp: Integers
    base_limits_fen: Integers
    floors_bp: Integers
    vetoed: Truths
    out_of_time: Truths  # not started, ended, another kind of subject, or an LPR nobody knows
    discount_honours: Truths  # True where no honour is asked for
    limit_honours: Truths

    def __len__(self) -> int:
        return len(self.subject_ids)


@dataclass(frozen=True, slots=True)
class Results:
    """What decisions would say, one array element each. `outcomes` index OUTCOMES; UNKNOWN stands for None."""

    subject_ids: Integers
    applicant_ids: Integers
    outcomes: Integers
    score_centi: Integers
    base_rate_bp: Integers
    discount_bp: Integers
    floor_bp: Integers
    final_rate_bp: Integers
    limit_increase_fen: Integers
    final_limit_fen: Integers

    def __len__(self) -> int:
        return len(self.subject_ids)


def evaluate_many(ruleset: Ruleset, facts: Sequence[Facts]) -> Results:
    """What `evaluate` says of each of `facts`, in their order, without reasons and trace."""
    return evaluate_columns(ruleset, columns_of(ruleset, facts))


def score_units_of(ruleset: Ruleset, on: date) -> Callable[[Facts], int]:
    """A function from facts to score units, made once for a ruleset and a day."""
    if ruleset.basis.kind is BasisKind.BALANCE:
        weights = {town: ruleset.town_units(town) * 100 for town in ruleset.factors}
        return lambda facts: sum(weights.get(town, 0) * points for town, points in facts.balance_centi)
    if ruleset.basis.kind is BasisKind.POSTED_SCORE:
        return lambda facts: _posted_units(ruleset, facts)
    first, last = ruleset.basis.first_month(on), month_of(on)
    town_units = {town: ruleset.town_units(town) for town in ruleset.factors}
    rules = [*ruleset.categories.values(), ruleset.other_categories]
    if all(rule.month_cap_centi is None for rule in rules):
        return _uncapped(ruleset, town_units, first, last)
    return _capped(ruleset, town_units, first, last)


def _posted_units(ruleset: Ruleset, facts: Facts) -> int:
    latest: dict[str, tuple[str, int]] = {}
    for town, period, points in facts.posted_scores:
        if town not in latest or period >= latest[town][0]:
            latest[town] = (period, points)
    return sum(points * ruleset.town_units(town) * 100 for town, (_, points) in latest.items())


def _uncapped(ruleset: Ruleset, town_units: dict[Any, int], first: int, last: int) -> Callable[[Facts], int]:
    known: dict[tuple[str, str, str], int] = {}

    def units(facts: Facts) -> int:
        total = 0
        for town, category, kind, month, points in facts.month_sums:
            if first <= month <= last:
                key = (town, category, kind)
                weight = known.get(key)
                if weight is None:
                    weight = known[key] = (
                        town_units.get(town, 0)
                        * ruleset.category(category).weight_percent
                        * DIRECTION.get(kind, 0)
                    )
                total += weight * points
        return total

    return units


def _capped(ruleset: Ruleset, town_units: dict[Any, int], first: int, last: int) -> Callable[[Facts], int]:
    known: dict[tuple[str, str, str], int] = {}
    scale = ruleset.units_per_centi
    caps: dict[str, int | None] = {}

    def units(facts: Facts) -> int:
        cells: dict[tuple[str, int], int] = {}
        for town, category, kind, month, points in facts.month_sums:
            if first <= month <= last:
                key = (town, category, kind)
                weight = known.get(key)
                if weight is None:
                    rule = ruleset.category(category)
                    caps[category] = None if rule.month_cap_centi is None else rule.month_cap_centi * scale
                    weight = known[key] = (
                        town_units.get(town, 0) * rule.weight_percent * DIRECTION.get(kind, 0)
                    )
                cell = (category, month)
                cells[cell] = cells.get(cell, 0) + weight * points
        total = 0
        for (category, _), value in cells.items():
            cap = caps[category]
            total += value if cap is None or value < cap else cap
        return total

    return units


def columns_of(ruleset: Ruleset, facts: Sequence[Facts], units: Sequence[int] | None = None) -> Columns:
    """Facts as columns. `units`: score units summed elsewhere, in the order of `facts`, instead of those of their points."""
    on_days = {f.as_of_on for f in facts}
    days = {day: _day_of(ruleset, day) for day in on_days}
    if units is None:
        count = {day: score_units_of(ruleset, day) for day in on_days}
        units = [count[f.as_of_on](f) for f in facts]
    gates = ruleset.gates
    low = UNKNOWN if gates.age_min_years is None else gates.age_min_years
    high = NEVER if gates.age_max_years is None else gates.age_max_years
    rows = [_row(ruleset, f, u, days[f.as_of_on], low, high) for f, u in zip(facts, units, strict=True)]
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(fields(Columns))
    wide = any(abs(u) >= _FITS for u in units)
    arrays = [
        np.array(column, dtype=object if wide and n == 2 else np.int64) for n, column in enumerate(columns)
    ]
    return Columns(*arrays[:11], *(a.astype(np.bool_) for a in arrays[11:]))


def _day_of(ruleset: Ruleset, day: date) -> tuple[int, bool]:
    """Floor of a day (UNKNOWN: none), and whether the ruleset cannot be used on it."""
    floor = None if ruleset.floor is None else ruleset.floor.on(day)
    no_floor = ruleset.floor is not None and floor is None
    return UNKNOWN if floor is None else floor, no_floor or not ruleset.in_force(day)


def _row(
    ruleset: Ruleset, facts: Facts, units: int, day: tuple[int, bool], low: int, high: int
) -> tuple[int, ...]:
    facility, gates = facts.facility, ruleset.gates
    vetoes, honours = facts.vetoes, facts.honours
    rate, limit = ruleset.published.rate_bp, ruleset.published.limit_fen
    if facility is not None:
        vetoes, honours = vetoes + facility.vetoes, honours + facility.honours
        rate, limit = facility.base_rate_bp, facility.base_limit_fen
        if ruleset.published.from_assets and facility.asset_limit_fen is not None:
            limit = facility.asset_limit_fen
        if facility.age_min is not None:
            low = max(low, facility.age_min)
        if facility.age_max is not None:
            high = min(high, facility.age_max)
    asked = ruleset.discount.honours if ruleset.discount else None
    asked_limit = ruleset.limit.honours if ruleset.limit else None
    last = facts.last_contribution_on
    return (
        facts.subject_id,
        facts.applicant_id,
        units,
        UNKNOWN if facts.age_years is None else facts.age_years,
        low,
        high,
        months_of_data(facts.first_month, facts.as_of_on) if gates.months_of_data is not None else 0,
        NEVER if last is None else (facts.as_of_on - last).days,
        UNKNOWN if rate is None else rate,
        UNKNOWN if limit is None else limit,
        day[0],
        bool(vetoes) and bool(gates.vetoes.hit(vetoes)),
        day[1] or facts.subject_kind is not ruleset.subject,
        asked is None or bool(asked.hit(honours)),
        asked_limit is None or bool(asked_limit.hit(honours)),
    )


def evaluate_columns(ruleset: Ruleset, columns: Columns) -> Results:
    """The rules on columns. Integers throughout; where int64 could overflow, Python's own integers."""
    wide = _could_overflow(ruleset, columns)
    units: Any = columns.score_units.astype(object) if wide else columns.score_units
    rates: Any = columns.base_rates_bp.astype(object) if wide else columns.base_rates_bp
    limits: Any = columns.base_limits_fen.astype(object) if wide else columns.base_limits_fen
    score = _divide(units, ruleset.units_per_centi, ruleset.score_rounding)
    earned = np.maximum(score, 0)
    open_ = ~columns.vetoed & _gates_open(ruleset, columns, earned)
    discount = np.where(open_ & columns.discount_honours, _discounts(ruleset, earned, rates), 0)
    floors = columns.floors_bp
    discount = np.where(floors >= 0, np.minimum(discount, np.maximum(rates - floors, 0)), discount)
    increase = np.where(open_ & columns.limit_honours, _increases(ruleset, earned, limits), 0)
    granted = (discount > 0) | (increase > 0)
    outcomes = np.where(columns.vetoed, 3, np.where(~open_, 2, np.where(granted, 1, 0)))
    return Results(
        columns.subject_ids,
        columns.applicant_ids,
        outcomes.astype(np.int64),
        score if wide and len(score) and max(abs(s) for s in score) >= _FITS else score.astype(np.int64),
        columns.base_rates_bp,
        discount.astype(np.int64),
        floors,
        np.where(columns.base_rates_bp < 0, UNKNOWN, rates - discount).astype(np.int64),
        increase.astype(np.int64),
        np.where(columns.base_limits_fen < 0, UNKNOWN, limits + increase).astype(np.int64),
    )


def _could_overflow(ruleset: Ruleset, columns: Columns) -> bool:
    if not len(columns):
        return False
    if columns.score_units.dtype == object:
        return True
    units = max(int(columns.score_units.max()), -int(columns.score_units.min()))
    score = units // ruleset.units_per_centi + 1
    amounts = [1]
    for rule, before in ((ruleset.discount, columns.base_rates_bp), (ruleset.limit, columns.base_limits_fen)):
        if rule is None:
            continue
        most = rule.linear.amount if rule.linear else max(row.amount for row in rule.steps)
        cap = getattr(rule, "cap_percent_centi", None) or 0
        amounts.append(max(most, cap) * (max(1, int(before.max())) if rule.relative else 1))
        if rule.linear is not None:
            amounts.append(cap * rule.linear.per_centi)
    return max(units, score * max(amounts)) >= _FITS


def _divide(numerator: Any, denominator: int, rounding: Rounding) -> Any:
    if rounding is Rounding.DOWN:
        return numerator // denominator
    if rounding is Rounding.UP:
        return -(-numerator // denominator)
    return (2 * numerator + denominator) // (2 * denominator)


def _gates_open(ruleset: Ruleset, columns: Columns, earned: Any) -> Truths:
    gates = ruleset.gates
    open_: Any = ~columns.out_of_time
    banded = (columns.age_lows >= 0) | (columns.age_highs < NEVER)
    open_ &= ~banded | (
        (columns.ages >= np.maximum(columns.age_lows, 0)) & (columns.ages <= columns.age_highs)
    )
    if gates.score_at_least_centi is not None:
        open_ &= (earned >= gates.score_at_least_centi).astype(np.bool_)
    if gates.score_above_centi is not None:
        open_ &= (earned > gates.score_above_centi).astype(np.bool_)
    if gates.months_of_data is not None:
        open_ &= columns.months >= gates.months_of_data
    if gates.stale_after_days is not None:
        open_ &= columns.stale_days <= gates.stale_after_days
    if ruleset.discount is not None:
        open_ &= columns.base_rates_bp >= 0
    return open_  # type: ignore[no-any-return]


def _fractions(linear: Linear | None, steps: Sequence[StepRow], earned: Any) -> tuple[Any, int]:
    if linear is not None:
        if linear.only_full:
            return earned // linear.per_centi * linear.amount, 1
        return earned * linear.amount, linear.per_centi
    starts = np.array([row.from_centi for row in steps], dtype=np.int64)
    amounts = np.array([0, *(row.amount for row in steps)], dtype=np.int64)
    reached = np.minimum(earned, 2**62).astype(np.int64)
    found = amounts[np.searchsorted(starts, reached, side="right")]
    return (found.astype(object) if earned.dtype == object else found), 1


def _discounts(ruleset: Ruleset, earned: Any, rates: Any) -> Any:
    rule = ruleset.discount
    if rule is None:
        return np.zeros(len(earned), dtype=np.int64)
    numerator, denominator = _fractions(rule.linear, rule.steps, earned)
    if rule.relative:
        rates = np.maximum(rates, 0)
        discount = _divide(numerator * rates, denominator * 10000, rule.rounding)
        if rule.cap_percent_centi is not None:
            most = _divide(rule.cap_percent_centi * rates, 10000, rule.rounding)
            discount = np.where(numerator > rule.cap_percent_centi * denominator, most, discount)
    else:
        discount = _divide(numerator, denominator, rule.rounding)
    return discount if rule.cap_bp is None else np.minimum(discount, rule.cap_bp)


def _increases(ruleset: Ruleset, earned: Any, limits: Any) -> Any:
    rule = ruleset.limit
    if rule is None:
        return np.zeros(len(earned), dtype=np.int64)
    numerator, denominator = _fractions(rule.linear, rule.steps, earned)
    known = np.maximum(limits, 0)
    if rule.relative:
        numerator, denominator = numerator * known, denominator * 10000
    increase = _divide(numerator, denominator * rule.unit_fen, rule.rounding) * rule.unit_fen
    if rule.cap_fen is not None:
        increase = np.minimum(increase, rule.cap_fen)
    if rule.total_cap_fen is not None:
        increase = np.minimum(increase, np.maximum(rule.total_cap_fen - known, 0))
    if rule.relative or rule.total_cap_fen is not None:
        increase = np.where(limits < 0, 0, increase)
    return increase
