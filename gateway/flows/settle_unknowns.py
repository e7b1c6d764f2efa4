"""The answer was lost: ask the bank what it heard (查证); only what it never had is sent again."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from gateway import benefits, outbox
from gateway.benefits import Move, ProposalEvent
from gateway.flows._bank_answers import ANY_CHANCE, BATCH, LEASE, THREADS, Heard, Said, claim_name, conclude
from gateway.flows._left_alone import left_alone
from gateway.flows._proposal_moves import BANK, PROPOSE, apply_moves, serial_of
from gateway.house import House
from gateway.outbox import Claimed
from schemas.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    OutcomeUnknownError,
    RefusedError,
    UnavailableError,
)
from schemas.ports import BankPort
from schemas.proposals import BankVerdict, ProposalState
from schemas.values import Serial, beijing_date

log = logging.getLogger(__name__)


class Inquiry(NamedTuple):
    """An unknown message, and the serial of the question about it."""

    message: Claimed
    serial: Serial


def settle_unknowns(
    house: House,
    *,
    now: datetime,
    limit: int = 1000,
    chance: Callable[[], float] = ANY_CHANCE,
) -> dict[str, int]:
    """Find out what became of messages without an answer, those of dead senders included; counted by what was found.

    Found: settled as the bank answered then. Original not found: nothing happened, it is queued to be sent again with the
    same serial. No clear answer: still unknown, asked again later. Never sends a proposal itself.
    """
    if house.bank is None or left_alone(house, BANK, now):
        return {}
    counts: Counter[str] = Counter()
    claimed_by = claim_name(house)
    begun = time.monotonic()
    with ThreadPoolExecutor(THREADS, thread_name_prefix="bank") as pool:
        while counts["asked"] < limit:
            at = now + timedelta(seconds=time.monotonic() - begun)
            counts["doubted"] += _doubt(house, now=at)
            with house.db.transaction() as tx:
                claimed = outbox.claim_unknown(
                    tx, BANK, BATCH, now=at, claimed_until=at + LEASE, claimed_by=claimed_by
                )
            if not claimed:
                break
            on = beijing_date(at)
            asks = [Inquiry(message, Serial(serial_of("Q", on, house.new_id()))) for message in claimed]
            said = list(pool.map(partial(_inquire, house.bank), asks))  # ‖ no transaction is open here
            at = now + timedelta(seconds=time.monotonic() - begun)
            counts += conclude(house, said, claimed_by=claimed_by, state="unknown", now=at, chance=chance)
            counts["asked"] += len(said)
            if all(s.heard is Heard.UNKNOWN for s in said):
                break
    return {name: count for name, count in counts.items() if count}


def _doubt(house: House, *, now: datetime) -> int:
    """Messages whose sender died become unknown, and their proposals with them."""
    with house.db.transaction() as tx:
        lapsed = outbox.doubt_lapsed(tx, BANK, 1000, now=now)
        ids = [m.row_id for m in lapsed if m.kind == PROPOSE]
        rows = benefits.lock_proposals(tx, ids)
        moves = [
            Move(p, ProposalEvent.ANSWER_LOST, "sender-died")
            for p, row in rows.items()
            if row.state == ProposalState.PROPOSED
        ]
        apply_moves(house, tx, moves, now=now)
        return len(lapsed)


def _inquire(bank: BankPort, inquiry: Inquiry) -> Said:
    """Ask about one message; every way it can go is an outcome."""
    message = inquiry.message
    try:
        answer = bank.query_proposal(inquiry.serial, Serial(message.serial))
    except NotFoundError as exc:
        return Said(message, Heard.NOTHING, exc.code)
    except (UnavailableError, OutcomeUnknownError) as exc:
        return Said(message, Heard.UNKNOWN, exc.code)
    except (ConflictError, ForbiddenError, InvalidError, RefusedError) as exc:
        return Said(message, Heard.PARK, exc.code)
    except Exception as exc:  # an inquiry changes nothing at the bank: ask again later
        log.error("an inquiry failed unexpectedly: %s, serial %s", type(exc).__name__, message.serial)
        return Said(message, Heard.UNKNOWN, "unexpected")
    declined = answer.verdict is BankVerdict.REFUSED
    return Said(message, Heard.DECLINED if declined else Heard.YES, answer.code, answer.bank_reference)
