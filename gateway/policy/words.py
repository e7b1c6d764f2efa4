"""Reasons in words, by stable code: what a resident is told (PIPL art. 24: an automated decision is explained)."""

from __future__ import annotations

from schemas.policy import Reason

REASONS: dict[str, tuple[str, str]] = {
    "discount_granted": ("积分达到优惠条件,利率下浮", "your points lower the rate"),
    "limit_granted": ("积分达到增额条件,额度提升", "your points raise the limit"),
    "score_gives_nothing": ("当前积分尚未达到优惠档次", "your points do not yet reach a benefit"),
    "veto": ("存在一票否决事项", "a veto stands against the benefit"),
    "not_started": ("规则尚未施行", "the programme has not begun"),
    "ended": ("规则已停止施行", "the programme has ended"),
    "wrong_subject": ("计分对象与规则不符", "the programme counts another kind of subject"),
    "age_unknown": ("年龄未知,请到网点办理", "your age is not known; please come to the branch"),
    "age_too_low": ("未达到规定年龄", "you are below the programme's age"),
    "age_too_high": ("超过规定年龄", "you are above the programme's age"),
    "score_too_low": ("积分未达到准入分数", "your points are below the entry score"),
    "too_few_months": ("积分记录月数不足", "there are too few months of points"),
    "stale": ("近期没有积分记录", "there are no recent points"),
    "base_rate_unknown": ("基准利率未知,无法计算优惠", "the rate before any discount is not known"),
    "lpr_unknown": ("LPR 数据缺失", "the LPR of that day is not in the ruleset"),
    "discount_capped": ("利率优惠达到上限", "the discount reached its cap"),
    "rate_floor": ("利率已达到下限", "the rate reached its floor"),
    "limit_capped": ("额度提升达到上限", "the increase reached its cap"),
    "base_limit_unknown": ("基础额度未知,无法计算增额", "the limit before any increase is not known"),
    "honour_missing": ("缺少规定的荣誉", "the honour asked for is missing"),
    "quota_exhausted": ("项目总额度已用完", "the programme's quota is used up"),
}


def reason(code: str) -> Reason:
    """The reason in both languages."""
    return Reason(code, *REASONS[code])
