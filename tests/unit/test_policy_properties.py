"""The rules hold for every ruleset of the language and every fact: floors, caps, vetoes, integers, factors, replay."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.policy import (
    decision_bytes,
    evaluate,
    facts_bytes,
    facts_from_bytes,
    load_packaged,
    ruleset_from_bytes,
)
from gateway.policy.language import Ruleset
from schemas.canonical import canonical_json
from schemas.policy import Decision, Facility, Facts, MonthSum, Outcome, PostedScore, SubjectKind
from tests.thoroughness import examples

REFERENCE = "[P] invented for a test"
TOWNS = ["alpha", "beta", "gamma"]
CATEGORIES = ["sorting", "charity", "conduct", "other"]
ON = date(2026, 11, 1)


def _decimal(low: int, high: int) -> st.SearchStrategy[str]:
    return st.integers(low, high).map(lambda n: f"{n // 100}.{n % 100:02d}")


@st.composite
def scales(draw: Any, unit: str, most: int) -> dict[str, Any]:
    amount = st.integers(0, most) if unit == "bp" else _decimal(0, most)
    if draw(st.booleans()):
        per = draw(_decimal(1, 100_000))
        return {"linear": {unit: draw(amount), "per_points": per, "only_full": draw(st.booleans())}}
    starts = sorted(draw(st.sets(st.integers(0, 100_000), min_size=1, max_size=4)))
    rises = sorted(draw(st.lists(st.integers(0, most), min_size=len(starts), max_size=len(starts))))
    text = [r if unit == "bp" else f"{r // 100}.{r % 100:02d}" for r in rises]
    return {
        "steps": [
            {"from_points": f"{s // 100}.{s % 100:02d}", unit: r} for s, r in zip(starts, text, strict=True)
        ]
    }


ROUNDINGS = st.sampled_from(["down", "nearest", "up"])
HONOURS = st.sampled_from(
    [
        {},
        {"honours": {"codes": "all", "reference": REFERENCE}},
        {"honours": {"codes": ["brave"], "reference": REFERENCE}},
    ]
)


@st.composite
def rulesets(draw: Any) -> Ruleset:
    """Any ruleset of the language."""
    kind = draw(st.sampled_from(["trailing_months", "current_year", "cumulative", "balance", "posted_score"]))
    basis: dict[str, Any] = {"kind": kind, "reference": REFERENCE}
    if kind == "trailing_months":
        basis["months"] = draw(st.integers(1, 24))
    factor = st.fixed_dictionaries({"num": st.integers(0, 12), "den": st.integers(1, 12)})
    document: dict[str, Any] = {
        "name": "any",
        "title": {"zh": "任意", "en": "any"},
        "reference": REFERENCE,
        "product": "any",
        "valid_from_on": "2026-01-01",
        "subject": draw(st.sampled_from(["household", "person"])),
        "basis": basis,
        "factors": {
            "towns": draw(st.dictionaries(st.sampled_from(TOWNS), factor, min_size=1)),
            "rounding": draw(ROUNDINGS),
            "reference": REFERENCE,
        },
        "gates": {"vetoes": {"codes": draw(st.sampled_from(["all", ["related"]])), "reference": REFERENCE}},
        "term": {"months": 12, "reference": REFERENCE},
        "on_decrease": "at_once",
        "assumed_loan": {"amount_cny": 1000, "reference": REFERENCE},
    }
    if kind in ("trailing_months", "current_year", "cumulative") and draw(st.booleans()):
        one = st.fixed_dictionaries(
            {"weight_percent": st.integers(0, 300)}, optional={"month_cap_points": _decimal(0, 20_000)}
        )
        of = draw(st.dictionaries(st.sampled_from(CATEGORIES), one, max_size=4))
        document["categories"] = {"of": of, "others": draw(one), "reference": REFERENCE}
    _more_gates(draw, document["gates"])
    if draw(st.booleans()):
        published = st.fixed_dictionaries(
            {}, optional={"rate_bp": st.integers(1, 2000), "limit_cny": st.integers(0, 10**6)}
        )
        document["published"] = {
            **draw(published),
            "limit_from": draw(st.sampled_from(["assets", "facility"])),
            "reference": REFERENCE,
        }
    which = draw(st.sampled_from(["discount", "limit", "both"]))
    if which != "limit":
        document["discount"] = draw(_discounts())
        document["floor"] = draw(_floors())
    if which != "discount":
        document["limit"] = draw(_limits())
    return ruleset_from_bytes(canonical_json(document))


def _more_gates(draw: Any, gates: dict[str, Any]) -> None:
    if draw(st.booleans()):
        gates["age"] = {
            "min_years": draw(st.integers(0, 40)),
            "max_years": draw(st.integers(41, 90)),
            "reference": REFERENCE,
        }
    if draw(st.booleans()):
        gates["score"] = {
            draw(st.sampled_from(["at_least", "above"])): draw(_decimal(0, 30_000)),
            "reference": REFERENCE,
        }
    if draw(st.booleans()):
        gates["months_of_data"] = {"at_least": draw(st.integers(1, 24)), "reference": REFERENCE}
    if draw(st.booleans()):
        gates["staleness"] = {"at_most_days": draw(st.integers(1, 400)), "reference": REFERENCE}


@st.composite
def _discounts(draw: Any) -> dict[str, Any]:
    relative = draw(st.booleans())
    block = {
        "effect": "relative" if relative else "absolute",
        "rounding": draw(ROUNDINGS),
        "reference": REFERENCE,
        **draw(scales("percent" if relative else "bp", 3000 if relative else 200)),
        **draw(HONOURS),
    }
    if relative and draw(st.booleans()):
        block["cap_percent"] = draw(_decimal(0, 5000))
        if draw(st.booleans()):
            return block
    block["cap_bp"] = draw(st.integers(0, 300))
    return block


@st.composite
def _limits(draw: Any) -> dict[str, Any]:
    relative = draw(st.booleans())
    block = {
        "effect": "relative" if relative else "absolute",
        "rounding": draw(ROUNDINGS),
        "unit_cny": draw(st.sampled_from(["0.01", 1, 1000])),
        "cap_cny": draw(st.integers(0, 500_000)),
        "reference": REFERENCE,
        **draw(scales("percent" if relative else "amount_cny", 10_000 if relative else 10**7)),
        **draw(HONOURS),
    }
    if draw(st.booleans()):
        block["total_cap_cny"] = draw(st.integers(0, 10**6))
    return block


@st.composite
def _floors(draw: Any) -> dict[str, Any]:
    if draw(st.booleans()):
        return {"fixed_bp": draw(st.integers(0, 700)), "reference": REFERENCE}
    return {
        "lpr": [
            {"from_on": "2025-05-20", "rate_bp": 300},
            {"from_on": "2026-10-20", "rate_bp": draw(st.integers(1, 500))},
        ],
        "spread_bp": draw(st.integers(-100, 100)),
        "reference": REFERENCE,
    }


MONTHS = st.sampled_from([202401, 202510, 202511, 202512, 202601, 202605, 202610, 202611, 202612])
POINTS = st.one_of(st.integers(0, 50_000), st.integers(0, 10**12))
SUMS = st.builds(
    MonthSum,
    st.sampled_from(TOWNS),
    st.sampled_from(CATEGORIES),
    st.sampled_from(
        ["award", "deduction", "reversal", "spend", "transfer_in", "transfer_out", "posted_score"]
    ),
    MONTHS,
    POINTS,
)
CODES = st.lists(st.sampled_from(["related", "brave", "poor_record"]), max_size=2, unique=True).map(tuple)
FACILITIES = st.builds(
    Facility,
    product=st.just("any"),
    base_rate_bp=st.integers(1, 2000),
    base_limit_fen=st.integers(0, 10**9),
    asset_limit_fen=st.none() | st.integers(0, 10**9),
    vetoes=st.just(()) | CODES,
    honours=CODES,
    age_min=st.none() | st.integers(16, 25),
    age_max=st.none() | st.integers(50, 80),
)
FACTS = st.builds(
    Facts,
    subject_id=st.integers(1, 10**9),
    subject_kind=st.sampled_from(SubjectKind),
    applicant_id=st.integers(1, 10**9),
    as_of_on=st.sampled_from(
        [ON, date(2026, 1, 1), date(2026, 10, 19), date(2026, 10, 20), date(2025, 12, 31)]
    ),
    month_sums=st.lists(SUMS, max_size=12).map(tuple),
    balance_centi=st.lists(st.tuples(st.sampled_from(TOWNS), st.integers(-1000, 100_000)), max_size=3).map(
        tuple
    ),
    posted_scores=st.lists(
        st.builds(
            PostedScore,
            st.sampled_from(TOWNS),
            st.sampled_from(["2026Q1", "2026Q2", "2026Q3"]),
            st.integers(-5000, 100_000),
        ),
        max_size=4,
        unique_by=lambda p: (p.town, p.period),
    ).map(tuple),
    age_years=st.none() | st.integers(0, 100),
    vetoes=st.just(()) | CODES,
    honours=CODES,
    first_month=st.none() | MONTHS,
    last_contribution_on=st.none() | st.dates(ON - timedelta(500), ON + timedelta(5)),
    facility=st.none() | FACILITIES,
)


def fitting(ruleset: Ruleset, facts: Facts) -> Facts:
    """The same facts about the kind of subject the ruleset is for, so that gates do not close on everything."""
    return replace(facts, subject_kind=ruleset.subject)


EARNED = st.integers(0, 200_000)
LOOKED_AT = (
    "age_years",
    "first_month",
    "last_contribution_on",
    "facility",
    "honours",
    "vetoes",
    "as_of_on",
    "subject_kind",
)


def nearly(ruleset: Ruleset, facts: Facts, earned: int) -> list[Facts]:
    """For each thing a ruleset looks at: somebody eager in everything but that, so that no other gate hides it."""
    easy = eager(ruleset, facts, earned)
    return [replace(easy, **{name: getattr(facts, name)}) for name in LOOKED_AT]


def eager(ruleset: Ruleset, facts: Facts, earned: int) -> Facts:
    """Somebody for whom every gate but the score's stands open, so that discounts and limits are really computed."""
    facility = facts.facility or Facility("any", 450, 20_000_000)
    floor_bp = ruleset.floor.on(ON) if ruleset.floor else None
    if floor_bp is not None:  # near the floor, where it matters
        facility = replace(facility, base_rate_bp=floor_bp + 1 + earned % 90)
    town = next((t for t, f in ruleset.factors.items() if f.num), "alpha")
    return replace(
        facts,
        subject_kind=ruleset.subject,
        as_of_on=ON,
        age_years=40,
        vetoes=(),
        honours=("brave",),
        first_month=202401,
        last_contribution_on=ON,
        facility=replace(facility, vetoes=()),
        month_sums=(
            *(m for m in facts.month_sums if m.kind == "award"),
            MonthSum(town, "charity", "award", 202611, earned),
        ),
        balance_centi=((town, earned),),
        posted_scores=(PostedScore(town, "2026Q3", earned),),
    )


