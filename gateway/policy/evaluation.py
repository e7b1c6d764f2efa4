"""`evaluate(ruleset, facts) -> Decision`: pure, integer-only, with reasons and a trace a policy officer can read."""

from __future__ import annotations

from gateway.policy.language import Codes, Linear, Rounding, Ruleset, StepRow, divide
from gateway.policy.scoring import months_of_data, score
from gateway.policy.words import reason
from schemas.policy import Decision, Facts, Outcome, Reason, Step
from schemas.values import percent_text, points_text, yuan_text

ROUNDING_ZH = {Rounding.DOWN: "舍去", Rounding.NEAREST: "四舍五入", Rounding.UP: "进位"}


class _Sheet:
    """The working sheet of one evaluation: steps and reasons as they come."""

    __slots__ = ("facts", "reasons", "ruleset", "steps")

    def __init__(self, ruleset: Ruleset, facts: Facts) -> None:
        self.ruleset, self.facts = ruleset, facts
        self.steps: list[Step] = []
        self.reasons: list[Reason] = []

    def step(self, rule: str, zh: str, en: str, value: object) -> None:
        self.steps.append(Step(rule, zh, en, value))

    def because(self, code: str) -> None:
        found = reason(code)
        if found not in self.reasons:
            self.reasons.append(found)


def evaluate(ruleset: Ruleset, facts: Facts) -> Decision:
    """What `ruleset` gives for `facts`. Never raises for well-formed facts: what is unknown closes a gate and says so.

    base − discount = final rate; final = max(floor, base − discount), and never above the base even when the floor is.
    """
    sheet = _Sheet(ruleset, facts)
    base_bp, base_limit_fen = _before(sheet)
    score_centi, steps = score(ruleset, facts)
    sheet.steps.extend(steps)
    vetoed = _vetoes(sheet)
    open_ = _gates(sheet, max(0, score_centi), base_bp) and not vetoed
    discount_bp = _discount(sheet, max(0, score_centi), base_bp) if open_ and base_bp is not None else 0
    increase_fen = _limit(sheet, max(0, score_centi), base_limit_fen) if open_ else 0
    if vetoed:
        outcome = Outcome.VETOED
    elif not open_:
        outcome = Outcome.NOT_ELIGIBLE
    else:
        outcome = Outcome.GRANTED if discount_bp or increase_fen else Outcome.NOTHING
        if outcome is Outcome.NOTHING:
            sheet.because("score_gives_nothing")
    final_bp = None if base_bp is None else base_bp - discount_bp
    final_limit = None if base_limit_fen is None else base_limit_fen + increase_fen
    _conclude(sheet, base_bp, discount_bp, final_bp, base_limit_fen, increase_fen)
    return Decision(
        ruleset_id=ruleset.ruleset_id,
        subject_id=facts.subject_id,
        subject_kind=facts.subject_kind,
        applicant_id=facts.applicant_id,
        as_of_on=facts.as_of_on,
        outcome=outcome,
        score_centi=score_centi,
        base_rate_bp=base_bp,
        discount_bp=discount_bp,
        floor_bp=ruleset.floor.on(facts.as_of_on) if ruleset.floor else None,
        final_rate_bp=final_bp,
        limit_increase_fen=increase_fen,
        final_limit_fen=final_limit,
        reasons=tuple(sheet.reasons),
        trace=tuple(sheet.steps),
    )


def _before(sheet: _Sheet) -> tuple[int | None, int | None]:
    """Rate and limit before any benefit: the bank's facility where it speaks, else what the programme published."""
    published, facility = sheet.ruleset.published, sheet.facts.facility
    if facility is None:
        rate, limit, where = published.rate_bp, published.limit_fen, "published"
        zh, en = "规则公布的基准", "published by the programme"
    else:
        rate, limit, where = facility.base_rate_bp, facility.base_limit_fen, "facility"
        if published.from_assets and facility.asset_limit_fen is not None:
            limit = facility.asset_limit_fen
        zh, en = "银行授信系统", "from the bank's credit system"
    rate_text = "—" if rate is None else f"{percent_text(rate)}%"
    limit_text = "—" if limit is None else yuan_text(limit)
    sheet.step(
        where,
        f"基准利率 {rate_text},基础额度 {limit_text} 元({zh})",
        f"Rate before {rate_text}, limit before {limit_text} CNY ({en})",
        [rate, limit],
    )
    return rate, limit


def _vetoes(sheet: _Sheet) -> bool:
    facility = sheet.facts.facility
    found = sheet.facts.vetoes + (facility.vetoes if facility else ())
    hit = sheet.ruleset.gates.vetoes.hit(found)
    if hit:
        sheet.because("veto")
        sheet.step("gates.vetoes", "一票否决:" + "、".join(hit), "Vetoed by " + ", ".join(hit), list(hit))
    else:
        sheet.step("gates.vetoes", "无一票否决事项", "No veto", [])
    return bool(hit)


