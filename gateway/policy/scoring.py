"""From facts to a score: which months, whose points, factor, weight, cap. Exact in integers; rounded once, at the end."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from gateway.policy.language import SUMMED, BasisKind, Ruleset, divide
from schemas.policy import Facts, Step
from schemas.values import ContributionKind, month_of, points_text

#: A reversal takes back: its points count against what it reverses (an award); a negative one gives back a deduction.
DIRECTION = {
    str(ContributionKind.AWARD): 1,
    str(ContributionKind.DEDUCTION): -1,
    str(ContributionKind.REVERSAL): -1,
}

_BASIS = {
    BasisKind.TRAILING_MONTHS: ("近{months}个月", "the last {months} months"),
    BasisKind.CURRENT_YEAR: ("本年度", "the current year"),
    BasisKind.CUMULATIVE: ("累计", "all months so far"),
    BasisKind.BALANCE: ("当前可用余额", "the balance that can be spent"),
    BasisKind.POSTED_SCORE: ("最近一期公示积分", "the latest posted score"),
}


def score(ruleset: Ruleset, facts: Facts) -> tuple[int, list[Step]]:
    """The score in centi-points of this ruleset, with the steps that led to it.

    Points of two towns meet only after their factors.
    """
    zh, en = _BASIS[ruleset.basis.kind]
    first, last = ruleset.basis.first_month(facts.as_of_on), month_of(facts.as_of_on)
    months = {"months": ruleset.basis.months}
    span_zh, span_en = (f"({first}–{last})", f" ({first}–{last})") if first else ("", "")
    if ruleset.basis.kind not in SUMMED:
        span_zh = span_en = ""
    steps = [
        Step(
            "basis",
            f"计分口径:{zh.format(**months)}{span_zh}",
            f"Points that count: {en.format(**months)}{span_en}",
            str(ruleset.basis.kind),
        )
    ]
    if ruleset.basis.kind in SUMMED:
        units = _summed_units(ruleset, facts, first, last, steps)
    else:
        units = _town_units(ruleset, _by_town(ruleset, facts), steps)
    total = divide(units, ruleset.units_per_centi, ruleset.score_rounding)
    steps.append(
        Step(
            "factors.rounding",
            f"合计 {points_text(total)} 分",
            f"Together {points_text(total)} points",
            total,
        )
    )
    return total, steps


def _by_town(ruleset: Ruleset, facts: Facts) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    if ruleset.basis.kind is BasisKind.BALANCE:
        for town, points_centi in facts.balance_centi:
            found[town] += points_centi
        return found
    latest: dict[str, str] = {}
    for posted in facts.posted_scores:
        if posted.period >= latest.get(posted.town, ""):
            latest[posted.town] = posted.period
            found[posted.town] = posted.points_centi
    return found


def _town_units(ruleset: Ruleset, by_town: dict[str, int], steps: list[Step]) -> int:
    units = 0
    for town in sorted(by_town):
        units += by_town[town] * ruleset.town_units(town) * 100
        steps.append(_town_step(ruleset, town, by_town[town]))
    return units


def _town_step(ruleset: Ruleset, town: str, points_centi: int) -> Step:
    factor = ruleset.factors.get(town)
    shown = points_text(points_centi)
    if factor is None:
        return Step(
            f"factors.towns.{town}",
            f"{town}:{shown} 分,不在本规则内,不计",
            f"{town}: {shown} points, not in this ruleset, not counted",
            0,
        )
    return Step(
        f"factors.towns.{town}",
        f"{town}:{shown} 分 × {factor.num}/{factor.den}",
        f"{town}: {shown} points × {factor.num}/{factor.den}",
        [points_centi, factor.num, factor.den],
    )


def _summed_units(ruleset: Ruleset, facts: Facts, first: int, last: int, steps: list[Step]) -> int:
    towns: dict[str, int] = defaultdict(int)
    cells: dict[tuple[str, int], int] = defaultdict(int)
    for town, category, kind, month, points_centi in facts.month_sums:
        sign = DIRECTION.get(kind, 0)
        if sign and first <= month <= last:
            towns[town] += sign * points_centi
            cells[category, month] += sign * points_centi * ruleset.town_units(town)
    steps.extend(_town_step(ruleset, town, towns[town]) for town in sorted(towns))
    units = 0
    for category in sorted({category for category, _ in cells}):
        raw = [value for (name, _), value in cells.items() if name == category]
        added, capped = category_units(ruleset, category, raw)
        if any(raw):
            steps.append(_category_step(ruleset, category, sum(raw), added, capped))
        units += added
    return units


def category_units(ruleset: Ruleset, category: str, raw: list[int]) -> tuple[int, int]:
    """Units a category adds, weighed and capped month by month, and how many months the cap cut."""
    rule = ruleset.category(category)
    weighed = [value * rule.weight_percent for value in raw]
    if rule.month_cap_centi is None:
        return sum(weighed), 0
    cap = rule.month_cap_centi * ruleset.units_per_centi
    return sum(min(value, cap) for value in weighed), sum(value > cap for value in weighed)


def _category_step(ruleset: Ruleset, category: str, raw: int, added: int, capped: int) -> Step:
    rule = ruleset.category(category)
    listed = f"categories.of.{category}" if category in ruleset.categories else "categories.others"
    before = points_text(divide(raw, ruleset.factor_lcm, ruleset.score_rounding))
    after = points_text(divide(added, ruleset.units_per_centi, ruleset.score_rounding))
    cut_zh = cut_en = ""
    if rule.month_cap_centi is not None:
        cap = points_text(rule.month_cap_centi)
        cut_zh = f",每月封顶 {cap} 分({capped} 个月触顶)"
        cut_en = f", at most {cap} a month (cut in {capped} months)"
    return Step(
        listed,
        f"{CATEGORY_ZH.get(category, category)}:{before} 分 × {rule.weight_percent}%{cut_zh} → {after} 分",
        f"{category}: {before} points × {rule.weight_percent} %{cut_en} → {after} points",
        [str(raw), rule.weight_percent, str(added), capped],
    )


CATEGORY_ZH = {
    "sorting": "垃圾分类",
    "hygiene": "门前卫生",
    "patrol": "平安巡防",
    "charity": "公益慈善",
    "volunteering": "志愿服务",
    "learning": "学习",
    "neighbourly": "邻里互助",
    "civility": "文明乡风",
    "conduct": "违规减分",
    "other": "其他",
}


def months_of_data(first_month: int | None, on: date) -> int:
    """Calendar months from the first with data to the month of `on`, both included; 0 without data or with data only later."""
    if not first_month:
        return 0
    now = month_of(on)
    return max(0, (now // 100 - first_month // 100) * 12 + now % 100 - first_month % 100 + 1)
