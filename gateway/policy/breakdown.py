"""A decision taken apart for people to look at: points by town and category, weights and caps, gates. Adds nothing to `evaluate`:
the same integers by the same functions, kept apart instead of summed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gateway.policy.document import read_yaml
from gateway.policy.language import SUMMED, BasisKind, Ruleset, divide
from gateway.policy.scoring import DIRECTION, category_units
from schemas.policy import Facts
from schemas.values import month_of


class TownShare(NamedTuple):
    """What one town brought: its own points, its factor, what they are in the ruleset's points. `den` 0: it does not count."""

    town: str
    points_centi: int
    num: int
    den: int
    counted_centi: int


class CategoryShare(NamedTuple):
    """What one category adds. `rule` is the path of its line; `before_centi` is after the factors, `weighed_centi` after the
    weight, `after_centi` after the cap, which cut in `cut_months` months; `by_town` is what each town brought (after factors)."""

    category: str
    rule: str
    before_centi: int
    weight_percent: int
    weighed_centi: int
    cap_centi: int | None
    cut_months: int
    after_centi: int
    by_town: Mapping[str, int]


class Gate(NamedTuple):
    """One gate: `rule` its path, `code` why it is closed ('' when it is open), `values` what was compared, as in the trace."""

    rule: str
    code: str
    values: Sequence[Any]


class Breakdown(NamedTuple):
    """A decision's way from points to score, and its gates. `categories` is empty where the basis knows none."""

    towns: tuple[TownShare, ...]
    categories: tuple[CategoryShare, ...]
    gates: tuple[Gate, ...]


#: Which gate a reason closes. Those without a line of their own stand at the line they come from.
_CLOSES = {
    "veto": "gates.vetoes",
    "age_unknown": "gates.age",
    "age_too_low": "gates.age",
    "age_too_high": "gates.age",
    "score_too_low": "gates.score",
    "too_few_months": "gates.months_of_data",
    "stale": "gates.staleness",
    "not_started": "valid_from_on",
    "ended": "valid_until_on",
    "wrong_subject": "subject",
    "base_rate_unknown": "published",
    "lpr_unknown": "floor",
}


def break_down(ruleset: Ruleset, facts: Facts, body: Mapping[str, Any]) -> Breakdown:
    """Of a decision: its ruleset, its facts, and its stored body (reasons and trace, for the gates)."""
    towns: dict[str, int] = defaultdict(int)
    cells: dict[tuple[str, int], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    if ruleset.basis.kind in SUMMED:
        first, last = ruleset.basis.first_month(facts.as_of_on), month_of(facts.as_of_on)
        for town, category, kind, month, points_centi in facts.month_sums:
            sign = DIRECTION.get(kind, 0)
            if sign and first <= month <= last:
                towns[town] += sign * points_centi
                cells[category, month][town] += sign * points_centi * ruleset.town_units(town)
    elif ruleset.basis.kind is BasisKind.BALANCE:
        for town, points_centi in facts.balance_centi:
            towns[town] += points_centi
    else:
        for posted in sorted(facts.posted_scores, key=lambda one: one.period):
            towns[posted.town] = posted.points_centi
    names = sorted({category for category, _ in cells})
    return Breakdown(
        tuple(_town(ruleset, town, points) for town, points in sorted(towns.items())),
        tuple(found for name in names if (found := _category(ruleset, name, cells)).by_town),
        _gates(body),
    )


def _town(ruleset: Ruleset, town: str, points_centi: int) -> TownShare:
    factor = ruleset.factors.get(town)
    counted = divide(points_centi * ruleset.town_units(town), ruleset.factor_lcm, ruleset.score_rounding)
    return TownShare(town, points_centi, factor.num if factor else 0, factor.den if factor else 0, counted)


def _category(
    ruleset: Ruleset, name: str, cells: Mapping[tuple[str, int], Mapping[str, int]]
) -> CategoryShare:
    months = [by_town for (category, _), by_town in cells.items() if category == name]
    raw = [sum(by_town.values()) for by_town in months]
    added, cut_months = category_units(ruleset, name, raw)
    rule = ruleset.category(name)

    def centi(units: int, size: int) -> int:
        return divide(units, size, ruleset.score_rounding)

    each: dict[str, int] = defaultdict(int)
    for by_town in months:
        for town, units in by_town.items():
            each[town] += units
    return CategoryShare(
        name,
        f"categories.of.{name}" if name in ruleset.categories else "categories.others",
        centi(sum(raw), ruleset.factor_lcm),
        rule.weight_percent,
        centi(sum(raw) * rule.weight_percent, ruleset.units_per_centi),
        rule.month_cap_centi,
        cut_months,
        centi(added, ruleset.units_per_centi),
        {town: centi(units, ruleset.factor_lcm) for town, units in sorted(each.items()) if units},
    )


def _gates(body: Mapping[str, Any]) -> tuple[Gate, ...]:
    closed = {_CLOSES[r["code"]]: r["code"] for r in reversed(body["reasons"]) if r["code"] in _CLOSES}
    found = []
    for step in body["trace"]:
        if step["rule"].startswith("gates."):
            values = step["value"] if isinstance(step["value"], list) else [step["value"]]
            found.append(Gate(step["rule"], closed.pop(step["rule"], ""), values))
    return (*found, *(Gate(rule, code, ()) for rule, code in closed.items()))


class Source(NamedTuple):
    """Where a number comes from: the line of the ruleset as it was written (None: not in it), and that line's reference."""

    path: str
    line: int | None
    reference: str


def list_sources(ruleset: Ruleset, text: str) -> dict[str, Source]:
    """By path of the document: the line it begins on in the YAML that was proposed, and the reference of the nearest block."""
    _, lines = read_yaml(text)
    found: dict[str, Source] = {}
    _walk(ruleset.document, "", "", lines, found)
    return found


def _walk(value: Any, path: str, reference: str, lines: Mapping[str, int], found: dict[str, Source]) -> None:
    if isinstance(value, Mapping):
        own = value.get("reference")
        reference = own if isinstance(own, str) else reference
    if path:
        found[path] = Source(path, lines.get(path), reference)
    children: Sequence[tuple[Any, Any]] = (
        list(value.items())
        if isinstance(value, Mapping)
        else list(enumerate(value))
        if isinstance(value, list)
        else []
    )
    for key, inner in children:
        _walk(inner, f"{path}.{key}" if path else str(key), reference, lines, found)
