"""What the bank said, or did not say, about messages of ours: concluded in one transaction for all of them.

Shared by `deliver_proposals` (messages 'sending') and `settle_unknowns` (messages 'unknown').
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple
from uuid import UUID

from gateway import benefits, outbox
from gateway.benefits import OPEN, Move, ProposalEvent
from gateway.db import Row, Transaction
from gateway.flows._proposal_moves import PROPOSE, apply_moves
from gateway.house import House
from gateway.outbox import Claimed, Ended, Later, Parked
from schemas.errors import UnavailableError
from schemas.proposals import ProposalState
from schemas.values import beijing_date

log = logging.getLogger(__name__)

#: Spreads waits in production; tests pass their own.
ANY_CHANCE: Callable[[], float] = secrets.SystemRandom().random

BATCH = 16  # messages claimed together; their answers are written in one transaction
THREADS = 8  # calls to the bank at once

#: How long a claim holds. Longer than any call with its time-outs, so that a lapsed claim means a dead process.
LEASE = timedelta(seconds=180)
#: After so many sendings without ever a definite answer a person looks.
MOST_ATTEMPTS = 20
#: What is no longer wanted is forgotten only when the bank has said so often that it never had it: it may still be under way.
SURE_AFTER_INQUIRIES = 2
_TRIES = 3


class Heard(Enum):
    """What became of a message."""

    YES = "yes"  # the bank did it, or had done it before
    DECLINED = "declined"  # the bank's credit system says no
    NOTHING = "nothing"  # certainly nothing happened
    UNKNOWN = "unknown"
    NEEDLESS = "needless"  # not said, because there was nothing left to say
    PARK = "park"  # a person must look


class Said(NamedTuple):
    """One message and what became of it."""

    message: Claimed
    heard: Heard
    code: str
    bank_reference: str | None = None


def claim_name(house: House) -> str:
    """Who claims: machine, process, and a word of this run alone."""
    return f"{socket.gethostname()}:{os.getpid()}:{house.new_id().hex}"


@dataclass(slots=True)
class _Marks:
    """What the transaction writes, collected first and written set by set."""

    moves: list[Move] = field(default_factory=list)
    second: list[Move] = field(default_factory=list)  # a second event of the same proposal
    ended: list[Ended] = field(default_factory=list)
    queued: list[Later] = field(default_factory=list)
    unknown: list[Later] = field(default_factory=list)
    postponed: list[Later] = field(default_factory=list)
    parked: list[Parked] = field(default_factory=list)


def conclude(
    house: House,
    said: Sequence[Said],
    *,
    claimed_by: str,
    state: str,
    now: datetime,
    chance: Callable[[], float],
) -> Counter[str]:
    """Write down what became of these messages; what was counted, by kind.

    The bank has been called, so a database that rolls back is tried again; if it stays away, the claim lapses and an
    inquiry finds out. A message that lapsed meanwhile ('late') is left to whoever doubts it now.
    """
    for attempt in range(_TRIES):
        try:
            with house.db.transaction() as tx:
                return _Conclusion(house, tx, now, state, chance).write(said, claimed_by)
        except UnavailableError:
            if attempt == _TRIES - 1:
                raise
            log.warning("concluding %d messages is tried again", len(said))
    raise AssertionError("unreachable")


@dataclass(slots=True)
class _Conclusion:
    house: House
    tx: Transaction
    at: datetime
    state: str  # 'sending' or 'unknown': where the messages stand
    chance: Callable[[], float]
    counts: Counter[str] = field(default_factory=Counter)
    marks: _Marks = field(default_factory=_Marks)

    def write(self, said: Sequence[Said], claimed_by: str) -> Counter[str]:
        ids = [s.message.message_id for s in said]
        held = outbox.lock_claimed(self.tx, ids, claimed_by=claimed_by, state=self.state)
        mine = [s for s in said if s.message.message_id in held]
        self.counts["late"] += len(said) - len(mine)
        spoken_of = [s.message.row_id for s in mine]
        revocations = benefits.list_revocations(
            self.tx, [s.message.row_id for s in mine if s.message.kind != PROPOSE]
        )
        targets = [r.proposal_id for r in revocations.values()]
        proposals = benefits.lock_proposals(self.tx, [*spoken_of, *targets])
        revoking = benefits.list_proposals(self.tx, spoken_of)
        for one in mine:
            abandoned = held[one.message.message_id]
            if one.message.kind == PROPOSE:
                row_id = one.message.row_id
                ending = ProposalEvent.REVOKED if revoking[row_id].revoking else ProposalEvent.SUPERSEDED
                self._proposal(one, proposals[row_id], abandoned, ending)
            else:
                self._revocation(one, proposals[revocations[one.message.row_id].proposal_id])
        self._flush()
        return self.counts

    def _proposal(self, one: Said, row: Row, abandoned: bool, ending: ProposalEvent) -> None:
        """Message and proposal move together: queued and sending with proposed, unknown with unknown."""
        proposal_id: UUID = row.proposal_id
        match one.heard:
            case Heard.YES | Heard.DECLINED:
                accepted = one.heard is Heard.YES
                event = ProposalEvent.BANK_ACCEPTED if accepted else ProposalEvent.BANK_DECLINED
                self.marks.moves.append(Move(proposal_id, event, one.code, one.bank_reference))
                self._end(one, "done", "accepted" if accepted else "declined")
            case Heard.NOTHING | Heard.NEEDLESS:
                self._nothing_happened(one, row, abandoned or one.heard is Heard.NEEDLESS, ending)
            case Heard.UNKNOWN:
                if row.state == ProposalState.PROPOSED:
                    self.marks.moves.append(Move(proposal_id, ProposalEvent.ANSWER_LOST, one.code))
                self._doubt(one)
            case Heard.PARK:
                self._park(one)

    def _nothing_happened(self, one: Said, row: Row, unwanted: bool, ending: ProposalEvent) -> None:
        inquired = self.state == "unknown"
        if unwanted and inquired and one.message.inquiries < SURE_AFTER_INQUIRIES:
            self._doubt(one)
            return
        if row.state == ProposalState.UNKNOWN:
            self.marks.moves.append(Move(row.proposal_id, ProposalEvent.NOTHING_FOUND, one.code))
        if unwanted:
            if row.state in (ProposalState.PROPOSED, ProposalState.UNKNOWN):
                self.marks.second.append(Move(row.proposal_id, ending, "never-sent"))
            self._end(one, "cancelled", "cancelled")
        else:
            self._requeue(one)

    def _revocation(self, one: Said, row: Row) -> None:
        match one.heard:
            case Heard.YES | Heard.NEEDLESS:
                if row.state in OPEN and one.heard is Heard.YES:
                    self.marks.moves.append(
                        Move(row.proposal_id, ProposalEvent.REVOKED, one.code, one.bank_reference)
                    )
                self._end(one, "done", "revoked")
            case Heard.NOTHING:
                self._requeue(one)
            case Heard.UNKNOWN:
                self._doubt(one)
            case Heard.DECLINED | Heard.PARK:
                self._park(one)

    def _end(self, one: Said, state: str, counted: str) -> None:
        self.marks.ended.append(Ended(one.message.message_id, state, one.code))
        self.counts[counted] += 1

    def _requeue(self, one: Said) -> None:
        if self.state == "unknown" and one.message.attempts >= MOST_ATTEMPTS:
            self._park(one._replace(code="never-answered"))
            return
        at = self.at + outbox.wait_after(one.message.attempts, self.chance())
        self.marks.queued.append(Later(one.message.message_id, one.code, at))
        self.counts["send_again"] += 1

    def _doubt(self, one: Said) -> None:
        tries = one.message.inquiries if self.state == "unknown" else 1
        later = Later(one.message.message_id, one.code, self.at + outbox.wait_after(tries, self.chance()))
        (self.marks.postponed if self.state == "unknown" else self.marks.unknown).append(later)
        self.counts["unknown"] += 1

    def _park(self, one: Said) -> None:
        self.marks.parked.append(Parked(one.message.message_id, one.code))
        self.counts["parked"] += 1
        log.error("message parked, a person must look: serial %s code %s", one.message.serial, one.code)

    def _flush(self) -> None:
        tx, marks = self.tx, self.marks
        outbox.mark_ended(tx, marks.ended, now=self.at)
        outbox.mark_queued(tx, marks.queued)
        outbox.mark_unknown(tx, marks.unknown)
        outbox.postpone_inquiries(tx, marks.postponed)
        outbox.mark_parked(tx, marks.parked)
        apply_moves(self.house, tx, marks.moves, now=self.at)
        apply_moves(self.house, tx, marks.second, now=self.at)
        accepted = [m.proposal_id for m in marks.moves if m.event is ProposalEvent.BANK_ACCEPTED]
        if accepted:
            self._take_place(accepted)

    def _take_place(self, accepted: Sequence[UUID]) -> None:
        """What was just accepted takes the place of what stood, and begins when its day has come."""
        replaced = benefits.list_replaced(self.tx, accepted)
        moves = [Move(p, ProposalEvent.SUPERSEDED, "replaced") for p in replaced]
        apply_moves(self.house, self.tx, moves, now=self.at)
        on = beijing_date(self.at)
        rows = benefits.lock_proposals(self.tx, accepted)
        begun = [p for p, row in rows.items() if row.valid_from_on <= on < row.valid_until_on]
        apply_moves(self.house, self.tx, [Move(p, ProposalEvent.STARTED) for p in begun], now=self.at)