def decision_view(decision: Decision) -> tuple[Any, ...]:
    return (
        decision.outcome,
        decision.score_centi,
        decision.discount_bp,
        decision.limit_increase_fen,
        decision.base_rate_bp,
        decision.final_rate_bp,
        decision.floor_bp,
        decision.final_limit_fen,
    )


@settings(max_examples=examples(100), deadline=None)
@given(rulesets(), FACTS, EARNED, st.booleans())
def test_every_decision_keeps_the_rules(ruleset: Ruleset, facts: Facts, earned: int, easy: bool) -> None:
    facts = eager(ruleset, facts, earned) if easy else fitting(ruleset, facts)
    decision = evaluate(ruleset, facts)
    assert decision.discount_bp >= 0
    assert decision.limit_increase_fen >= 0
    if decision.final_rate_bp is not None:
        assert decision.base_rate_bp is not None
        assert decision.final_rate_bp == decision.base_rate_bp - decision.discount_bp <= decision.base_rate_bp
        if decision.discount_bp:
            assert decision.floor_bp is None or decision.final_rate_bp >= decision.floor_bp
    if ruleset.discount is not None and ruleset.discount.cap_bp is not None:
        assert decision.discount_bp <= ruleset.discount.cap_bp
    if ruleset.limit is not None and ruleset.limit.cap_fen is not None:
        assert decision.limit_increase_fen <= ruleset.limit.cap_fen
        total = ruleset.limit.total_cap_fen
        if total is not None and decision.limit_increase_fen:
            assert decision.final_limit_fen is not None
            assert decision.final_limit_fen <= total
    if decision.outcome in (Outcome.VETOED, Outcome.NOT_ELIGIBLE, Outcome.NOTHING):
        assert (decision.discount_bp, decision.limit_increase_fen) == (0, 0)
    vetoes = facts.vetoes + (facts.facility.vetoes if facts.facility else ())
    assert (decision.outcome is Outcome.VETOED) == bool(ruleset.gates.vetoes.hit(vetoes))
    assert decision.reasons