def _gates(sheet: _Sheet, score_centi: int, base_bp: int | None) -> bool:
    """All gates are looked at, so that a person hears every reason at once."""
    ruleset, facts = sheet.ruleset, sheet.facts
    closed: list[str] = []
    if facts.as_of_on < ruleset.valid_from_on:
        closed.append("not_started")
    elif not ruleset.in_force(facts.as_of_on):
        closed.append("ended")
    if facts.subject_kind is not ruleset.subject:
        closed.append("wrong_subject")
    closed += _age_gate(sheet)
    closed += _score_gate(sheet, score_centi)
    closed += _record_gates(sheet)
    if ruleset.discount is not None and base_bp is None:
        closed.append("base_rate_unknown")
    if ruleset.floor is not None and ruleset.floor.on(facts.as_of_on) is None and "not_started" not in closed:
        closed.append("lpr_unknown")
    for code in closed:
        sheet.because(code)
    return not closed


def _age_gate(sheet: _Sheet) -> list[str]:
    gates, facility, age = sheet.ruleset.gates, sheet.facts.facility, sheet.facts.age_years
    lows = [b for b in (gates.age_min_years, facility.age_min if facility else None) if b is not None]
    highs = [b for b in (gates.age_max_years, facility.age_max if facility else None) if b is not None]
    if not lows and not highs:
        return []
    low, high = max(lows, default=None), min(highs, default=None)
    band = f"{'' if low is None else low}–{'' if high is None else high}"
    shown = "—" if age is None else age
    sheet.step(
        "gates.age", f"年龄 {shown},要求 {band} 岁", f"Age {shown}, asked for {band}", [age, low, high]
    )
    if age is None:
        return ["age_unknown"]
    if low is not None and age < low:
        return ["age_too_low"]
    return ["age_too_high"] if high is not None and age > high else []


def _score_gate(sheet: _Sheet, score_centi: int) -> list[str]:
    gates = sheet.ruleset.gates
    shown = points_text(score_centi)
    if gates.score_at_least_centi is not None:
        bound = gates.score_at_least_centi
        zh, en, passed = (
            f"不低于 {points_text(bound)}",
            f"at least {points_text(bound)}",
            score_centi >= bound,
        )
    elif gates.score_above_centi is not None:
        bound = gates.score_above_centi
        zh, en, passed = f"高于 {points_text(bound)}", f"above {points_text(bound)}", score_centi > bound
    else:
        return []
    sheet.step(
        "gates.score", f"积分 {shown},要求{zh} 分", f"Score {shown}, asked for {en}", [score_centi, bound]
    )
    return [] if passed else ["score_too_low"]


def _record_gates(sheet: _Sheet) -> list[str]:
    gates, facts = sheet.ruleset.gates, sheet.facts
    closed = []
    if gates.months_of_data is not None:
        months = months_of_data(facts.first_month, facts.as_of_on)
        sheet.step(
            "gates.months_of_data",
            f"已有 {months} 个月记录,要求 {gates.months_of_data} 个月",
            f"{months} months of points, asked for {gates.months_of_data}",
            [months, gates.months_of_data],
        )
        if months < gates.months_of_data:
            closed.append("too_few_months")
    if gates.stale_after_days is not None:
        last = facts.last_contribution_on
        days = None if last is None else (facts.as_of_on - last).days
        shown = "—" if days is None else days
        sheet.step(
            "gates.staleness",
            f"最近一次积分距今 {shown} 天,要求不超过 {gates.stale_after_days} 天",
            f"{shown} days since the last points, at most {gates.stale_after_days} allowed",
            [days, gates.stale_after_days],
        )
        if days is None or days > gates.stale_after_days:
            closed.append("stale")
    return closed


def _honoured(sheet: _Sheet, honours: Codes | None, where: str) -> bool:
    if honours is None:
        return True
    facility = sheet.facts.facility
    hit = honours.hit(sheet.facts.honours + (facility.honours if facility else ()))
    if hit:
        sheet.step(f"{where}.honours", "荣誉:" + "、".join(hit), "Honour: " + ", ".join(hit), list(hit))
        return True
    sheet.step(f"{where}.honours", "没有规定的荣誉", "The honour asked for is missing", [])
    sheet.because("honour_missing")
    return False


def _fraction(linear: Linear | None, steps: tuple[StepRow, ...], score_centi: int) -> tuple[int, int]:
    """Numerator and denominator of what the score gives on a scale."""
    if linear is None:
        return next((row.amount for row in reversed(steps) if row.from_centi <= score_centi), 0), 1
    if linear.only_full:
        return score_centi // linear.per_centi * linear.amount, 1
    return score_centi * linear.amount, linear.per_centi


def _scale_words(
    linear: Linear | None, score_centi: int, numerator: int, denominator: int, unit: str, hundredths: bool
) -> str:
    size = 100 if hundredths else 1
    exact = _decimal_text(numerator, denominator * size)
    if linear is None:
        return f"{points_text(score_centi)} → {exact} {unit}"
    each = _decimal_text(linear.amount, size)
    return f"{points_text(score_centi)} ÷ {points_text(linear.per_centi)} × {each} {unit} = {exact} {unit}"


