"""Redemptions: the states of one, and what its towns said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from schemas.goods import Wanted
from schemas.values import Serial, TownCode


class RedemptionState(StrEnum):
    """Where a redemption stands."""

    OPENED = "opened"
    FREEZING = "freezing"
    FROZEN = "frozen"
    CONFIRMING = "confirming"
    CONFIRMED = "confirmed"
    HANDED_OVER = "handed_over"
    RELEASING = "releasing"
    RELEASED = "released"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    REVERSED = "reversed"


class Aim(StrEnum):
    """What is wanted of the towns now."""

    FREEZE = "freeze"
    CONFIRM = "confirm"
    RELEASE = "release"
    REVERSE = "reverse"


class Heard(StrEnum):
    """What we are sure of about one town's part."""

    ASKED = "asked"  # nothing yet: it was written down that the town will be asked
    FROZEN = "frozen"
    CONFIRMED = "confirmed"
    ENDED = "ended"  # released, expired or reversed: the town has given the points back
    ABSENT = "absent"  # the town never took it, or refused it
    DOUBTFUL = "doubtful"  # the answer was lost


class LookReason(StrEnum):
    """Why staff look at a resident: chosen, never typed."""

    REDEMPTION = "redemption"
    ENQUIRY = "enquiry"
    COMPLAINT = "complaint"
    CORRECTION = "correction"


class ProxyProof(StrEnum):
    """What showed that somebody may act for a resident: chosen, never typed. Both identity cards are seen in any case."""

    AUTHORISATION = "authorisation"  # a power of attorney (授权委托书), Civil Code art. 165
    HOUSEHOLD_BOOK = "household_book"  # both stand in one household register (户口簿)
    KINSHIP = "kinship"  # a certificate of kinship (亲属关系证明)
    GUARDIANSHIP = "guardianship"  # a certificate of guardianship (监护证明), Civil Code art. 23 and 34


class Basket(NamedTuple):
    """What a clerk asks for. `shown_centi` is what the confirm page showed by town: another price refuses the basket."""

    idempotency_key: str
    person_id: int
    proxy_person_id: int | None
    lines: tuple[Wanted, ...]
    shown_centi: dict[str, int]
    proxy_proof: ProxyProof | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it was priced."""

    good_id: UUID
    town: TownCode
    quantity_count: int
    price_centi: int
    settle_fen: int


@dataclass(frozen=True, slots=True)
class Leg:
    """One town's part of a redemption."""

    town: TownCode
    serial: Serial
    holder_id: int
    hold_id: UUID
    total_centi: int
    heard: Heard
    town_reference: str
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Redemption:
    """A redemption with its towns' parts."""

    redemption_id: UUID
    serial: str
    branch_no: str
    teller_no: str
    staff_id: UUID
    person_id: int
    proxy_person_id: int | None
    proxy_proof: str  # a ProxyProof; '' without a proxy
    business_on: date
    needs_approval: bool
    opened_at: datetime
    expires_at: datetime
    state: RedemptionState
    wanted: Aim
    approved_by: UUID | None
    goods: str  # held, released, issued, returned
    posted: bool
    attempts: int
    idempotency_key: str
    content_sha256: str
    event_count: int  # events so far
    lines: tuple[Line, ...]
    legs: tuple[Leg, ...]
