"""One transaction of evaluation: whose facts changed, under every ruleset in force. The inner piece of each path that decides."""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from typing import NamedTuple
from uuid import UUID

from gateway import benefits, objections, outbox, policy, subjects
from gateway.benefits import OPEN, Current, Move, NewDecision, NewProposal, ProposalEvent, Want
from gateway.db import Transaction
from gateway.flows._back_to_date import regrant
from gateway.flows._gather_facts import gather_facts
from gateway.flows._proposal_moves import BANK, PROPOSE, append, apply_moves, lane_of, revoke_open, serial_of
from gateway.house import House
from schemas.policy import Decision, Facts, Outcome, SubjectKind
from schemas.values import Purpose

#: How the cause of a decision begins that a person let be made, because of an objection.
OBJECTED = "objection:"
_OPEN = frozenset(map(str, OPEN))


def rulesets_in_force(tx: Transaction, on: date) -> list[policy.Ruleset]:
    """One ruleset a product and kind of subject: should two name the same product, the one that began last."""
    chosen: dict[tuple[str, SubjectKind], policy.Ruleset] = {}
    for ruleset in sorted(policy.list_in_force(tx, on), key=lambda r: (r.valid_from_on, r.name)):
        chosen[(ruleset.product, ruleset.subject)] = ruleset
    return list(chosen.values())


class Act(Enum):
    """What follows from a decision."""

    KEEP = "keep"
    PROPOSE = "propose"  # nothing stands at the bank, or it takes the place of what does
    REVOKE = "revoke"
    CHANGE_APPLICANT = "change_applicant"  # revoke in one name, propose in another


def _plan(
    current: Current | None, decision: Decision, *, known: bool, at_once: bool, again: bool = False
) -> Act:
    """What to do, from what stands and what was decided now. Pure.

    `known`: the bank knows the applicant. `at_once`: a lower benefit takes effect at once, not at repricing. `again`: a person
    lets it be decided again, and the bank is asked even what it declined.
    """
    granted = decision.outcome is Outcome.GRANTED and (
        decision.discount_bp > 0 or decision.limit_increase_fen > 0
    )
    standing = current if _standing(current) else None
    if standing is None:
        asks = granted and known and (again or not _declined_already(current, decision))
        return Act.PROPOSE if asks else Act.KEEP
    if not granted:
        waits = not at_once and decision.outcome is not Outcome.VETOED
        return Act.KEEP if waits else Act.REVOKE
    if standing.proposal_applicant_id != decision.applicant_id:
        return Act.CHANGE_APPLICANT if known else Act.REVOKE
    discount_bp, limit_fen = standing.proposal_discount_bp or 0, standing.proposal_limit_fen or 0
    if (discount_bp, limit_fen) == (decision.discount_bp, decision.limit_increase_fen):
        return Act.KEEP
    lower = decision.discount_bp <= discount_bp and decision.limit_increase_fen <= limit_fen
    return Act.KEEP if lower and not at_once else Act.PROPOSE


def _standing(current: Current | None) -> bool:
    """A proposal may still take effect, or has effect, and is not being revoked."""
    return current is not None and current.proposal_state in _OPEN and not current.revoking


def _declined_already(current: Current | None, decision: Decision) -> bool:
    """The bank declined just this: it is not asked the same again."""
    return (
        current is not None
        and current.proposal_state == "declined"
        and current.proposal_decision_id == current.decision_id
        and current.says(decision)
    )


class _Case(NamedTuple):
    """One evaluated subject: its decision, what stood before, and what follows."""

    decision: Decision
    facts: bytes
    current: Current | None
    act: Act
    proposal_id: UUID | None
    replaces: UUID | None  # what this proposal would take the place of
    until_on: date | None = (
        None  # a corrected benefit ends when the one it takes the place of would have ended
    )