def _decimal_text(numerator: int, denominator: int) -> str:
    """At most four decimals, cut off, and marked where cut: words only, the number itself stays a fraction."""
    whole, rest = divmod(numerator, denominator)
    fraction, left = divmod(rest * 10_000, denominator)
    text = f"{whole}.{fraction:04d}".rstrip("0").rstrip(".")
    return f"{text}…" if left else text


def _discount(sheet: _Sheet, score_centi: int, base_bp: int) -> int:
    rule, floor = sheet.ruleset.discount, sheet.ruleset.floor
    if rule is None or not _honoured(sheet, rule.honours, "discount"):
        return 0
    numerator, denominator = _fraction(rule.linear, rule.steps, score_centi)
    where = "discount.linear" if rule.linear else "discount.steps"
    words = _scale_words(
        rule.linear, score_centi, numerator, denominator, "%" if rule.relative else "bp", rule.relative
    )
    sheet.step(
        where, f"按积分计算:{words}", f"From the score: {words}", [score_centi, str(numerator), denominator]
    )
    capped = False
    if rule.relative:
        if rule.cap_percent_centi is not None and numerator > rule.cap_percent_centi * denominator:
            numerator, denominator, capped = rule.cap_percent_centi, 1, True
        numerator, denominator = numerator * base_bp, denominator * 10000
    discount = divide(numerator, denominator, rule.rounding)
    sheet.step(
        "discount.rounding",
        f"取整({ROUNDING_ZH[rule.rounding]}):{discount} bp",
        f"Rounded {rule.rounding}: {discount} bp",
        discount,
    )
    if rule.cap_bp is not None and discount > rule.cap_bp:
        discount, capped = rule.cap_bp, True
    if capped:
        sheet.because("discount_capped")
        sheet.step("discount.cap", f"优惠封顶:{discount} bp", f"Capped: {discount} bp", discount)
    floor_bp = floor.on(sheet.facts.as_of_on) if floor else None
    if floor_bp is not None:
        room = max(0, base_bp - floor_bp)
        sheet.step(
            "floor", f"利率下限 {percent_text(floor_bp)}%", f"Rate floor {percent_text(floor_bp)} %", floor_bp
        )
        if discount > room:
            discount = room
            sheet.because("rate_floor")
    if discount:
        sheet.because("discount_granted")
    return discount


def _limit(sheet: _Sheet, score_centi: int, base_limit_fen: int | None) -> int:
    rule = sheet.ruleset.limit
    if rule is None or not _honoured(sheet, rule.honours, "limit"):
        return 0
    if base_limit_fen is None and (rule.relative or rule.total_cap_fen is not None):
        sheet.because("base_limit_unknown")
        return 0
    numerator, denominator = _fraction(rule.linear, rule.steps, score_centi)
    where = "limit.linear" if rule.linear else "limit.steps"
    words = _scale_words(
        rule.linear, score_centi, numerator, denominator, "%" if rule.relative else "CNY", True
    )
    sheet.step(
        where, f"按积分计算:{words}", f"From the score: {words}", [score_centi, str(numerator), denominator]
    )
    if rule.relative:
        numerator, denominator = numerator * (base_limit_fen or 0), denominator * 10000
    increase_fen = divide(numerator, denominator * rule.unit_fen, rule.rounding) * rule.unit_fen
    most = rule.cap_fen if rule.cap_fen is not None else increase_fen
    if rule.total_cap_fen is not None:
        most = min(most, max(0, rule.total_cap_fen - (base_limit_fen or 0)))
    if increase_fen > most:
        increase_fen = most
        sheet.because("limit_capped")
        sheet.step(
            "limit.cap",
            f"增额封顶:{yuan_text(increase_fen)} 元",
            f"Capped: {yuan_text(increase_fen)} CNY",
            increase_fen,
        )
    if increase_fen:
        sheet.because("limit_granted")
    return increase_fen


def _conclude(
    sheet: _Sheet,
    base_bp: int | None,
    discount_bp: int,
    final_bp: int | None,
    base_limit_fen: int | None,
    increase_fen: int,
) -> None:
    if sheet.ruleset.discount is not None and base_bp is not None and final_bp is not None:
        sheet.step(
            "final_rate",
            f"利率 {percent_text(base_bp)}% − {discount_bp} bp = {percent_text(final_bp)}%",
            f"Rate {percent_text(base_bp)} % − {discount_bp} bp = {percent_text(final_bp)} %",
            final_bp,
        )
    if sheet.ruleset.limit is not None:
        total = "—" if base_limit_fen is None else yuan_text(base_limit_fen + increase_fen)
        sheet.step(
            "final_limit",
            f"额度增加 {yuan_text(increase_fen)} 元,合计 {total} 元",
            f"Limit raised by {yuan_text(increase_fen)} CNY to {total} CNY",
            None if base_limit_fen is None else base_limit_fen + increase_fen,
        )
