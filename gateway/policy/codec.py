"""Facts and decisions as canonical JSON bytes (RFC 8785): what is stored, hashed and replayed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import orjson

from schemas.canonical import canonical_json
from schemas.errors import TamperedError
from schemas.policy import Decision, Facility, Facts, MonthSum, PostedScore, SubjectKind
from schemas.values import HolderId, PersonId, TownCode

VERSION = 1


def _day(on: date | None) -> str | None:
    return None if on is None else on.isoformat()


def decision_body(decision: Decision) -> dict[str, Any]:
    """A decision as a JSON object: strings, integers, null and lists."""
    return {
        "v": VERSION,
        "ruleset_id": decision.ruleset_id,
        "subject_id": decision.subject_id,
        "subject_kind": str(decision.subject_kind),
        "applicant_id": decision.applicant_id,
        "as_of_on": decision.as_of_on.isoformat(),
        "outcome": str(decision.outcome),
        "score_centi": decision.score_centi,
        "base_rate_bp": decision.base_rate_bp,
        "discount_bp": decision.discount_bp,
        "floor_bp": decision.floor_bp,
        "final_rate_bp": decision.final_rate_bp,
        "limit_increase_fen": decision.limit_increase_fen,
        "final_limit_fen": decision.final_limit_fen,
        "reasons": [{"code": r.code, "zh": r.zh, "en": r.en} for r in decision.reasons],
        "trace": [{"rule": s.rule, "zh": s.zh, "en": s.en, "value": s.value} for s in decision.trace],
    }


def decision_bytes(decision: Decision) -> bytes:
    """Canonical JSON of a decision; evaluating again gives these bytes again."""
    return canonical_json(decision_body(decision))


def facts_bytes(facts: Facts) -> bytes:
    """Canonical JSON of facts. The order in which sums and codes were gathered does not matter."""
    facility = facts.facility
    return canonical_json(
        {
            "v": VERSION,
            "subject_id": facts.subject_id,
            "subject_kind": str(facts.subject_kind),
            "applicant_id": facts.applicant_id,
            "as_of_on": facts.as_of_on.isoformat(),
            "month_sums": [[_plain(value) for value in row] for row in sorted(facts.month_sums)],
            "balance_centi": [list(row) for row in sorted(facts.balance_centi)],
            "posted_scores": [list(row) for row in sorted(facts.posted_scores)],
            "age_years": facts.age_years,
            "vetoes": sorted(facts.vetoes),
            "honours": sorted(facts.honours),
            "first_month": facts.first_month,
            "last_contribution_on": _day(facts.last_contribution_on),
            "facility": None if facility is None else _facility_body(facility),
        }
    )


def _plain(value: Any) -> str | int:
    return str(value) if isinstance(value, str) else int(value)


def _facility_body(facility: Facility) -> dict[str, Any]:
    return {
        "product": facility.product,
        "base_rate_bp": facility.base_rate_bp,
        "base_limit_fen": facility.base_limit_fen,
        "asset_limit_fen": facility.asset_limit_fen,
        "vetoes": sorted(facility.vetoes),
        "honours": sorted(facility.honours),
        "age_min": facility.age_min,
        "age_max": facility.age_max,
    }


def facts_from_bytes(stored: bytes) -> Facts:
    """Facts as they were stored. Raises TamperedError when the bytes are not facts."""
    try:
        return _facts(orjson.loads(stored))
    except (KeyError, TypeError, ValueError) as exc:
        raise TamperedError("stored facts cannot be read", where="facts", value=type(exc).__name__) from exc


def _facts(body: Mapping[str, Any]) -> Facts:
    if body["v"] != VERSION:
        raise ValueError("unknown version")
    facility = body["facility"]
    last = body["last_contribution_on"]
    return Facts(
        subject_id=HolderId(body["subject_id"]),
        subject_kind=SubjectKind(body["subject_kind"]),
        applicant_id=PersonId(body["applicant_id"]),
        as_of_on=date.fromisoformat(body["as_of_on"]),
        month_sums=tuple(MonthSum(*row) for row in body["month_sums"]),
        balance_centi=tuple((TownCode(town), points) for town, points in body["balance_centi"]),
        posted_scores=tuple(PostedScore(*row) for row in body["posted_scores"]),
        age_years=body["age_years"],
        vetoes=tuple(body["vetoes"]),
        honours=tuple(body["honours"]),
        first_month=body["first_month"],
        last_contribution_on=None if last is None else date.fromisoformat(last),
        facility=None if facility is None else _facility(facility),
    )


def _facility(body: Mapping[str, Any]) -> Facility:
    return Facility(
        product=body["product"],
        base_rate_bp=body["base_rate_bp"],
        base_limit_fen=body["base_limit_fen"],
        asset_limit_fen=body["asset_limit_fen"],
        vetoes=tuple(body["vetoes"]),
        honours=tuple(body["honours"]),
        age_min=body["age_min"],
        age_max=body["age_max"],
    )


def first_difference(recorded: Any, found: Any, path: str = "$") -> tuple[str, Any, Any] | None:
    """Path and both values of the first place where two JSON values differ, or None. A missing place is '(nothing)'."""
    if isinstance(recorded, dict) and isinstance(found, dict):
        for key in sorted({*recorded, *found}):
            if key not in recorded or key not in found:
                return f"{path}.{key}", recorded.get(key, "(nothing)"), found.get(key, "(nothing)")
            if difference := first_difference(recorded[key], found[key], f"{path}.{key}"):
                return difference
        return None
    if isinstance(recorded, list) and isinstance(found, list):
        for index, (left, right) in enumerate(zip(recorded, found, strict=False)):
            if difference := first_difference(left, right, f"{path}[{index}]"):
                return difference
        if len(recorded) != len(found):
            shorter = min(len(recorded), len(found))
            longer = recorded if len(recorded) > len(found) else found
            present = longer[shorter]
            pair = (present, "(nothing)") if longer is recorded else ("(nothing)", present)
            return f"{path}[{shorter}]", *pair
        return None
    if type(recorded) is not type(found) or recorded != found:
        return path, recorded, found
    return None
