"""What an auditor waits for: a resident's page and timeline over TLS, with much stored (bar: 300 ms at 10 million)."""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime
from pathlib import Path

from bench import rows
from bench.depth import fill
from bench.report import Line, Report
from gateway.flows.approve_ruleset import approve_ruleset
from gateway.flows.propose_benefits import propose_benefits
from gateway.flows.propose_ruleset import propose_ruleset
from gateway.house import House
from gateway.policy import packaged_text
from schemas.staff import Role
from tests.staff_stage import Browser, add_person

RESIDENTS = 200
BAR_MS = 300


def measure_audit(
    report: Report, house: House, url: str, ca: Path, admin_dsn: str, families: list[rows.Family], count: int
) -> None:
    """Store `count` contributions, decide about everybody, then look at RESIDENTS of them one after the other."""
    fill(admin_dsn, families, 0, count)
    now = datetime.now(UTC)
    ruleset, _ = propose_ruleset(house, packaged_text("shimin_yidai"), by="author", now=now)
    approve_ruleset(house, ruleset.ruleset_id, by="approver", now=now)
    while propose_benefits(house, now=now).get("subjects"):
        pass
    browser = Browser(url, ca)
    answer = browser.sign_in(add_person(house, "A001", Role.AUDITOR))
    if answer.status_code != 303:
        raise RuntimeError(f"the auditor could not sign in: {answer.status_code}")
    token = browser.form_token("/audit/")
    taken: dict[str, list[float]] = {"a resident's page": [], "a resident's timeline": []}
    step = max(1, len(families) // RESIDENTS)
    for family in families[::step][:RESIDENTS]:
        sent = {"form_token": token, "open": str(family.person_id), "reason": "audit_sample"}
        where = browser.send("/audit/look", sent).headers["Location"]
        for name, path in (("a resident's page", where), ("a resident's timeline", f"{where}timeline")):
            began = time.perf_counter()
            page = browser.get(path)
            taken[name].append((time.perf_counter() - began) * 1000)
            if page.status_code != 200 or ("<svg" not in page.text and name.endswith("page")):
                raise RuntimeError(f"{name} answers {page.status_code}")
    browser.close()
    for name, times_ms in taken.items():
        worst_ms = sorted(times_ms)[int(len(times_ms) * 0.99)]
        report.add(Line(f"audit: {name}, {count:,} stored, median", statistics.median(times_ms), "ms"))
        report.add(
            Line(f"audit: {name}, {count:,} stored, 99 %", worst_ms, "ms", None, f"under {BAR_MS} ms", worst_ms < BAR_MS)
        )  # fmt: skip
