"""The shape of a ruleset document: one marshmallow form per block. Each block that carries numbers carries a `reference`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from marshmallow import Schema, fields, validates_schema

from gateway.policy.fields import (
    Choice,
    CodeList,
    Day,
    Flag,
    Hundredths,
    Reference,
    Whole,
    Words,
    code,
    refuse,
)
from gateway.policy.language import SUMMED, BasisKind, OnDecrease, QuotaCounts, Rounding
from schemas.policy import SubjectKind
from schemas.values import Category

MOST_POINTS = 10**11  # centi-points: 1 000 million points
MOST_FEN = 10**15
_SCALE_REMEDY = "give exactly one: `linear` (so much per so many points) or `steps` (a table)"


class Effect(StrEnum):
    """How a discount or a limit increase is counted."""

    ABSOLUTE = "absolute"
    RELATIVE = "relative"


class LimitFrom(StrEnum):
    """Where the limit before any increase comes from."""

    FACILITY = "facility"
    ASSETS = "assets"


class Form(Schema):
    """Unknown words are refused (marshmallow's default); the loader says which words are known."""


class TitleForm(Form):
    zh = Words(100, required=True)
    en = Words(200, required=True)


class BasisForm(Form):
    kind = Choice(BasisKind, required=True)
    months = Whole(1, 120)
    reference = Reference()

    @validates_schema(skip_on_field_errors=True)
    def _months(self, data: Mapping[str, Any], **_: Any) -> None:
        if (data["kind"] is BasisKind.TRAILING_MONTHS) != ("months" in data):
            raise refuse("does not fit its kind", "give `months` with trailing_months, and only there")


class FactorForm(Form):
    num = Whole(0, 10**6, required=True)
    den = Whole(1, 10**6, required=True)


class FactorsForm(Form):
    towns = fields.Dict(keys=code(), values=fields.Nested(FactorForm), required=True)
    rounding = Choice(Rounding, load_default=Rounding.DOWN)
    reference = Reference()

    @validates_schema(skip_on_field_errors=True)
    def _some(self, data: Mapping[str, Any], **_: Any) -> None:
        if not 1 <= len(data["towns"]) <= 64:
            raise refuse("names no town, or too many", "give a factor for 1 to 64 towns")


class CategoryForm(Form):
    weight_percent = Whole(0, 1000, load_default=100)
    month_cap_points = Hundredths("points", 0, MOST_POINTS)


class CategoriesForm(Form):
    of = fields.Dict(keys=Choice(Category), values=fields.Nested(CategoryForm), load_default=dict)
    others = fields.Nested(CategoryForm, load_default=lambda: {"weight_percent": 100})
    reference = Reference()


class AgeForm(Form):
    min_years = Whole(0, 150)
    max_years = Whole(0, 150)
    reference = Reference()

    @validates_schema(skip_on_field_errors=True)
    def _order(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("min_years", 0) > data.get("max_years", 150):
            raise refuse("admits nobody", "min_years must not be above max_years")


class ScoreGateForm(Form):
    at_least = Hundredths("points", 0, MOST_POINTS)
    above = Hundredths("points", 0, MOST_POINTS)
    reference = Reference()

    @validates_schema(skip_on_field_errors=True)
    def _one(self, data: Mapping[str, Any], **_: Any) -> None:
        if ("at_least" in data) == ("above" in data):
            raise refuse("needs one bound", "give exactly one: `at_least` (inclusive) or `above` (exclusive)")


class VetoesForm(Form):
    codes = CodeList(required=True)
    reference = Reference()


class MonthsGateForm(Form):
    at_least = Whole(1, 240, required=True)
    reference = Reference()


class StalenessForm(Form):
    at_most_days = Whole(1, 3660, required=True)
    reference = Reference()


class GatesForm(Form):
    vetoes = fields.Nested(VetoesForm, required=True)
    age = fields.Nested(AgeForm)
    score = fields.Nested(ScoreGateForm)
    months_of_data = fields.Nested(MonthsGateForm)
    staleness = fields.Nested(StalenessForm)


class PublishedForm(Form):
    rate_bp = Whole(1, 10000)
    limit_cny = Hundredths("CNY", 0, MOST_FEN)
    limit_from = Choice(LimitFrom, load_default=LimitFrom.FACILITY)
    reference = Reference()


class HonoursForm(Form):
    codes = CodeList(required=True)
    reference = Reference()


def _rising(rows: list[Mapping[str, Any]], unit: str) -> None:
    points = [row["from_points"] for row in rows]
    if points != sorted(set(points)):
        raise refuse("has steps out of order", "write the steps with rising from_points, each once")
    amounts = [row[unit] for row in rows]
    if amounts != sorted(amounts):
        raise refuse("gives less for more points", f"write the steps with {unit} that never falls")


class _ScaleForm(Form):
    """Linear or stepped; a subclass says in which unit."""

    rounding = Choice(Rounding, required=True)
    honours = fields.Nested(HonoursForm)
    reference = Reference()

    def one_scale(self, data: Mapping[str, Any], unit: str) -> None:
        """Exactly one scale, in exactly the unit."""
        if ("linear" in data) == ("steps" in data):
            raise refuse("has no scale, or two", _SCALE_REMEDY)
        rows = [data["linear"]] if "linear" in data else data["steps"]
        units = {key for row in rows for key in row if key in ("bp", "percent", "amount_cny")}
        if units != {unit}:
            raise refuse(
                "is in the wrong unit", f"with this effect every row says `{unit}`, and no other unit"
            )
        if "steps" in data:
            _rising(rows, unit)


class _LinearForm(Form):
    per_points = Hundredths("points", 1, MOST_POINTS, required=True)
    only_full = Flag(load_default=False)
    percent = Hundredths("percent", 0, 100_00)


class _StepForm(Form):
    from_points = Hundredths("points", 0, MOST_POINTS, required=True)
    percent = Hundredths("percent", 0, 100_00)


class RateLinearForm(_LinearForm):
    bp = Whole(0, 10000)


class RateStepForm(_StepForm):
    bp = Whole(0, 10000)


class DiscountForm(_ScaleForm):
    effect = Choice(Effect, required=True)
    linear = fields.Nested(RateLinearForm)
    steps = fields.List(fields.Nested(RateStepForm))
    cap_bp = Whole(0, 10000)
    cap_percent = Hundredths("percent", 0, 100_00)

    @validates_schema(skip_on_field_errors=True)
    def _fits(self, data: Mapping[str, Any], **_: Any) -> None:
        relative = data["effect"] is Effect.RELATIVE
        self.one_scale(data, "percent" if relative else "bp")
        if "cap_percent" in data and not relative:
            raise refuse("has a cap in percent", "an absolute discount is capped by cap_bp")
        if "cap_bp" not in data and "cap_percent" not in data:
            raise refuse(
                "has no cap",
                "give cap_bp (or cap_percent with a relative discount): no discount without a cap",
            )


class LimitLinearForm(_LinearForm):
    amount_cny = Hundredths("CNY", 0, MOST_FEN)


class LimitStepForm(_StepForm):
    amount_cny = Hundredths("CNY", 0, MOST_FEN)


class LimitForm(_ScaleForm):
    effect = Choice(Effect, required=True)
    linear = fields.Nested(LimitLinearForm)
    steps = fields.List(fields.Nested(LimitStepForm))
    unit_cny = Hundredths("CNY", 1, MOST_FEN, load_default=1)
    cap_cny = Hundredths("CNY", 0, MOST_FEN, required=True)
    total_cap_cny = Hundredths("CNY", 0, MOST_FEN)

    @validates_schema(skip_on_field_errors=True)
    def _fits(self, data: Mapping[str, Any], **_: Any) -> None:
        self.one_scale(data, "percent" if data["effect"] is Effect.RELATIVE else "amount_cny")


class LprRowForm(Form):
    from_on = Day(required=True)
    rate_bp = Whole(1, 10000, required=True)


class FloorForm(Form):
    fixed_bp = Whole(0, 10000)
    lpr = fields.List(fields.Nested(LprRowForm))
    spread_bp = Whole(-10000, 10000)
    reference = Reference()

    @validates_schema(skip_on_field_errors=True)
    def _one(self, data: Mapping[str, Any], **_: Any) -> None:
        if ("fixed_bp" in data) == ("lpr" in data):
            raise refuse(
                "has no rate, or two",
                "give exactly one: `fixed_bp`, or `lpr` (a table, or the name of one in lpr.yaml)",
            )
        if "spread_bp" in data and "lpr" not in data:
            raise refuse(
                "has a spread without an LPR", "a spread stands on an `lpr` table; put it into fixed_bp"
            )
        days = [row["from_on"] for row in data.get("lpr", ())]
        if "lpr" in data and (not days or days != sorted(set(days))):
            raise refuse(
                "has an LPR table out of order", "write rows with rising from_on, each once, at least one"
            )


class QuotaForm(Form):
    amount_cny = Hundredths("CNY", 1, MOST_FEN, required=True)
    counts = Choice(QuotaCounts, required=True)
    reference = Reference()


class TermForm(Form):
    months = Whole(1, 360, required=True)
    reference = Reference()


class AssumedLoanForm(Form):
    amount_cny = Hundredths("CNY", 1, MOST_FEN, required=True)
    reference = Reference()


class RulesetForm(Form):
    """The whole document."""

    name = code(required=True)
    title = fields.Nested(TitleForm, required=True)
    product = code(required=True)
    valid_from_on = Day(required=True)
    valid_until_on = Day()
    subject = Choice(SubjectKind, required=True)
    basis = fields.Nested(BasisForm, required=True)
    factors = fields.Nested(FactorsForm, required=True)
    categories = fields.Nested(CategoriesForm)
    gates = fields.Nested(GatesForm, required=True)
    published = fields.Nested(PublishedForm)
    discount = fields.Nested(DiscountForm)
    limit = fields.Nested(LimitForm)
    floor = fields.Nested(FloorForm)
    quota = fields.Nested(QuotaForm)
    term = fields.Nested(TermForm, required=True)
    on_decrease = Choice(OnDecrease, required=True)
    on_correction = Choice(OnDecrease)  # left out: as on_decrease
    assumed_loan = fields.Nested(AssumedLoanForm, required=True)
    reference = Reference()  # of the programme as a whole, its start date and its subject

    @validates_schema(skip_on_field_errors=True)
    def _whole(self, data: Mapping[str, Any], **_: Any) -> None:
        if "discount" not in data and "limit" not in data:
            raise refuse("gives nothing", "add a `discount`, a `limit`, or both")
        if "discount" in data and "floor" not in data:
            raise refuse("has a discount without a floor", "add `floor`: a fixed rate or the LPR")
        if "categories" in data and data["basis"]["kind"] not in SUMMED:
            raise refuse(
                "weighs categories it cannot see",
                "balance and posted_score know no categories; remove `categories`",
            )
        if "valid_until_on" in data and data["valid_until_on"] <= data["valid_from_on"]:
            raise refuse(
                "ends before it begins", "valid_until_on is exclusive and must be after valid_from_on"
            )
        table = data.get("floor", {}).get("lpr")
        if table and table[0]["from_on"] > data["valid_from_on"]:
            raise refuse("begins before its LPR table", "add the LPR row in force on valid_from_on")
