"""The ruleset language as values. What a document may say, after it was read; see docs/policy.md for the YAML.

Units: `_centi` 1/100 point, `_bp` 1/100 percentage point, `_fen` 1/100 CNY, `percent_centi` 1/100 percent. All integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from math import lcm
from typing import Any

from schemas.policy import SubjectKind
from schemas.values import month_of, months_before


class BasisKind(StrEnum):
    """Which points count."""

    TRAILING_MONTHS = "trailing_months"  # the last n calendar months, the current one included
    CURRENT_YEAR = "current_year"  # January to the month of the decision
    CUMULATIVE = "cumulative"  # everything up to the month of the decision
    BALANCE = "balance"  # what can be spent today
    POSTED_SCORE = "posted_score"  # the latest list the town posted


#: Bases that look at month sums; only these know categories.
SUMMED = frozenset({BasisKind.TRAILING_MONTHS, BasisKind.CURRENT_YEAR, BasisKind.CUMULATIVE})


class Rounding(StrEnum):
    """What happens to a fraction. NEAREST rounds a half up."""

    DOWN = "down"
    NEAREST = "nearest"
    UP = "up"


def divide(numerator: int, denominator: int, rounding: Rounding) -> int:
    """numerator/denominator as an integer; denominator > 0. DOWN is towards minus infinity, so a debt is never made smaller."""
    if rounding is Rounding.DOWN:
        return numerator // denominator
    if rounding is Rounding.UP:
        return -(-numerator // denominator)
    return (2 * numerator + denominator) // (2 * denominator)


class OnDecrease(StrEnum):
    """What happens to a benefit already granted when points fall."""

    AT_ONCE = "at_once"
    AT_REPRICING = "at_repricing"


@dataclass(frozen=True, slots=True)
class Basis:
    """`months` only for trailing_months."""

    kind: BasisKind
    months: int = 0

    def first_month(self, on: date) -> int:
        """First month that counts on a day, yyyymm; 0: all. Only for bases that look at month sums."""
        if self.kind is BasisKind.TRAILING_MONTHS:
            return months_before(month_of(on), self.months - 1)
        return on.year * 100 + 1 if self.kind is BasisKind.CURRENT_YEAR else 0


@dataclass(frozen=True, slots=True)
class Factor:
    """One point of a town is worth num/den of this ruleset's points."""

    num: int
    den: int


@dataclass(frozen=True, slots=True)
class CategoryRule:
    """Weight in whole percent; cap on what one month of one category may add, in this ruleset's points, after weighing."""

    weight_percent: int = 100
    month_cap_centi: int | None = None


@dataclass(frozen=True, slots=True)
class Codes:
    """A list of codes, or all of them (`codes` is None)."""

    codes: tuple[str, ...] | None

    def hit(self, found: tuple[str, ...]) -> tuple[str, ...]:
        """Which of `found` this list names, sorted, each once."""
        return tuple(sorted(c for c in set(found) if self.codes is None or c in self.codes))


@dataclass(frozen=True, slots=True)
class Gates:
    """Who may have a benefit at all. None: no such gate. Ages in whole years, both ends inclusive."""

    vetoes: Codes
    age_min_years: int | None = None
    age_max_years: int | None = None
    score_at_least_centi: int | None = None
    score_above_centi: int | None = None
    months_of_data: int | None = None
    stale_after_days: int | None = None


@dataclass(frozen=True, slots=True)
class Linear:
    """`amount` for each `per_centi` points; `only_full`: a started portion does not count.

    `amount` is bp (absolute discount), 1/100 percent (relative discount, percent limit) or fen (absolute limit).
    """

    amount: int
    per_centi: int
    only_full: bool = False


@dataclass(frozen=True, slots=True)
class StepRow:
    """From this score on (inclusive), this amount (unit as in Linear)."""

    from_centi: int
    amount: int


