"""Facts from plain figures, for cases and for `gateway policy evaluate --ruleset … --points …`: no database, nobody real."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from marshmallow import ValidationError

from gateway.policy.fields import Hundredths
from gateway.policy.language import SUMMED, BasisKind, Ruleset
from schemas.errors import InvalidError
from schemas.policy import Facility, Facts, MonthSum, PostedScore
from schemas.values import Category, ContributionKind, HolderId, PersonId, TownCode, month_of, months_before

_NOBODY = 0


def points_of(text: str) -> int:
    """'583' or '2.5' to centi-points; a debt as '-3'. Raises InvalidError."""
    sign, plain = (-1, text[1:]) if text.startswith("-") else (1, text)
    try:
        return sign * int(Hundredths("points", 0, 10**11).deserialize(plain))
    except ValidationError:
        raise InvalidError(
            "not a number of points", where="points", value=text[:40], remedy="write it as 583 or 2.5"
        ) from None


def facts_of_points(
    ruleset: Ruleset,
    points_centi: int,
    on: date,
    *,
    town: str | None = None,
    category: str | None = None,
    age_years: int | None = None,
    vetoes: Sequence[str] = (),
    honours: Sequence[str] = (),
    facility: Facility | None = None,
) -> Facts:
    """Somebody who has exactly these points of one town today, all this month, with two years of records behind them.

    Without `town`, the ruleset's first; without `category`, one that is neither weighed nor capped. Raises InvalidError when
    the ruleset has no such town or category.
    """
    chosen = town or next(iter(ruleset.factors))
    if chosen not in ruleset.factors:
        known = ", ".join(ruleset.factors)
        raise InvalidError(
            "the ruleset has no factor for this town",
            where="town",
            value=chosen,
            remedy=f"use one of {known}",
        )
    sums: tuple[MonthSum, ...] = ()
    balances: tuple[tuple[TownCode, int], ...] = ()
    posted: tuple[PostedScore, ...] = ()
    code, month = TownCode(chosen), month_of(on)
    if ruleset.basis.kind in SUMMED:
        kind = ContributionKind.AWARD if points_centi >= 0 else ContributionKind.DEDUCTION
        sums = (MonthSum(code, category or _plain_category(ruleset), str(kind), month, abs(points_centi)),)
    elif ruleset.basis.kind is BasisKind.BALANCE:
        balances = ((code, points_centi),)
    else:
        posted = (PostedScore(code, f"{on.year}Q{(on.month + 2) // 3}", points_centi),)
    return Facts(
        subject_id=HolderId(_NOBODY),
        subject_kind=ruleset.subject,
        applicant_id=PersonId(_NOBODY),
        as_of_on=on,
        month_sums=sums,
        balance_centi=balances,
        posted_scores=posted,
        age_years=age_years,
        vetoes=tuple(vetoes),
        honours=tuple(honours),
        first_month=months_before(month, 24),
        last_contribution_on=on,
        facility=facility,
    )


def _plain_category(ruleset: Ruleset) -> str:
    for category in (Category.OTHER, *Category):
        rule = ruleset.category(category)
        if rule.weight_percent == 100 and rule.month_cap_centi is None:
            return str(category)
    raise InvalidError(
        "every category of this ruleset is weighed or capped",
        where="category",
        remedy="say which: --category " + "|".join(Category),
    )