@settings(max_examples=examples(150), deadline=None)
@given(rulesets(), FACTS, EARNED, st.sampled_from(TOWNS), st.integers(1, 50_000))
def test_more_points_never_give_less(
    ruleset: Ruleset, facts: Facts, earned: int, town: str, more: int
) -> None:
    facts = eager(ruleset, facts, earned)
    after = replace(
        facts,
        month_sums=(*facts.month_sums, MonthSum(town, "other", "award", 202610, more)),
        balance_centi=(*facts.balance_centi, (town, more)),
        posted_scores=tuple(p._replace(points_centi=p.points_centi + more) for p in facts.posted_scores),
    )
    left, right = evaluate(ruleset, facts), evaluate(ruleset, after)
    assert right.score_centi >= left.score_centi
    assert right.discount_bp >= left.discount_bp
    assert right.limit_increase_fen >= left.limit_increase_fen


@settings(max_examples=examples(150), deadline=None)
@given(rulesets(), FACTS, st.randoms())
def test_facts_replay_to_the_same_bytes_in_any_order(ruleset: Ruleset, facts: Facts, random: Any) -> None:
    sums = list(facts.month_sums)
    random.shuffle(sums)
    shuffled = replace(facts, month_sums=tuple(sums))
    assert facts_bytes(shuffled) == facts_bytes(facts)
    again = facts_from_bytes(facts_bytes(facts))
    assert decision_bytes(evaluate(ruleset, again)) == decision_bytes(evaluate(ruleset, facts))
    assert facts_bytes(again) == facts_bytes(facts)


