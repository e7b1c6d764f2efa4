"""Facts in, a decision out: what the policy room and the paths around it say to each other.

Everything is integers: centi-points, basis points, fen. See `gateway.policy` for the ruleset language.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

from schemas.values import HolderId, PersonId, TownCode


class SubjectKind(StrEnum):
    """Whose points are counted."""

    HOUSEHOLD = "household"
    PERSON = "person"


class MonthSum(NamedTuple):
    """Points of one month, summed: awards and transfers as positive numbers, the kind gives the direction."""

    town: TownCode
    category: str
    kind: str
    month: int  # yyyymm
    points_centi: int


class PostedScore(NamedTuple):
    """The latest posted score of a period, where a town posts lists."""

    town: TownCode
    period: str  # '2026Q3'
    points_centi: int


@dataclass(frozen=True, slots=True)
class Facility:
    """What the bank's credit system says about an applicant and a product (QueryFacility)."""

    product: str
    base_rate_bp: int
    base_limit_fen: int
    asset_limit_fen: int | None = None
    vetoes: tuple[str, ...] = ()
    honours: tuple[str, ...] = ()
    age_min: int | None = None
    age_max: int | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a ruleset may look at for one subject on one day; nothing else enters a decision.

    Only sums of persons who consented to loan mapping are in `month_sums`. `balance_centi` is the spendable balance by town.
    No personal data: ids, an age in whole years, and numbers.
    """

    subject_id: HolderId
    subject_kind: SubjectKind
    applicant_id: PersonId
    as_of_on: date
    month_sums: tuple[MonthSum, ...]
    balance_centi: tuple[tuple[TownCode, int], ...] = ()
    posted_scores: tuple[PostedScore, ...] = ()
    age_years: int | None = None
    vetoes: tuple[str, ...] = ()
    honours: tuple[str, ...] = ()
    first_month: int | None = None  # first month with data, yyyymm
    last_contribution_on: date | None = None
    facility: Facility | None = None


class Outcome(StrEnum):
    """What a decision says."""

    GRANTED = "granted"  # some discount or some limit increase
    NOTHING = "nothing"  # eligible, and the score gives nothing
    NOT_ELIGIBLE = "not_eligible"  # a gate is closed
    VETOED = "vetoed"  # 一票否决


class Reason(NamedTuple):
    """A reason in words. The code is stable; `zh` and `en` are what a resident is told."""

    code: str
    zh: str
    en: str


class Step(NamedTuple):
    """One step of the trace: what was computed, from what, by which line of the ruleset."""

    rule: str  # path inside the ruleset document, e.g. 'discount.linear'
    zh: str
    en: str
    value: Any  # int | str | list | dict, canonical-JSON-able


@dataclass(frozen=True, slots=True)
class Decision:
    """The result of `evaluate`. Replaying it gives the same bytes (see `gateway.policy.decision_bytes`)."""

    ruleset_id: str  # SHA-256 of the ruleset's canonical document, hex
    subject_id: HolderId
    subject_kind: SubjectKind
    applicant_id: PersonId
    as_of_on: date
    outcome: Outcome
    score_centi: int
    base_rate_bp: int | None
    discount_bp: int
    floor_bp: int | None
    final_rate_bp: int | None
    limit_increase_fen: int
    final_limit_fen: int | None
    reasons: tuple[Reason, ...]
    trace: tuple[Step, ...]
