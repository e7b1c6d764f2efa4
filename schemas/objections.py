"""What a resident asks or objects to, how it can go on, and the terms that run."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

#: Working days to an answer, and at most with a stated reason (Zhejiang public credit rules; domain.md).
ANSWER_DAYS: Final = 5
ANSWER_DAYS_MOST: Final = 20
MAX_WORDS: Final = 2000  # characters of what somebody wrote


class ObjectionKind(StrEnum):
    """What is asked."""

    QUESTION = "question"  # 咨询: explain it (PIPL art. 24, 48)
    OBJECTION = "objection"  # 异议: it is wrong (PIPL art. 46)
    REFUSAL = "refusal"  # 拒绝仅通过自动化决策: let a person decide (PIPL art. 24)


class AboutKind(StrEnum):
    """What it is about."""

    DECISION = "decision"  # with its id
    REDEMPTION = "redemption"  # with its id
    POINTS = "points"
    PERSONAL = "personal"  # what is kept about them


class Channel(StrEnum):
    """How it reached the bank."""

    BRANCH = "branch"
    PHONE = "phone"
    LETTER = "letter"
    APP = "app"
    REGULATOR = "regulator"


class ObjectionState(StrEnum):
    """Where it stands."""

    OPEN = "open"
    EXTENDED = "extended"
    REVIEWED = "reviewed"  # decided again, by a person
    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"  # a refusal that was taken back after its answer


class Finding(StrEnum):
    """What the answer says."""

    EXPLAINED = "explained"  # a question was answered
    UPHELD = "upheld"  # the decision stands
    CORRECTED = "corrected"  # it was wrong, and decided again
    ACCEPTED = "accepted"  # from now on a person decides


class NewObjection(NamedTuple):
    """As taken down. `objection_id` is chosen by the caller and makes recording it twice once."""

    objection_id: UUID
    person_id: int
    kind: ObjectionKind
    about_kind: AboutKind
    about_id: str  # '' or the decision's or redemption's id
    channel: Channel
    words: str  # the resident's; sealed
    received_at: datetime


class Recorded(NamedTuple):
    """What the resident is told at once."""

    objection_id: UUID
    serial: str
    due_on: date
    state: ObjectionState


@dataclass(frozen=True, slots=True)
class LetterText:
    """Everything a letter says. Personal: goes onto paper, never into a log."""

    bank_name: str
    contact: str
    addressee: str = field(repr=False)
    serial: str
    received_on: date
    answered_on: date
    kind: ObjectionKind
    finding: Finding
    asked: str = field(repr=False)
    answer: str = field(repr=False)
    decisions: tuple[ExplainedDecision, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ExplainedDecision:
    """A decision in plain words, with the line of the ruleset each step follows and where that line comes from."""

    title: str
    ruleset: str  # name, first day, id
    decision_id: str
    as_of_on: date
    result: str
    reasons: tuple[str, ...]
    steps: tuple[tuple[str, str, str], ...]  # (words, line of the ruleset, its reference)
