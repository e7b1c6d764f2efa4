"""The bank is told: messages are claimed ‖ said to the bank, a few at once ‖ what it answered is written down."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from gateway import benefits, outbox, subjects
from gateway.benefits import ENDED
from gateway.db import Row, Transaction
from gateway.flows._bank_answers import ANY_CHANCE, BATCH, LEASE, THREADS, Heard, Said, claim_name, conclude
from gateway.flows._left_alone import left_alone
from gateway.flows._proposal_moves import BANK, PROPOSE, REVOKE
from gateway.house import House
from gateway.outbox import Claimed
from schemas.errors import (
    ConflictError,
    InvalidError,
    NotFoundError,
    OutcomeUnknownError,
    RefusedError,
    UnavailableError,
)
from schemas.ports import BankPort
from schemas.proposals import BenefitProposal, BenefitRevocation, ProposalState
from schemas.values import Serial

log = logging.getLogger(__name__)


class Errand(NamedTuple):
    """A claimed message with what to say; `ask` is None when it is already clear what becomes of it (`outcome`)."""

    message: Claimed
    ask: BenefitProposal | BenefitRevocation | None
    outcome: Said | None = None


def deliver_proposals(
    house: House,
    *,
    now: datetime,
    limit: int = 1000,
    chance: Callable[[], float] = ANY_CHANCE,
) -> dict[str, int]:
    """Say up to `limit` due messages to the bank; what became of them, counted.

    Killed before the bank is called, or after: the claim lapses, the message becomes unknown and `settle_unknowns` asks the
    bank what it heard. When a whole batch finds the bank away the run ends; the others keep their place. `chance` spreads
    the waits (jitter).
    """
    if house.bank is None or left_alone(house, BANK, now):
        return {}
    counts: Counter[str] = Counter()
    claimed_by = claim_name(house)
    begun = time.monotonic()
    with ThreadPoolExecutor(THREADS, thread_name_prefix="bank") as pool:
        while counts["said"] < limit:
            at = now + timedelta(seconds=time.monotonic() - begun)
            size = min(BATCH, limit - counts["said"])
            errands = _claim(house, size, claimed_by, now=at)
            if not errands:
                break
            said = list(pool.map(partial(_say, house.bank), errands))  # ‖ no transaction is open here
            at = now + timedelta(seconds=time.monotonic() - begun)
            counts += conclude(house, said, claimed_by=claimed_by, state="sending", now=at, chance=chance)
            counts["said"] += len(said)
            if all(s.heard is Heard.NOTHING for s in said):
                break
    return dict(counts)


def _claim(house: House, size: int, claimed_by: str, *, now: datetime) -> list[Errand]:
    with house.db.transaction() as tx:
        claimed = outbox.claim_due(tx, BANK, size, now=now, claimed_until=now + LEASE, claimed_by=claimed_by)
        return _errands(house, tx, claimed) if claimed else []


def _errands(house: House, tx: Transaction, claimed: Sequence[Claimed]) -> list[Errand]:
    """What to say, with the id numbers that only now are opened and only in memory."""
    proposals = benefits.list_proposals(tx, [m.row_id for m in claimed if m.kind == PROPOSE])
    revocations = benefits.list_revocations(tx, [m.row_id for m in claimed if m.kind == REVOKE])
    persons = subjects.list_identities(tx, house.keys, sorted({p.applicant_id for p in proposals.values()}))
    errands = []
    for message in claimed:
        if message.kind == REVOKE:
            errands.append(_revocation(message, revocations[message.row_id]))
            continue
        row = proposals[message.row_id]
        person = persons.get(row.applicant_id)
        if message.abandoned or row.revoking or row.state != ProposalState.PROPOSED:
            errands.append(Errand(message, None, Said(message, Heard.NEEDLESS, "no-longer-wanted")))
        elif person is None:
            errands.append(Errand(message, None, Said(message, Heard.PARK, "no-identity")))
        else:
            errands.append(Errand(message, _proposal(row, person.id_no)))
    return errands


def _revocation(message: Claimed, row: Row) -> Errand:
    if ProposalState(row.proposal_state) in ENDED:
        return Errand(message, None, Said(message, Heard.NEEDLESS, "nothing-to-revoke"))
    ask = BenefitRevocation(Serial(row.serial), row.business_on, Serial(row.original_serial), row.reason_code)
    return Errand(message, ask)


def _proposal(row: Row, id_no: str) -> BenefitProposal:
    return BenefitProposal(
        serial=Serial(row.serial),
        business_on=row.business_on,
        customer_id_no=id_no,
        product=row.product,
        discount_bp=row.discount_bp,
        limit_increase_fen=row.limit_increase_fen,
        valid_from_on=row.valid_from_on,
        valid_until_on=row.valid_until_on,
        reason_codes=tuple(row.reason_codes),
        decision_sha256=row.decision_sha256,
        supersedes_serial=row.supersedes_serial,
    )


def _say(bank: BankPort, errand: Errand) -> Said:
    """One call to the bank; every way it can go is an outcome, never an exception."""
    message = errand.message
    if errand.ask is None:
        assert errand.outcome is not None, "an errand says something or is concluded"
        return errand.outcome
    revoking = isinstance(errand.ask, BenefitRevocation)
    try:
        if isinstance(errand.ask, BenefitRevocation):
            answer = bank.revoke_benefit(errand.ask)
        else:
            answer = bank.propose_benefit(errand.ask)
        return Said(message, Heard.YES, answer.code, answer.bank_reference)
    except UnavailableError as exc:
        return Said(message, Heard.NOTHING, exc.code)
    except RefusedError as exc:
        return Said(message, Heard.DECLINED, exc.code)
    except NotFoundError as exc:
        if revoking:  # the bank does not hold it: what was to be reached is reached
            return Said(message, Heard.YES, exc.code)
        unknown_customer = exc.code.endswith("2001")
        return Said(message, Heard.DECLINED if unknown_customer else Heard.PARK, exc.code)
    except (ConflictError, InvalidError) as exc:
        return Said(message, Heard.PARK, exc.code)
    except OutcomeUnknownError as exc:
        return Said(message, Heard.UNKNOWN, exc.code)
    except Exception as exc:  # whatever it is, the bank may have heard: ask, never send again
        log.error("calling the bank failed unexpectedly: %s, serial %s", type(exc).__name__, message.serial)
        return Said(message, Heard.UNKNOWN, "unexpected")
