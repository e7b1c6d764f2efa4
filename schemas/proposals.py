"""What we say to the bank's credit system and what it answers. The gateway proposes; the bank decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from schemas.values import Serial


class ProposalState(StrEnum):
    """States of a proposal; which follows which stands in one table in `gateway.benefits`."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    UNKNOWN = "unknown"
    IN_FORCE = "in_force"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class BenefitProposal:
    """The content of ProposeBenefit. `customer_id_no` is personal: it exists only in memory, on the way out."""

    serial: Serial
    business_on: date
    customer_id_no: str
    product: str
    discount_bp: int
    limit_increase_fen: int
    valid_from_on: date
    valid_until_on: date
    reason_codes: tuple[str, ...]
    decision_sha256: str
    supersedes_serial: str | None = None


@dataclass(frozen=True, slots=True)
class BenefitRevocation:
    """The content of RevokeBenefit: names the proposal it ends."""

    serial: Serial
    business_on: date
    original_serial: Serial
    reason_code: str


class BankVerdict(StrEnum):
    """Outcomes to keep apart (domain.md)."""

    DONE = "done"
    REFUSED = "refused"
    DUPLICATE = "duplicate"
    ALREADY_REVERSED = "already_reversed"
    ORIGINAL_NOT_FOUND = "original_not_found"


@dataclass(frozen=True, slots=True)
class BankAnswer:
    """A definite answer. An indefinite one is an `OutcomeUnknownError`; nothing happened is an `UnavailableError`."""

    verdict: BankVerdict
    code: str
    message: str
    bank_reference: str | None = None
