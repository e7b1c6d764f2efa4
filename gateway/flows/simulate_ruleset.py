"""What would a ruleset do to everybody, before it does it: who gains, who loses, at what cost a year. Stores nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from gateway import benefits, contributions, ledger, policy, subjects
from gateway.db import Transaction
from gateway.flows._gather_facts import dated_of
from gateway.house import House
from gateway.policy.columns import columns_of
from gateway.policy.language import SUMMED, BasisKind
from gateway.policy.sweeping import Range, list_ranges, list_subjects, same_score, sum_units
from schemas.policy import Facts, Outcome, PostedScore, SubjectKind
from schemas.values import HolderId, PersonId, Purpose, TownCode, age_on

RANGE_SIZE = 10_000
WORKERS = 2  # PostgreSQL does the summing, one backend each; the threads mostly wait
EXAMPLES = 5


@dataclass(slots=True)
class Side:
    """One side of the comparison, summed over everybody."""

    ruleset_id: str | None
    name: str | None
    outcomes: Counter[str] = field(default_factory=Counter)
    discounts: Counter[int] = field(default_factory=Counter)  # how many subjects get each discount in bp
    cost_fen: int = 0  # interest forgone in a year: discount × loan
    increase_fen: int = 0
    quota_use_fen: int = 0

    def add(self, ruleset: policy.Ruleset, results: policy.Results) -> None:
        """Add the results of one range."""
        for code, count in zip(*np.unique(results.outcomes, return_counts=True), strict=True):
            self.outcomes[str(policy.OUTCOMES[int(code)])] += int(count)
        for bp, count in zip(*np.unique(results.discount_bp, return_counts=True), strict=True):
            self.discounts[int(bp)] += int(count)
        before = np.where(
            results.final_limit_fen < 0, -1, results.final_limit_fen - results.limit_increase_fen
        )
        loans = np.where(before > 0, before, ruleset.assumed_loan_fen)
        self.cost_fen += (
            sum(int(d) * int(n) for d, n in zip(results.discount_bp, loans, strict=True) if d) // 10_000
        )
        self.increase_fen += int(results.limit_increase_fen.sum())
        if ruleset.quota is not None:
            granted = results.outcomes == policy.OUTCOMES.index(Outcome.GRANTED)
            if ruleset.quota.counts is policy.QuotaCounts.LIMIT_INCREASE:
                used = results.limit_increase_fen
            else:
                used = np.where(
                    results.final_limit_fen < 0, ruleset.assumed_loan_fen, results.final_limit_fen
                )
            self.quota_use_fen += int(used[granted].sum())


@dataclass(slots=True)
class Simulation:
    """The answer. Money in fen.

    A subject gains when discount or limit rises and neither falls; mixed is when one rises and the other falls.
    """

    on: date
    after: Side
    before: Side
    subjects: int = 0
    evaluated: int = 0  # the others: nobody there consented to loan mapping
    gain: int = 0
    lose: int = 0
    mixed: int = 0
    gainers: list[tuple[int, int, int]] = field(
        default_factory=list
    )  # (subject_id, change in bp, change in limit fen)
    losers: list[tuple[int, int, int]] = field(default_factory=list)
    quota_fen: int | None = None
    assumed_loan_fen: int = 0

    @property
    def same(self) -> int:
        """Evaluated subjects for whom nothing changes."""
        return self.evaluated - self.gain - self.lose - self.mixed


def simulate_ruleset(
    house: House,
    text: str,
    *,
    on: date,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Simulation:
    """Evaluate everybody stored under the YAML document `text` and under what is in force for the same product and subject.

    The same subjects under both, with facilities and marks as they stand; where the bank said nothing, published figures, and for
    the cost the ruleset's assumed loan. Bounded memory: ranges of RANGE_SIZE subjects. `progress(ranges done, of how many)`.
    Reads each range in a transaction of its own, so pushes that arrive meanwhile count in the ranges not yet read.
    Raises RulesetInvalidError.
    """
    ruleset = policy.load_ruleset(text)
    with house.db.transaction(read_only=True) as tx:
        current = _current(policy.list_in_force(tx, on), ruleset)
        ranges = list_ranges(tx, ruleset.subject, RANGE_SIZE)
    simulation = Simulation(
        on=on,
        after=Side(ruleset.ruleset_id, ruleset.name),
        before=Side(current.ruleset_id if current else None, current.name if current else None),
        quota_fen=ruleset.quota.amount_fen if ruleset.quota else None,
        assumed_loan_fen=ruleset.assumed_loan_fen,
    )
    progress(0, len(ranges))
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="simulate") as pool:
        waiting = [pool.submit(_range, house, ruleset, current, on, span) for span in ranges]
        for done, future in enumerate(as_completed(waiting), 1):
            _add(simulation, ruleset, current, *future.result())
            progress(done, len(ranges))
    return simulation


def _current(in_force: list[policy.Ruleset], ruleset: policy.Ruleset) -> policy.Ruleset | None:
    """What the new ruleset would replace: of the same name, else the latest of the same product; the same kind of subject."""
    alike = [r for r in in_force if r.subject is ruleset.subject and r.product == ruleset.product]
    named = [r for r in alike if r.name == ruleset.name]
    return max(named or alike, key=lambda r: (r.valid_from_on, r.name), default=None)


def _range(
    house: House, ruleset: policy.Ruleset, current: policy.Ruleset | None, on: date, span: Range
) -> tuple[int, policy.Results, policy.Results | None]:
    """(subjects in the range, results after, results before) of one range, in one transaction."""
    with house.db.transaction(read_only=True) as tx:
        asked = list_subjects(tx, ruleset.subject, span)
        bare = _bare_facts(tx, ruleset, asked, on, [r for r in (ruleset, current) if r is not None])
        after, units = _evaluated(tx, ruleset, bare, on, span, None)
        before = None
        if current is not None:
            shared = units if same_score(ruleset, current) else None
            before, _ = _evaluated(tx, current, bare, on, span, shared)
    return len(asked), after, before


def _bare_facts(
    tx: Transaction, ruleset: policy.Ruleset, asked: list[int], on: date, both: list[policy.Ruleset]
) -> list[Facts]:
    """Facts of those who may be mapped for, without their points: those are summed by PostgreSQL."""
    applicants = subjects.list_applicants(tx, asked, on)
    people = [row.applicant_id for row in applicants]
    marks: dict[int, list[tuple[str, str]]] = {}
    for mark in subjects.list_marks(tx, sorted({*asked, *people}), on):
        marks.setdefault(mark.subject_id, []).append((mark.kind, mark.code))
    facilities = benefits.list_facilities(tx, ruleset.product, people)
    dated: dict[int, tuple[Any, Any]] = {}
    if any(r.gates.months_of_data is not None or r.gates.stale_after_days is not None for r in both):
        dated = dated_of(tx, asked, _homes(tx, ruleset, asked, on))
    found = []
    for subject_id, applicant_id, birth_on in applicants:
        said = {*marks.get(subject_id, ()), *marks.get(applicant_id, ())} if marks else ()
        first, last = dated.get(subject_id, (None, None))
        found.append(
            Facts(
                subject_id=HolderId(subject_id),
                subject_kind=ruleset.subject,
                applicant_id=PersonId(applicant_id),
                as_of_on=on,
                month_sums=(),
                age_years=age_on(birth_on, on),
                vetoes=tuple(code for kind, code in said if kind == "veto"),
                honours=tuple(code for kind, code in said if kind == "honour"),
                first_month=first,
                last_contribution_on=last,
                facility=facilities.get(applicant_id),
            )
        )
    return found


def _homes(tx: Transaction, ruleset: policy.Ruleset, asked: list[int], on: date) -> dict[int, int]:
    """Whose own points count for which household of `asked`; nobody's where persons are evaluated."""
    if ruleset.subject is not SubjectKind.HOUSEHOLD:
        return {}
    return {int(person): int(household) for household, person in subjects.list_home_members(tx, asked, on)}