@dataclass(slots=True)
class Sweep:
    """One transaction of evaluation."""

    house: House
    tx: Transaction
    at: datetime
    on: date
    causes: dict[int, str]
    counts: Counter[str] = field(default_factory=Counter)
    made: list[UUID] = field(default_factory=list)  # decisions written

    def revoke_unmappable(self, changed: Sequence[benefits.Changed]) -> None:
        """Consent withdrawn, nobody left to apply: what was proposed is revoked, whatever any ruleset says."""
        persons = [c.subject_id for c in changed if c.subject_kind is SubjectKind.PERSON]
        consenting = {int(p) for p, _ in subjects.list_consenting(self.tx, Purpose.LOAN_MAPPING, persons)}
        withdrawn = [p for p in persons if p not in consenting]
        ids = [c.subject_id for c in changed]
        mappable = {row.subject_id for row in subjects.list_applicants(self.tx, ids, self.on)}
        opened = {
            row.proposal_id: (row, "consent_withdrawn")
            for row in benefits.list_open_of_applicants(self.tx, withdrawn)
        }
        for row in benefits.list_open(self.tx, [i for i in ids if i not in mappable]):
            opened.setdefault(row.proposal_id, (row, "no_applicant"))
        reasons = {
            proposal_id: (
                code,
                self.causes.get(row.subject_id) or self.causes.get(row.applicant_id, "consent"),
            )
            for proposal_id, (row, code) in opened.items()
        }
        unmappable = [i for i in ids if i not in mappable]
        benefits.end_all_waiting(self.tx, unmappable)
        objections.end_reviews(self.tx, unmappable)
        rows = [row for row, _ in opened.values()]
        self.counts["revocations"] += revoke_open(self.house, self.tx, rows, reasons, on=self.on, now=self.at)

    def evaluate(self, ruleset: policy.Ruleset, subject_ids: Sequence[int]) -> None:
        """All changed subjects of the ruleset's kind, set by set."""
        if not subject_ids:
            return
        gathered = list(gather_facts(self.tx, ruleset, subject_ids, self.on))
        applicants = sorted({int(f.applicant_id) for f in gathered})
        asked = benefits.list_asked(self.tx, ruleset.product, applicants) if self.house.bank else None
        if asked is not None:
            unasked = [
                (int(f.applicant_id), int(f.subject_id)) for f in gathered if f.applicant_id not in asked
            ]
            self.counts["facilities_wanted"] += benefits.want_facilities(
                self.tx, ruleset.product, unasked, now=self.at
            )
            gathered = [f for f in gathered if f.applicant_id in asked]
        gathered = self._without_refusing(ruleset, gathered)
        current = benefits.list_current(self.tx, ruleset.product, [int(f.subject_id) for f in gathered])
        regrants = regrant(self.tx, ruleset, current, self.causes)
        cases = []
        for facts in gathered:
            at_once = ruleset.on_decrease is policy.OnDecrease.AT_ONCE
            decision, until_on = policy.evaluate(ruleset, facts), None
            known = asked is None or asked[facts.applicant_id]
            stands = current.get(int(facts.subject_id))
            corrected = regrants.get(int(facts.subject_id))
            if corrected is not None and stands is not None:
                if corrected.at_once and corrected.is_no_more_than(decision):
                    at_once = (
                        True  # today's points justify as much or more: that is what is left of the benefit
                    )
                else:
                    decision, facts, at_once = corrected  # noqa: PLW2901 - the day's facts take the place of today's
                    until_on = stands.proposal_until_on
            again = self._objected(int(facts.subject_id))
            act = _plan(stands, decision, known=known, at_once=at_once, again=again)
            proposal_id = self.house.new_id() if act in (Act.PROPOSE, Act.CHANGE_APPLICANT) else None
            replaces = stands.proposal_id if _standing(stands) and stands and act is Act.PROPOSE else None
            cases.append(
                _Case(decision, policy.facts_bytes(facts), stands, act, proposal_id, replaces, until_on)
            )
        self.counts["evaluated"] += len(cases)
        self._conclude(ruleset, cases)

    def _objected(self, subject_id: int) -> bool:
        """A person lets this be decided again."""
        return self.causes[subject_id].startswith(OBJECTED)

    def _without_refusing(self, ruleset: policy.Ruleset, gathered: list[Facts]) -> list[Facts]:
        """Those whose applicant refuses decisions made only by a machine (PIPL art. 24) wait for a person; what stands stays."""
        refusing = objections.list_refusing(self.tx, sorted({int(f.applicant_id) for f in gathered}))
        left = {
            int(f.subject_id): int(f.applicant_id)
            for f in gathered
            if f.applicant_id in refusing and not self._objected(int(f.subject_id))
        }
        objections.put_reviews(self.tx, ruleset.product, left, now=self.at)
        self.counts["left_to_people"] += len(left)
        return [f for f in gathered if int(f.subject_id) not in left]

    def _conclude(self, ruleset: policy.Ruleset, cases: Sequence[_Case]) -> None:
        self._revoke(ruleset, [c for c in cases if c.act in (Act.REVOKE, Act.CHANGE_APPLICANT)])
        granted = self._within_quota(ruleset, cases)
        proposing = [c for c in cases if c.proposal_id in granted]
        news = [
            self._new_decision(ruleset, c)
            for c in cases
            if c.proposal_id in granted
            or c.current is None
            or not c.current.says(c.decision)
            or self._objected(int(c.decision.subject_id))
        ]
        self.made += [new.decision_id for new in news]
        append(self.house, self.tx, benefits.insert_decisions(self.tx, news, now=self.at), now=self.at)
        self.counts["decisions"] += len(news)
        self._propose(ruleset, proposing, {int(n.decision.subject_id): n for n in news})

    def _new_decision(self, ruleset: policy.Ruleset, case: _Case) -> NewDecision:
        cause = self.causes[int(case.decision.subject_id)]
        body = policy.decision_bytes(case.decision)
        salt = secrets.token_bytes(16)
        return NewDecision(self.house.new_id(), ruleset.product, case.decision, case.facts, body, salt, cause)

    def _revoke(self, ruleset: policy.Ruleset, cases: Sequence[_Case]) -> None:
        by_subject = {int(c.decision.subject_id): c for c in cases}
        opened = benefits.list_open(self.tx, list(by_subject), ruleset.product) if cases else []
        reasons = {}
        for row in opened:
            case = by_subject[row.subject_id]
            code = "applicant_changed" if case.act is Act.CHANGE_APPLICANT else str(case.decision.outcome)
            reasons[row.proposal_id] = (code, self.causes[row.subject_id])
        self.counts["revocations"] += revoke_open(
            self.house, self.tx, opened, reasons, on=self.on, now=self.at
        )

    def _within_quota(self, ruleset: policy.Ruleset, all_cases: Sequence[_Case]) -> set[UUID]:
        """Proposals the programme has room for; the others wait in line, and who wants nothing leaves it."""
        ids = {c.proposal_id: c for c in all_cases if c.proposal_id is not None}
        if ruleset.quota is None:
            return set(ids)
        ended = [(int(c.decision.subject_id), ruleset.product) for c in all_cases if c.proposal_id is None]
        benefits.end_waiting(self.tx, ended)
        amounts = {p: policy.quota_amount_fen(ruleset, c.decision) for p, c in ids.items()}
        wants = [Want(p, amounts[p], ids[p].replaces) for p in ids if amounts[p] > 0]
        got = benefits.take_quota(self.tx, ruleset.name, ruleset.quota.amount_fen, wants, now=self.at)
        got |= {p for p in ids if amounts[p] <= 0}
        line = [(int(ids[p].decision.subject_id), ruleset.product, amounts[p]) for p in ids if p not in got]
        benefits.put_waiting(self.tx, ruleset.name, line, now=self.at)
        benefits.end_waiting(self.tx, [(int(ids[p].decision.subject_id), ruleset.product) for p in got])
        self.counts["waiting_for_quota"] += len(line)
        return got

    def _propose(
        self, ruleset: policy.Ruleset, cases: Sequence[_Case], decisions: dict[int, NewDecision]
    ) -> None:
        if not cases:
            return
        replaced = [c.replaces for c in cases if c.replaces is not None]
        never_heard = outbox.abandon_messages(self.tx, replaced, code="superseded", now=self.at)
        moves = [Move(p, ProposalEvent.SUPERSEDED, "never-sent") for p in sorted(never_heard)]
        apply_moves(self.house, self.tx, moves, now=self.at)
        news = [self._new_proposal(ruleset, c, decisions[int(c.decision.subject_id)]) for c in cases]
        append(self.house, self.tx, benefits.insert_proposals(self.tx, news, now=self.at), now=self.at)
        messages = [
            outbox.NewMessage(
                self.house.new_id(), BANK, PROPOSE, n.serial, n.proposal_id,
                lane_of(n.subject_id, n.product), self.causes[n.subject_id],
            )
            for n in news
        ]  # fmt: skip
        outbox.insert_messages(self.tx, messages, now=self.at)
        self.counts["proposals"] += len(news)

    def _new_proposal(self, ruleset: policy.Ruleset, case: _Case, new: NewDecision) -> NewProposal:
        decision = case.decision
        assert case.proposal_id is not None, "only cases that propose come here"
        from_on, until_on = policy.benefit_period(ruleset, self.on)
        if case.until_on is not None and from_on < case.until_on < until_on:
            until_on = case.until_on
        return NewProposal(
            proposal_id=case.proposal_id,
            business_on=self.on,
            serial=serial_of("P", self.on, case.proposal_id),
            decision_id=new.decision_id,
            subject_id=int(decision.subject_id),
            applicant_id=int(decision.applicant_id),
            product=ruleset.product,
            discount_bp=decision.discount_bp,
            limit_increase_fen=decision.limit_increase_fen,
            reason_codes=new.reason_codes,
            decision_sha256=hashlib.sha256(new.body).hexdigest(),
            valid_from_on=from_on,
            valid_until_on=until_on,
            supersedes=case.replaces,
            salt=secrets.token_bytes(16),
        )
