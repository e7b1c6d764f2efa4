"""Their words to ours and ours to theirs. Pure: no network, no clock. The code table stands on top."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import Enum
from typing import Any

from adapters.bank_core.wire import UnreadableError, Words
from schemas.policy import Facility
from schemas.proposals import BankAnswer, BankVerdict, BenefitProposal, BenefitRevocation


class Meaning(Enum):
    """What a RET_CODE means for the caller."""

    DONE = "done"
    DUPLICATE = "duplicate"
    ALREADY_REVERSED = "already-reversed"
    CONFLICT = "conflict"
    REFUSED = "refused"
    NOT_FOUND = "not-found"
    INVALID = "invalid"
    BUSY = "busy"
    UNKNOWN = "unknown"


#: (RET_STATUS, RET_CODE) → meaning. A pair that is not here is UNKNOWN: it is asked about, never guessed.
CODES: Mapping[tuple[str, str], Meaning] = {
    ("S", "0000"): Meaning.DONE,
    ("S", "1001"): Meaning.DUPLICATE,
    ("S", "3002"): Meaning.ALREADY_REVERSED,
    ("F", "1002"): Meaning.CONFLICT,
    ("F", "2001"): Meaning.REFUSED,
    ("F", "2002"): Meaning.REFUSED,
    ("F", "2003"): Meaning.REFUSED,
    ("F", "2004"): Meaning.REFUSED,
    ("F", "3001"): Meaning.NOT_FOUND,
    ("F", "4001"): Meaning.INVALID,
    ("F", "9001"): Meaning.BUSY,
    ("F", "9999"): Meaning.UNKNOWN,
}

#: RET_CODE for "the bank has no such customer".
CUSTOMER_UNKNOWN = "2001"

_VERDICTS = {
    Meaning.DONE: BankVerdict.DONE,
    Meaning.DUPLICATE: BankVerdict.DUPLICATE,
    Meaning.ALREADY_REVERSED: BankVerdict.ALREADY_REVERSED,
    Meaning.REFUSED: BankVerdict.REFUSED,
    Meaning.NOT_FOUND: BankVerdict.ORIGINAL_NOT_FOUND,
}


def meaning_of(status: str, code: str) -> Meaning:
    """What a status and a code mean together."""
    return CODES.get((status, code), Meaning.UNKNOWN)


def day_text(on: date) -> str:
    """yyyyMMdd."""
    return on.strftime("%Y%m%d")


def from_proposal(proposal: BenefitProposal) -> Words:
    """BODY/PROPOSE_BENEFIT, in the contract's order."""
    return {
        "CUSTOMER_ID_NO": proposal.customer_id_no,
        "PRODUCT": proposal.product,
        "DISCOUNT_BP": str(proposal.discount_bp),
        "LIMIT_INCREASE_FEN": str(proposal.limit_increase_fen),
        "VALID_FROM": day_text(proposal.valid_from_on),
        "VALID_UNTIL": day_text(proposal.valid_until_on),
        "REASONS": list(proposal.reason_codes),
        "DECISION_SHA256": proposal.decision_sha256,
        "SUPERSEDES": proposal.supersedes_serial,
    }


def from_revocation(revocation: BenefitRevocation) -> Words:
    """BODY/REVOKE_BENEFIT."""
    return {"ORIG_CONSUMER_SEQ_NO": revocation.original_serial, "REASON": revocation.reason_code}


def to_facility(words: Mapping[str, Any], product: str) -> Facility:
    """BODY/FACILITY. The base rate is given, or LPR plus spread. Raises UnreadableError when it speaks of something else."""
    if words["PRODUCT"] != product:
        raise UnreadableError("the facility is of another product")
    rate_bp = words.get("BASE_RATE_BP")
    if rate_bp is None:
        if "LPR_BP" not in words or "LPR_SPREAD_BP" not in words:
            raise UnreadableError("neither a base rate nor LPR with a spread")
        rate_bp = words["LPR_BP"] + words["LPR_SPREAD_BP"]
    if rate_bp < 0:
        raise UnreadableError("a base rate below zero")
    return Facility(
        product=product,
        base_rate_bp=rate_bp,
        base_limit_fen=words["BASE_LIMIT_FEN"],
        asset_limit_fen=words.get("ASSET_LIMIT_FEN"),
        vetoes=tuple(words["VETOES"]),
        honours=tuple(words["HONOURS"]),
        age_min=words.get("AGE_MIN"),
        age_max=words.get("AGE_MAX"),
    )


def to_answer(meaning: Meaning, code: str, message: str, result: Mapping[str, Any]) -> BankAnswer:
    """A definite answer about what was asked now."""
    return BankAnswer(_VERDICTS[meaning], code, message, result.get("BANK_REFERENCE"))


def to_original(message: str, result: Mapping[str, Any]) -> BankAnswer | None:
    """What was answered to the original of an inquiry; None when even the bank does not say clearly."""
    status, code = result.get("ORIG_RET_STATUS", ""), result.get("ORIG_RET_CODE", "")
    meaning = meaning_of(status, code)
    if meaning not in (Meaning.DONE, Meaning.DUPLICATE, Meaning.ALREADY_REVERSED, Meaning.REFUSED):
        return None
    return BankAnswer(_VERDICTS[meaning], code, message, result.get("BANK_REFERENCE"))
