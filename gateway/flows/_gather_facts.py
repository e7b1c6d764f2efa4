"""Facts for a ruleset, out of the rooms: the set-based inner piece of every path that evaluates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from gateway import benefits, contributions, ledger, subjects
from gateway.db import Transaction
from gateway.policy import Ruleset
from gateway.policy.language import SUMMED, BasisKind
from schemas.policy import Facts, MonthSum, PostedScore, SubjectKind
from schemas.values import CONTRIBUTED, HolderId, PersonId, Purpose, TownCode, age_on, month_of


class _Points(NamedTuple):
    """What the rooms of points say, by subject."""

    sums: dict[int, dict[tuple[str, str, str, int], int]]
    balances: dict[int, list[tuple[TownCode, int]]]
    posted: dict[int, list[PostedScore]]
    first_and_last: dict[int, tuple[int | None, date | None]]


def gather_facts(tx: Transaction, ruleset: Ruleset, subject_ids: Sequence[int], on: date) -> list[Facts]:
    """Facts of those subjects on a day, ascending by subject, with only what `ruleset` looks at (data minimisation, PIPL art. 6).

    A household is represented by its applicant. Subjects nobody may map for (no member consents to loan mapping, or the
    person is restricted) are absent. Of a household, sums of members who consented count, those of the household as such
    (person_id 0), and what members hold themselves at towns where points are a person's, each for one household only. A
    person's points are those of their own accounts and their named share of household accounts.
    """
    persons = ruleset.subject is SubjectKind.PERSON  # one id space: only a person is their own applicant
    applicants = {
        row.subject_id: row
        for row in subjects.list_applicants(tx, subject_ids, on)
        if (row.applicant_id == row.subject_id) is persons
    }
    if not applicants:
        return []
    named = sorted({*applicants, *(row.applicant_id for row in applicants.values())})
    marks: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for mark in subjects.list_marks(tx, named, on):
        marks[mark.subject_id].append((mark.kind, mark.code))
    facilities = benefits.list_facilities(
        tx, ruleset.product, [row.applicant_id for row in applicants.values()]
    )
    points = _points(tx, ruleset, sorted(applicants), on)
    found = []
    for subject_id in sorted(applicants):
        applicant = applicants[subject_id]
        said = {*marks.get(subject_id, ()), *marks.get(applicant.applicant_id, ())}
        first_month, last_on = points.first_and_last.get(subject_id, (None, None))
        found.append(
            Facts(
                subject_id=HolderId(subject_id),
                subject_kind=ruleset.subject,
                applicant_id=PersonId(applicant.applicant_id),
                as_of_on=on,
                month_sums=_month_sums(points.sums.get(subject_id, {})),
                balance_centi=tuple(sorted(points.balances.get(subject_id, ()))),
                posted_scores=tuple(sorted(points.posted.get(subject_id, ()))),
                age_years=age_on(applicant.birth_on, on),
                vetoes=tuple(sorted(code for kind, code in said if kind == "veto")),
                honours=tuple(sorted(code for kind, code in said if kind == "honour")),
                first_month=first_month,
                last_contribution_on=last_on,
                facility=facilities.get(applicant.applicant_id),
            )
        )
    return found


def _month_sums(sums: dict[tuple[str, str, str, int], int]) -> tuple[MonthSum, ...]:
    return tuple(
        MonthSum(TownCode(town), category, kind, month, points)
        for (town, category, kind, month), points in sorted(sums.items())
    )


def _points(tx: Transaction, ruleset: Ruleset, subject_ids: list[int], on: date) -> _Points:
    household = ruleset.subject is SubjectKind.HOUSEHOLD
    homes = {int(p): int(h) for h, p in subjects.list_home_members(tx, subject_ids, on)} if household else {}
    shared = [*homes] if household else subjects.list_households_of(tx, subject_ids)
    sums: dict[int, dict[tuple[str, str, str, int], int]] = defaultdict(lambda: defaultdict(int))
    if ruleset.basis.kind in SUMMED:
        from_month = ruleset.basis.first_month(on)
        rows = contributions.list_month_sums(tx, [*subject_ids, *shared], from_month)
        for counts_for, row in _counted(tx, rows, ruleset, subject_ids, month_of(on)):
            _, town, _, month, category, kind, points = row
            sums[homes.get(counts_for, counts_for)][town, category, kind, month] += points
    balances: dict[int, list[tuple[TownCode, int]]] = defaultdict(list)
    posted: dict[int, list[PostedScore]] = defaultdict(list)
    people = [*homes] if household else subject_ids
    may = subjects.list_consenting(tx, Purpose.LOAN_MAPPING, people)

    def counts(holder_id: int, town: str) -> bool:
        """What a person holds counts with their consent; what a household holds belongs to nobody alone."""
        return town in ruleset.factors and (
            (household and holder_id not in homes) or (holder_id, town) in may
        )

    if ruleset.basis.kind is BasisKind.BALANCE:
        for holder_id, town, points in ledger.list_spendable(tx, [*subject_ids, *homes]):
            if counts(holder_id, town):
                balances[homes.get(holder_id, holder_id)].append((TownCode(town), points))
    if ruleset.basis.kind is BasisKind.POSTED_SCORE:  # a household's list is posted, not its members'
        for holder_id, town, period, points in contributions.list_posted_scores(tx, subject_ids, on):
            if counts(holder_id, town):
                posted[holder_id].append(PostedScore(TownCode(town), period, points))
    return _Points(sums, balances, posted, _first_and_last(tx, ruleset, subject_ids, homes))


def _counted(
    tx: Transaction, rows: list[tuple[Any, ...]], ruleset: Ruleset, subject_ids: list[int], last_month: int
) -> Iterable[tuple[int, tuple[Any, ...]]]:
    """The rows that count, each with the subject it counts for."""
    household = ruleset.subject is SubjectKind.HOUSEHOLD
    asked = set(subject_ids)
    people = sorted({row[2] for row in rows if row[2]} | (set() if household else asked))
    may = subjects.list_consenting(tx, Purpose.LOAN_MAPPING, people)
    for row in rows:
        holder_id, town, person_id, month, _, kind, _ = row
        if month > last_month or kind not in CONTRIBUTED or town not in ruleset.factors:
            continue
        if household:
            if person_id == 0 or (person_id, town) in may:
                yield holder_id, row
            continue
        person = person_id or holder_id
        if person in asked and (person, town) in may and (holder_id == person or holder_id not in asked):
            yield person, row


def _first_and_last(
    tx: Transaction, ruleset: Ruleset, subject_ids: list[int], homes: dict[int, int]
) -> dict[int, tuple[int | None, date | None]]:
    months, days = ruleset.gates.months_of_data is not None, ruleset.gates.stale_after_days is not None
    if not (months or days):
        return {}
    return {
        subject_id: (first if months else None, last if days else None)
        for subject_id, (first, last) in dated_of(tx, subject_ids, homes).items()
    }


def dated_of(
    tx: Transaction, subject_ids: list[int], homes: dict[int, int]
) -> dict[int, tuple[int | None, date | None]]:
    """First month and last day of each subject, with those of the members who count for it (`homes`: person → household)."""
    found: dict[int, tuple[int | None, date | None]] = {}
    for holder_id, first, last in contributions.list_first_and_last(tx, [*subject_ids, *homes]):
        subject_id = homes.get(holder_id, holder_id)
        first_too, last_too = found.get(subject_id, (None, None))
        found[subject_id] = (
            min((month for month in (first, first_too) if month is not None), default=None),
            max((day for day in (last, last_too) if day is not None), default=None),
        )
    return found