@dataclass(frozen=True, slots=True)
class Discount:
    """Off the rate: absolute in bp or relative in percent of the base rate; linear or stepped, never both."""

    relative: bool
    rounding: Rounding
    linear: Linear | None = None
    steps: tuple[StepRow, ...] = ()
    cap_bp: int | None = None
    cap_percent_centi: int | None = None
    honours: Codes | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """Onto the limit: in fen or in percent of the base limit; linear or stepped, never both."""

    relative: bool
    rounding: Rounding
    unit_fen: int  # the increase is a multiple of this
    linear: Linear | None = None
    steps: tuple[StepRow, ...] = ()
    cap_fen: int | None = None  # of the increase
    total_cap_fen: int | None = None  # of base limit and increase together
    honours: Codes | None = None


@dataclass(frozen=True, slots=True)
class LprRow:
    """The LPR from a day on."""

    from_on: date
    rate_bp: int


@dataclass(frozen=True, slots=True)
class Floor:
    """The lowest rate: fixed, or a dated LPR table plus a spread (which may be negative)."""

    fixed_bp: int | None = None
    table: tuple[LprRow, ...] = ()
    spread_bp: int = 0

    def on(self, day: date) -> int | None:
        """The floor of a day in bp; None before the table begins."""
        if self.fixed_bp is not None:
            return self.fixed_bp
        rate = None
        for row in self.table:
            if row.from_on <= day:
                rate = row.rate_bp
        return None if rate is None else max(0, rate + self.spread_bp)


@dataclass(frozen=True, slots=True)
class Published:
    """The programme's published base rate and limit, used where the bank's facility says nothing.

    `from_assets`: the base limit is the facility's asset limit where there is one.
    """

    rate_bp: int | None = None
    limit_fen: int | None = None
    from_assets: bool = False


class QuotaCounts(StrEnum):
    """What of a proposal uses up the programme's quota."""

    FINAL_LIMIT = "final_limit"
    LIMIT_INCREASE = "limit_increase"


@dataclass(frozen=True, slots=True)
class Quota:
    """Credit of the whole programme, counted when a proposal is approved, not when it is evaluated."""

    amount_fen: int
    counts: QuotaCounts


@dataclass(frozen=True, slots=True)
class Ruleset:
    """One dated set of rules. `ruleset_id` is the SHA-256 of `document` in canonical JSON; a change is another ruleset."""

    ruleset_id: str
    name: str
    title_zh: str
    title_en: str
    product: str
    valid_from_on: date
    valid_until_on: date | None
    subject: SubjectKind
    basis: Basis
    factors: Mapping[str, Factor]
    score_rounding: Rounding
    categories: Mapping[str, CategoryRule]
    other_categories: CategoryRule
    gates: Gates
    published: Published
    discount: Discount | None
    limit: Limit | None
    floor: Floor | None
    quota: Quota | None
    term_months: int
    on_decrease: OnDecrease
    on_correction: OnDecrease  # what a correction of a past quarter does to a benefit that would have been lower on its day
    assumed_loan_fen: int
    document: Mapping[str, Any] = field(repr=False)
    canonical: bytes = field(repr=False)

    @property
    def factor_lcm(self) -> int:
        """Common denominator of all factors, so that points of several towns add up exactly."""
        return lcm(*(f.den for f in self.factors.values())) if self.factors else 1

    @property
    def units_per_centi(self) -> int:
        """Scores are summed in 1/units_per_centi of a centi-point and rounded once, at the end."""
        return self.factor_lcm * 100

    def town_units(self, town: str) -> int:
        """How many units (before weighing) one centi-point of a town is; 0 when the town does not count."""
        factor = self.factors.get(town)
        return 0 if factor is None else factor.num * (self.factor_lcm // factor.den)

    def category(self, name: str) -> CategoryRule:
        """The rule of a category."""
        return self.categories.get(name, self.other_categories)

    def in_force(self, on: date) -> bool:
        """Whether the dates admit `on`; approval is another question."""
        return self.valid_from_on <= on and (self.valid_until_on is None or on < self.valid_until_on)
