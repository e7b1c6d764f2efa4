"""The go-live report: what was checked, against whom, and what came of it; as JSON that is signed, and as a page.

The outcome of a run has a digest of its own (`outcome_sha256`): two runs that came out alike have the same, whenever made.
The signature is a compact JWS (RFC 7515) over the canonical form (RFC 8785) of the report without it. The page is made from the
JSON and nothing else, so that whoever has the JSON can make the page again and compare it byte for byte.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, StrictUndefined
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from adapters.kit.running import FAILED, LACKING, PASSED, Outcome
from adapters.kit.scenario import PARTS, SCENARIOS, Scenario
from schemas.canonical import canonical_json
from schemas.errors import InvalidError, TamperedError
from schemas.ports import Capabilities, Profile
from schemas.values import BEIJING, instant_text

KIND: Final = "gateway-town-check/1"
TYPE: Final = "town-report+jws"  # the JWS header's typ: no other thing we sign can pass for a report
LANGUAGES: Final = ("zh", "en")

Report = dict[str, Any]


def make_report(
    outcomes: Sequence[Outcome],
    *,
    profile: Profile,
    version: str,
    capabilities: Capabilities,
    address: str,
    by: str,
    now: datetime,
) -> Report:
    """The report of one run, unsigned. `address` is the platform's, without credentials; `by` is who ran it."""
    counts = Counter(outcome.outcome for outcome in outcomes)
    return {
        "kind": KIND,
        "town": {
            "code": profile.town,
            "zh": profile.name_zh,
            "en": profile.name_en,
            "invented": profile.invented,
        },
        "adapter": version,
        "capabilities": {name: getattr(capabilities, name) for name in Capabilities.__dataclass_fields__},
        "address": address,
        "by": by,
        "checked_at": instant_text(now),
        "suite_sha256": suite_sha256(SCENARIOS.values()),
        "counts": {name: counts[name] for name in (PASSED, FAILED, LACKING)},
        "ready": bool(outcomes) and counts[FAILED] == 0 and counts[PASSED] > 0,
        "outcome_sha256": outcome_sha256(outcomes),
        "outcomes": [_told(outcome) for outcome in outcomes],
    }


def _told(outcome: Outcome) -> Report:
    told: Report = {
        "id": outcome.id,
        "part": outcome.part,
        "zh": outcome.zh,
        "en": outcome.en,
        "outcome": outcome.outcome,
    }
    if outcome.reason_en:
        told |= {"reason_zh": outcome.reason_zh, "reason_en": outcome.reason_en}
    if outcome.exchanges:
        told["exchanges"] = [
            {name: getattr(exchange, name) for name in ("request", "sent", "status", "received", "lost")}
            for exchange in outcome.exchanges
        ]
    return told


def suite_sha256(suite: Any) -> str:
    """A digest of what was asked: two reports of the same suite can be compared."""
    asked = [[one.id, one.zh, one.en, list(one.needs)] for one in suite if isinstance(one, Scenario)]
    return hashlib.sha256(canonical_json(sorted(asked))).hexdigest()


def outcome_sha256(outcomes: Sequence[Outcome]) -> str:
    """A digest of what came of it: scenarios and their outcomes, no times, serials or messages."""
    came = sorted([outcome.id, outcome.outcome] for outcome in outcomes)
    return hashlib.sha256(canonical_json(came)).hexdigest()


def sign_report(report: Report, sign: Callable[[Mapping[str, object]], str]) -> Report:
    """The report with its signature."""
    return {**report, "signature": sign(report)}


def verify_report(report: Report, keys: Mapping[str, Any]) -> str:
    """The id of the key that signed it. `keys` is the JWK set of whom one trusts.

    Raises InvalidError (no report), TamperedError (the signature does not hold, or holds for something else).
    """
    signature = report.get("signature")
    if report.get("kind") != KIND or not isinstance(signature, str):
        raise InvalidError(
            "this is no signed report of a town check", code="report-unreadable", where="signature"
        )
    try:
        found = jws.deserialize_compact(signature, KeySet.import_key_set(dict(keys)), algorithms=["ES256"])  # type: ignore[arg-type]
        header: Mapping[str, Any] = found.headers()
    except (JoseError, ValueError) as exc:
        raise TamperedError(
            "the signature does not hold under these keys", code="report-signature", where="signature",
            remedy="ask who signed it for their keys (/oauth/receipt-jwks)",
        ) from exc  # fmt: skip
    told = {name: value for name, value in report.items() if name != "signature"}
    if header.get("typ") != TYPE or found.payload != canonical_json(told):
        raise TamperedError(
            "what is signed is not what the report says", code="report-altered", where="signature"
        )
    kid = header.get("kid")
    return str(kid)


def compare_reports(first: Report, second: Report) -> list[tuple[str, str, str]]:
    """Scenarios that came out differently: (id, in the first, in the second); '' where one does not have it."""
    came = [{o["id"]: o["outcome"] for o in report["outcomes"]} for report in (first, second)]
    return [
        (one, came[0].get(one, ""), came[1].get(one, ""))
        for one in sorted(set(came[0]) | set(came[1]))
        if came[0].get(one) != came[1].get(one)
    ]


def report_page(report: Report, language: str) -> str:
    """The report as one HTML file that needs nothing else; the same report makes the same bytes."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    text = (files("adapters.kit") / "templates" / "report.html").read_text("utf-8")
    parts = {
        part: [outcome for outcome in report["outcomes"] if outcome["part"] == part]
        for part in PARTS
        if any(outcome["part"] == part for outcome in report["outcomes"])
    }
    checked_at = datetime.fromisoformat(report["checked_at"]).astimezone(BEIJING)
    return environment.from_string(text).render(
        r=report, lang=language, other="en" if language == "zh" else "zh", parts=parts, part_names=PARTS,
        checked=f"{checked_at:%Y-%m-%d %H:%M:%S}",
    )  # fmt: skip
