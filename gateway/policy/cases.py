"""Cases: what a policy officer expects of a ruleset, in YAML, run as a test and by `gateway policy cases`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from marshmallow import Schema, ValidationError, fields

from gateway.policy.document import RULESETS, load_packaged, load_ruleset, read_yaml
from gateway.policy.evaluation import evaluate
from gateway.policy.fields import CodeList, Day, Hundredths, Whole, Words, code
from gateway.policy.figures import facts_of_points
from gateway.policy.forms import MOST_FEN, MOST_POINTS
from gateway.policy.language import Ruleset
from schemas.errors import InvalidError
from schemas.policy import Decision, Facility, Facts, MonthSum

CASES = RULESETS / "cases"


class SumForm(Schema):
    """Points of one month: given.months."""

    month = Whole(200001, 299912, required=True)
    town = code(required=True)
    category = code(load_default="other")
    kind = code(load_default="award")
    points = Hundredths("points", 0, MOST_POINTS, required=True)


class FacilityForm(Schema):
    """What the bank says: given.facility."""

    base_rate_bp = Whole(1, 10000, required=True)
    base_limit_cny = Hundredths("CNY", 0, MOST_FEN, required=True)
    asset_limit_cny = Hundredths("CNY", 0, MOST_FEN)
    vetoes = CodeList()
    honours = CodeList()
    age_min = Whole(0, 150)
    age_max = Whole(0, 150)


class GivenForm(Schema):
    """Who comes: points as one figure, or month by month."""

    on = Day(required=True)
    points = Hundredths("points", 0, MOST_POINTS, load_default=0)
    town = code()
    months = fields.List(fields.Nested(SumForm))
    age = Whole(0, 150)
    vetoes = CodeList()
    honours = CodeList()
    facility = fields.Nested(FacilityForm)
    first_month = Whole(200001, 299912)
    last_contribution_on = Day()


class ExpectForm(Schema):
    """What must come out; only what is named is compared. `reasons` must all be among those given."""

    outcome = Words(20)
    score = Hundredths("points", 0, MOST_POINTS)
    discount_bp = Whole(0, 10000)
    floor_bp = Whole(0, 10000)
    final_rate_bp = Whole(0, 10000)
    limit_increase_cny = Hundredths("CNY", 0, MOST_FEN)
    final_limit_cny = Hundredths("CNY", 0, MOST_FEN)
    reasons = CodeList()


class CaseForm(Schema):
    """One case."""

    name = Words(200, required=True)
    given = fields.Nested(GivenForm, required=True)
    expect = fields.Nested(ExpectForm, required=True)


class CasesForm(Schema):
    """A file of cases for one ruleset: one that ships with the gateway, or a file beside the cases."""

    ruleset = Words(200, required=True)
    cases = fields.List(fields.Nested(CaseForm), required=True)


class CaseResult(NamedTuple):
    """A case that ran: `differences` is empty when it holds."""

    file: str
    name: str
    decision: Decision
    ruleset: Ruleset
    differences: tuple[str, ...]


def run_cases(path: Path) -> list[CaseResult]:
    """Run one file of cases. Raises InvalidError when the file cannot be read."""
    document, _ = read_yaml(path.read_text("utf-8"))
    try:
        data = CasesForm().load(document)
    except ValidationError as exc:
        raise InvalidError(
            "the cases cannot be read", where=str(path.name), value=_first(exc.messages)
        ) from None
    beside = path.parent / data["ruleset"]
    ruleset = (
        load_ruleset(beside.read_text("utf-8"))
        if beside.suffix == ".yaml" and beside.is_file()
        else load_packaged(data["ruleset"])
    )
    return [_run(path.name, ruleset, case) for case in data["cases"]]


def list_case_files() -> list[Path]:
    """The files of cases that ship with the gateway."""
    return sorted(CASES.glob("*.yaml"))


def _first(messages: Any) -> str:
    path = []
    while isinstance(messages, dict) and messages:
        key, messages = next(iter(messages.items()))
        path.append(str(key))
    found = messages[0] if isinstance(messages, list) and messages else messages
    what = "; ".join(found) if isinstance(found, tuple) else str(found)
    return f"{'.'.join(path)}: {what}"


def _run(file: str, ruleset: Ruleset, case: Mapping[str, Any]) -> CaseResult:
    decision = evaluate(ruleset, _facts(ruleset, case["given"]))
    return CaseResult(file, case["name"], decision, ruleset, tuple(_differences(decision, case["expect"])))


def _facts(ruleset: Ruleset, given: Mapping[str, Any]) -> Facts:
    on: date = given["on"]
    facts = facts_of_points(
        ruleset,
        given["points"],
        on,
        town=given.get("town"),
        category="other" if "months" in given else None,  # the figure is replaced by the months below
        age_years=given.get("age"),
        vetoes=given.get("vetoes") or (),
        honours=given.get("honours") or (),
        facility=_facility(ruleset, given["facility"]) if "facility" in given else None,
    )
    changed: dict[str, Any] = {
        key: given[key] for key in ("first_month", "last_contribution_on") if key in given
    }
    if "months" in given:
        changed["month_sums"] = tuple(
            MonthSum(m["town"], m["category"], m["kind"], m["month"], m["points"]) for m in given["months"]
        )
    return replace(facts, **changed)


def _facility(ruleset: Ruleset, given: Mapping[str, Any]) -> Facility:
    return Facility(
        product=ruleset.product,
        base_rate_bp=given["base_rate_bp"],
        base_limit_fen=given["base_limit_cny"],
        asset_limit_fen=given.get("asset_limit_cny"),
        vetoes=given.get("vetoes") or (),
        honours=given.get("honours") or (),
        age_min=given.get("age_min"),
        age_max=given.get("age_max"),
    )


def _differences(decision: Decision, expect: Mapping[str, Any]) -> list[str]:
    found: dict[str, Any] = {
        "outcome": str(decision.outcome),
        "score": decision.score_centi,
        "discount_bp": decision.discount_bp,
        "floor_bp": decision.floor_bp,
        "final_rate_bp": decision.final_rate_bp,
        "limit_increase_cny": decision.limit_increase_fen,
        "final_limit_cny": decision.final_limit_fen,
    }
    differences = [
        f"{key}: expected {expect[key]}, got {found[key]}"
        for key in found
        if key in expect and expect[key] != found[key]
    ]
    given = {r.code for r in decision.reasons}
    differences += [
        f"reasons: {c} is missing, got {sorted(given)}" for c in expect.get("reasons") or () if c not in given
    ]
    return differences
