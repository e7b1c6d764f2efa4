"""Rows of policy: evaluating households alone, and simulating a ruleset over 300 000 stored households."""

from __future__ import annotations

import random
import time
from datetime import date

from bench.report import Line, Report
from gateway import policy
from gateway.db import Database
from gateway.db.queries import Query
from gateway.flows.propose_benefits import propose_benefits
from gateway.flows.simulate_ruleset import simulate_ruleset
from gateway.house import House
from gateway.wiring import build_house
from schemas.policy import Facts, MonthSum, SubjectKind
from schemas.values import HolderId, PersonId, TownCode
from tests.storm.stage import stage

ON = date(2026, 11, 20)
HOUSEHOLDS = 300_000
MONTHS = [202512, *range(202601, 202612)]
CATEGORIES = ("sorting", "hygiene", "volunteering", "learning")

#: A household of one consenting head each, with twelve months of two categories: arranging, not measured.
ARRANGE = (
    "insert into household select n, '试村', now() from generate_series(1, %(n)s) n",
    "insert into person select 10000000 + n, 'k', '', '', '', date '1950-01-01' + (n %% 18000)::int, now()"
    " from generate_series(1, %(n)s) n",
    "insert into membership select n, 10000000 + n, 'lijiayuan', true, '2024-01-01' from generate_series(1, %(n)s) n",
    "insert into consent (consent_id, person_id, town, purpose, recipient, text_version, given_at, recorded_at)"
    " select gen_random_uuid(), 10000000 + n, 'lijiayuan', 'loan_mapping', 'bank', '1', now(), now()"
    " from generate_series(1, %(n)s) n",
    "insert into month_sum select n, 'lijiayuan', 10000000 + n, m, c, 'award', 100 * (1 + (n * 7 + m) %% 40), 5"
    " from generate_series(1, %(n)s) n, unnest(%(months)s::int[]) m, unnest(array['sorting', 'hygiene']) c",
)


def facts_of(count: int) -> list[Facts]:
    """Invented facts: twelve months in four categories."""
    chance = random.Random(5)
    made = []
    for n in range(count):
        sums = tuple(
            MonthSum(TownCode("lijiayuan"), category, "award", month, chance.randrange(1, 60) * 100)
            for month in MONTHS
            for category in chance.sample(CATEGORIES, 2)
        )
        made.append(
            Facts(HolderId(n + 1), SubjectKind.HOUSEHOLD, PersonId(n + 10_000_000), ON, sums, age_years=20 + n % 50,
                  first_month=MONTHS[0], last_contribution_on=date(2026, 11, 1))
        )  # fmt: skip
    return made


def _rate(work: object, count: int) -> float:
    begun, processor = time.perf_counter(), time.process_time()
    work()  # type: ignore[operator]
    return count / max(time.process_time() - processor, 1e-9) if begun else 0.0


def measure(report: Report) -> None:
    """Evaluation a second and core (by processor time), and the simulation in seconds."""
    ruleset = policy.load_packaged("shimin_yidai")
    facts = facts_of(30_000)
    policy.evaluate_many(ruleset, facts[:100])
    rate = _rate(lambda: policy.evaluate_many(ruleset, facts), len(facts))
    report.add(
        Line(
            "evaluate households, outcomes",
            rate,
            "households/s and core",
            rate / 30_000,
            ">= 30 000",
            rate >= 30_000,
        )
    )
    rate = _rate(lambda: [policy.decision_bytes(policy.evaluate(ruleset, f)) for f in facts[:3000]], 3000)
    report.add(Line("evaluate with reasons, trace and bytes", rate, "households/s and core"))
    with stage() as it:
        assert it.server is not None
        arranging = Database(it.dsn("postgres"))
        with arranging.transaction() as tx:
            for statement in ARRANGE:
                tx.run(Query("bench.arrange", statement), {"n": HOUSEHOLDS, "months": MONTHS})
        with arranging.transaction() as tx:
            for table in ("household", "person", "membership", "consent", "month_sum"):
                tx.run(Query("bench.analyze", f"analyze {table}"))
        arranging.close()
        house = build_house(it.config)
        begun = time.perf_counter()
        found = simulate_ruleset(house, policy.packaged_text("shimin_yidai"), on=ON)
        took = time.perf_counter() - begun
        if found.evaluated != HOUSEHOLDS:
            raise RuntimeError(f"{found.evaluated} of {HOUSEHOLDS} households were evaluated")
        report.add(
            Line(f"simulate over {HOUSEHOLDS:,} households", took, "s", took / 30, "< 30 s", took < 30)
        )
        _sweep(report, house)


def _sweep(report: Report, house: House) -> None:
    """Households a second through propose_benefits: facts, decisions, proposals, records, one transaction a chunk."""
    from gateway.flows.approve_ruleset import approve_ruleset
    from gateway.flows.propose_ruleset import propose_ruleset

    now = house.clock()
    proposed, _ = propose_ruleset(house, policy.packaged_text("shimin_yidai"), by="author.bench", now=now)
    approve_ruleset(house, proposed.ruleset_id, by="approver.bench", now=now)
    begun = time.perf_counter()
    counted = propose_benefits(house, now=house.clock(), limit=20_000)
    took = time.perf_counter() - begun
    report.add(Line(f"propose_benefits, one sweep {counted}", 20_000 / took, "households/s"))
