"""Which state of a redemption follows which, on what event; and what follows from what the towns said.

The only such tables; PostgreSQL holds the same edges and refuses the rest. Both are pure and tested over every combination.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from types import MappingProxyType

from schemas.errors import ConflictError
from schemas.redemptions import Aim, Heard, RedemptionState

S = RedemptionState


class RedemptionEvent(StrEnum):
    """What can happen to a redemption."""

    FREEZE_SENT = "freeze_sent"
    TOWN_FROZE = "town_froze"
    TOWN_REFUSED = "town_refused"
    APPROVED = "approved"
    CONFIRM_SENT = "confirm_sent"
    TOWN_CONFIRMED = "town_confirmed"
    HANDED_OVER = "handed_over"
    RELEASE_NEEDED = "release_needed"
    REVERSAL_ASKED = "reversal_asked"
    TOWN_RELEASED = "town_released"
    TOWN_REVERSED = "town_reversed"
    ANSWER_LOST = "answer_lost"
    FOUND_NOTHING = "found_nothing"
    FOUND_FROZEN = "found_frozen"
    FOUND_CONFIRMED = "found_confirmed"
    FOUND_RELEASED = "found_released"
    FOUND_REVERSED = "found_reversed"


E = RedemptionEvent

#: (state, event) → the state that follows. What is not here is refused.
EDGES: Mapping[tuple[RedemptionState, RedemptionEvent], RedemptionState] = MappingProxyType(
    {
        (S.OPENED, E.FREEZE_SENT): S.FREEZING,
        (S.FREEZING, E.TOWN_FROZE): S.FROZEN,
        (S.FREEZING, E.TOWN_REFUSED): S.REFUSED,
        (S.FREEZING, E.RELEASE_NEEDED): S.RELEASING,
        (S.FREEZING, E.ANSWER_LOST): S.UNKNOWN,
        (S.FROZEN, E.APPROVED): S.FROZEN,
        (S.FROZEN, E.CONFIRM_SENT): S.CONFIRMING,
        (S.FROZEN, E.RELEASE_NEEDED): S.RELEASING,
        (S.CONFIRMING, E.TOWN_CONFIRMED): S.CONFIRMED,
        (S.CONFIRMING, E.RELEASE_NEEDED): S.RELEASING,
        (S.CONFIRMING, E.ANSWER_LOST): S.UNKNOWN,
        (S.CONFIRMED, E.HANDED_OVER): S.HANDED_OVER,
        (S.CONFIRMED, E.RELEASE_NEEDED): S.RELEASING,
        (S.HANDED_OVER, E.REVERSAL_ASKED): S.RELEASING,
        (S.RELEASING, E.TOWN_RELEASED): S.RELEASED,
        (S.RELEASING, E.TOWN_REVERSED): S.REVERSED,
        (S.RELEASING, E.ANSWER_LOST): S.UNKNOWN,
        (S.UNKNOWN, E.FOUND_NOTHING): S.REFUSED,
        (S.UNKNOWN, E.FOUND_FROZEN): S.FROZEN,
        (S.UNKNOWN, E.FOUND_CONFIRMED): S.CONFIRMED,
        (S.UNKNOWN, E.FOUND_RELEASED): S.RELEASED,
        (S.UNKNOWN, E.FOUND_REVERSED): S.REVERSED,
        (S.UNKNOWN, E.CONFIRM_SENT): S.CONFIRMING,
        (S.UNKNOWN, E.RELEASE_NEEDED): S.RELEASING,
    }
)

#: States in which a town is being asked; whoever asks has a lease, and when it lapses the redemption becomes unknown.
ASKING = frozenset({S.FREEZING, S.CONFIRMING, S.RELEASING})
#: States nothing follows by itself.
ENDED = frozenset({S.RELEASED, S.REFUSED, S.REVERSED, S.HANDED_OVER})
#: States that keep a branch from closing its day.
PENDING = frozenset(S) - ENDED


def next_state(state: RedemptionState, event: RedemptionEvent) -> RedemptionState:
    """The state after `event`. Raises ConflictError for an edge that does not exist."""
    try:
        return EDGES[(state, event)]
    except KeyError:
        raise ConflictError(
            f"a redemption that is {state} cannot have the event {event}",
            code="illegal-redemption-edge",
            where="redemption.state",
            value=str(state),
        ) from None


class Step(StrEnum):
    """What follows from what the towns said."""

    REFUSE = "refuse"  # nothing happened anywhere
    FROZEN = "frozen"
    CONFIRM = "confirm"  # ask those still frozen to confirm
    CONFIRMED = "confirmed"
    UNDO = "undo"  # ask those that took points to give them back
    ENDED = "ended"  # all have given back
    ASK = "ask"  # somebody's answer is not known: inquire


def plan(aim: Aim, heard: Collection[Heard]) -> Step:
    """What to do next, given what is wanted and what is known of every town. All or nothing: if one cannot, none shall."""
    known = set(heard)
    if known & {Heard.DOUBTFUL, Heard.ASKED}:
        return Step.ASK
    lacking = bool(known & {Heard.ABSENT, Heard.ENDED})
    took = bool(known & {Heard.FROZEN, Heard.CONFIRMED})
    if aim in (Aim.RELEASE, Aim.REVERSE):
        return Step.UNDO if took else Step.ENDED
    if lacking:
        return Step.UNDO if took else Step.REFUSE if aim is Aim.FREEZE else Step.ENDED
    if aim is Aim.FREEZE:
        return Step.FROZEN if known == {Heard.FROZEN} else Step.UNDO
    return Step.CONFIRMED if known == {Heard.CONFIRMED} else Step.CONFIRM