def _evaluated(
    tx: Transaction,
    ruleset: policy.Ruleset,
    bare: list[Facts],
    on: date,
    span: Range,
    units: dict[int, int] | None,
) -> tuple[policy.Results, dict[int, int]]:
    """Results, and the score units they came from."""
    if units is None:
        units = _units(tx, ruleset, bare, on, span)
    summed = [units.get(facts.subject_id, 0) for facts in bare]
    return policy.evaluate_columns(ruleset, columns_of(ruleset, bare, summed)), units


def _units(
    tx: Transaction, ruleset: policy.Ruleset, bare: list[Facts], on: date, span: Range
) -> dict[int, int]:
    if ruleset.basis.kind in SUMMED:
        return dict(sum_units(tx, ruleset, on, span))
    ids = [int(facts.subject_id) for facts in bare]
    homes = _homes(tx, ruleset, ids, on)
    household = ruleset.subject is SubjectKind.HOUSEHOLD
    may = subjects.list_consenting(tx, Purpose.LOAN_MAPPING, [*homes] if household else ids)
    units: dict[int, int] = {}
    if ruleset.basis.kind is BasisKind.BALANCE:
        for holder, town, points in ledger.list_spendable(tx, [*ids, *homes]):
            if (household and holder not in homes) or (holder, town) in may:
                subject = homes.get(holder, holder)
                units[subject] = units.get(subject, 0) + points * ruleset.town_units(town) * 100
        return units
    latest: dict[tuple[int, str], PostedScore] = {}
    for holder, town, period, points in contributions.list_posted_scores(tx, ids, on):
        if (household or (holder, town) in may) and period >= latest.get(
            (holder, town), PostedScore(town, "", 0)
        ).period:
            latest[holder, town] = PostedScore(TownCode(town), period, points)
    for (holder, town), posted in latest.items():
        units[holder] = units.get(holder, 0) + posted.points_centi * ruleset.town_units(town) * 100
    return units


def _add(
    simulation: Simulation,
    ruleset: policy.Ruleset,
    current: policy.Ruleset | None,
    count: int,
    after: policy.Results,
    before: policy.Results | None,
) -> None:
    simulation.subjects += count
    simulation.evaluated += len(after)
    simulation.after.add(ruleset, after)
    if before is not None and current is not None:
        simulation.before.add(current, before)
        bp, fen = after.discount_bp - before.discount_bp, after.limit_increase_fen - before.limit_increase_fen
    else:
        bp, fen = after.discount_bp, after.limit_increase_fen
    better, worse = (bp > 0) | (fen > 0), (bp < 0) | (fen < 0)
    simulation.gain += int((better & ~worse).sum())
    simulation.lose += int((worse & ~better).sum())
    simulation.mixed += int((better & worse).sum())
    order = np.lexsort((fen, bp))
    picked = [
        (int(after.subject_ids[i]), int(bp[i]), int(fen[i])) for i in (*order[:EXAMPLES], *order[-EXAMPLES:])
    ]
    key = lambda row: (row[1], row[2], -row[0])  # noqa: E731 — one order for both lists, ties by the lower id
    gainers = {row for row in (*simulation.gainers, *picked) if row[1:] > (0, 0)}
    losers = {row for row in (*simulation.losers, *picked) if row[1:] < (0, 0)}
    simulation.gainers = sorted(gainers, key=key, reverse=True)[:EXAMPLES]
    simulation.losers = sorted(losers, key=key)[:EXAMPLES]
