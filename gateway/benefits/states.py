"""Which state of a proposal follows which, on what event.

The only such table; PostgreSQL holds the same rows and refuses the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from schemas.errors import ConflictError
from schemas.proposals import ProposalState

S = ProposalState


class ProposalEvent(StrEnum):
    """What can happen to a proposal."""

    BANK_ACCEPTED = "bank_accepted"
    BANK_DECLINED = "bank_declined"
    ANSWER_LOST = "answer_lost"  # it may have reached the bank: an inquiry follows, never a second sending
    NOTHING_FOUND = "nothing_found"  # the inquiry says the bank never had it: it may be sent again
    STARTED = "started"  # its first day has come
    SUPERSEDED = "superseded"  # a newer proposal took its place
    REVOKED = "revoked"  # ended at our request, or withdrawn before the bank heard of it
    EXPIRED = "expired"  # its last day has passed


E = ProposalEvent

#: (state, event) → the state that follows. What is not here is refused.
EDGES: Mapping[tuple[ProposalState, ProposalEvent], ProposalState] = MappingProxyType(
    {
        (S.PROPOSED, E.BANK_ACCEPTED): S.ACCEPTED,
        (S.PROPOSED, E.BANK_DECLINED): S.DECLINED,
        (S.PROPOSED, E.ANSWER_LOST): S.UNKNOWN,
        (S.PROPOSED, E.SUPERSEDED): S.SUPERSEDED,
        (S.PROPOSED, E.REVOKED): S.REVOKED,
        (S.UNKNOWN, E.BANK_ACCEPTED): S.ACCEPTED,
        (S.UNKNOWN, E.BANK_DECLINED): S.DECLINED,
        (S.UNKNOWN, E.NOTHING_FOUND): S.PROPOSED,
        (S.UNKNOWN, E.REVOKED): S.REVOKED,
        (S.ACCEPTED, E.STARTED): S.IN_FORCE,
        (S.ACCEPTED, E.SUPERSEDED): S.SUPERSEDED,
        (S.ACCEPTED, E.REVOKED): S.REVOKED,
        (S.ACCEPTED, E.EXPIRED): S.EXPIRED,
        (S.IN_FORCE, E.SUPERSEDED): S.SUPERSEDED,
        (S.IN_FORCE, E.REVOKED): S.REVOKED,
        (S.IN_FORCE, E.EXPIRED): S.EXPIRED,
    }
)

#: States in which a proposal may still take effect or has effect.
OPEN = frozenset({S.PROPOSED, S.UNKNOWN, S.ACCEPTED, S.IN_FORCE})
#: States nothing follows.
ENDED = frozenset(S) - OPEN


def next_state(state: ProposalState, event: ProposalEvent) -> ProposalState:
    """The state after `event`. Raises ConflictError for an edge that does not exist."""
    try:
        return EDGES[(state, event)]
    except KeyError:
        raise ConflictError(
            f"a proposal that is {state} cannot have the event {event}",
            code="illegal-proposal-edge",
            where="proposal.state",
            value=str(state),
        ) from None