@settings(max_examples=examples(100), deadline=None)
@given(rulesets(), FACTS, EARNED)
def test_only_integers_come_out(ruleset: Ruleset, facts: Facts, earned: int) -> None:
    facts = eager(ruleset, facts, earned)

    def no_floats(value: Any) -> None:
        assert not isinstance(value, float)
        for item in value if isinstance(value, (list, tuple)) else ():
            no_floats(item)

    decision = evaluate(ruleset, facts)
    no_floats(decision_view(decision))
    no_floats([step.value for step in decision.trace])


@settings(deadline=None)  # shared machines stall
@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_points_of_two_towns_meet_only_after_their_factors(lijiayuan: int, wuhe: int) -> None:
    ruleset = load_packaged("shimin_yidai")
    facts = Facts(
        subject_id=1,
        subject_kind=SubjectKind.HOUSEHOLD,
        applicant_id=2,
        as_of_on=ON,
        month_sums=(
            MonthSum("lijiayuan", "charity", "award", 202611, lijiayuan),
            MonthSum("wuhe_zhonglian", "charity", "award", 202611, wuhe),
            MonthSum("unknown_town", "charity", "award", 202611, 999_999),
        ),
    )
    assert evaluate(ruleset, facts).score_centi == lijiayuan + 2 * wuhe
