"""A push, in our words: what a town's adapter reads out of bytes, and what we answer.

`Contribution` is a NamedTuple, not a dataclass: a stream makes a million of them and this is the cheapest immutable value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from schemas.values import Category, ContributionKind, ItemStatus, Purpose, TownCode


class Contribution(NamedTuple):
    """One item of a push in our words. `item_no` counts from 0 in the order the town sent.

    `category` is None when the town's activity code is unknown: such an item is quarantined, never guessed.
    Exactly who it belongs to is named in the town's way: `household_code` (the family's account), `id_no` (the person's
    resident id, upper-case X) or `openid`; a shared account carries both household_code and id_no.
    """

    item_no: int
    reference: str
    kind: ContributionKind
    activity: str
    category: Category | None
    points_centi: (
        int  # always positive for award/…; the kind gives the direction; a posted_score may be any integer
    )
    occurred_at: datetime
    household_code: str | None = None
    id_no: str | None = None
    openid: str | None = None
    village: str | None = None
    reverses: str | None = None  # reference of the original, for a reversal
    period: str | None = None  # '2026Q3', for a posted score


class FaultyItem(NamedTuple):
    """An item that could not be read: the answer `rejected`, with nothing personal kept."""

    item_no: int
    reference: str | None
    code: str  # kebab-case
    where: str  # JSON pointer or XPath inside the push, e.g. '/items/3/memberIdNo'
    detail: str  # what is wrong and what to do; never personal data


class ReadPush(NamedTuple):
    """What an adapter read: good items and faulty ones; together they are every item of the push."""

    items: list[Contribution]
    faults: list[FaultyItem]


class ItemAnswer(NamedTuple):
    """The answer for one item. `code` and `detail` are None for accepted and duplicate."""

    item_no: int
    reference: str | None
    status: ItemStatus
    code: str | None = None
    where: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Push:
    """Raw bytes that came through a town's door, with who sent them."""

    town: TownCode
    client_id: str
    idempotency_key: str
    body: bytes
    received_at: datetime
    batch_id: UUID
    correlation_id: str = ""
    as_lines: bool = False  # one JSON document per line (a stream's chunk) instead of one document


@dataclass(frozen=True, slots=True)
class PushAnswer:
    """What the town is told. The same push again gets the same answer, to the byte."""

    batch_id: UUID
    town: TownCode
    received_at: datetime
    items: list[ItemAnswer]
    receipt: str  # compact JWS (RFC 7515), see docs; empty only when nothing was stored
    replayed: bool = False  # True when this is the first answer, given again

    def counts(self) -> dict[str, int]:
        """Number of items by status, every status named."""
        found = dict.fromkeys((str(s) for s in ItemStatus), 0)
        for item in self.items:
            found[item.status] += 1
        return found


@dataclass(frozen=True, slots=True)
class ConsentGiven:
    """Separate consent of one person (PIPL art. 23, 29): who may receive what for which purpose."""

    purpose: Purpose
    given_at: datetime
    text_version: str  # which wording the person saw
    evidence: str = ""  # the town's reference of the signed form; not personal data
    guardian: bool = False  # given by a guardian (PIPL art. 31, under 14)


@dataclass(frozen=True, slots=True)
class MemberRegistration:
    """One member of a family, as the town registers them."""

    id_no: str
    name: str
    phone: str | None
    is_head: bool
    consents: tuple[ConsentGiven, ...]


@dataclass(frozen=True, slots=True)
class HouseholdRegistration:
    """A family account, its village and its members. Members without any consent are not kept."""

    household_code: str  # '' where points are a person's own: the members are registered, and no household
    village: str
    member_since_on: date
    members: tuple[MemberRegistration, ...] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A person withdraws a consent; mapping stops, goods already given stay given."""

    id_no: str
    purpose: Purpose
    withdrawn_at: datetime
