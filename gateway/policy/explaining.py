"""A decision in words: the trace as a policy officer would tell it to a resident."""

from __future__ import annotations

from gateway.policy.language import Ruleset
from schemas.policy import Decision, Outcome
from schemas.values import percent_text, points_text, yuan_text

_OUTCOME = {
    Outcome.GRANTED: ("可享受优惠", "granted"),
    Outcome.NOTHING: ("符合条件,积分未达优惠档次", "eligible, and the score gives nothing"),
    Outcome.NOT_ELIGIBLE: ("不符合条件", "not eligible"),
    Outcome.VETOED: ("一票否决", "vetoed"),
}


def explain(ruleset: Ruleset, decision: Decision, lang: str = "zh") -> str:
    """Lines of text: title, each step with the rule it follows, the result, the reasons. `lang` is zh or en."""
    zh = lang == "zh"
    title = ruleset.title_zh if zh else ruleset.title_en
    head = (
        f"{title}({ruleset.name},{ruleset.valid_from_on} 起施行,规则编号 {ruleset.ruleset_id[:12]}),{decision.as_of_on}"
        if zh
        else f"{title} ({ruleset.name}, from {ruleset.valid_from_on}, ruleset {ruleset.ruleset_id[:12]}), on {decision.as_of_on}"
    )
    lines = [head]
    for number, step in enumerate(decision.trace, 1):
        lines.append(f"{number:3}. {step.zh if zh else step.en}  [{step.rule}]")
    lines.append(result_text(decision, lang))
    lines.extend(f"   - {r.zh if zh else r.en} ({r.code})" for r in decision.reasons)
    return "\n".join(lines)


def result_text(decision: Decision, lang: str = "zh") -> str:
    """The result alone, as one line. `lang` is zh or en."""
    zh = lang == "zh"
    word = _OUTCOME[decision.outcome][0 if zh else 1]
    rate = "—" if decision.final_rate_bp is None else f"{percent_text(decision.final_rate_bp)} %"
    increase = yuan_text(decision.limit_increase_fen)
    points = points_text(decision.score_centi)
    if zh:
        return f"结论:{word};积分 {points},利率优惠 {decision.discount_bp} bp,执行利率 {rate},额度增加 {increase} 元"
    return f"Result: {word}; {points} points, {decision.discount_bp} bp off, final rate {rate}, limit +{increase} CNY"
