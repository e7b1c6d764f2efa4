"""Which state of an objection follows which, on what event. PostgreSQL holds the same (objection_edge) and refuses the rest."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from schemas.errors import ConflictError
from schemas.objections import ObjectionState

S = ObjectionState


class ObjectionEvent(StrEnum):
    """What can happen to an objection."""

    EXTENDED = "extended"  # the longer term, once, with a reason
    DECIDED_AGAIN = "decided_again"  # a person let the rules be applied anew, and looked at the result
    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"
    REFUSAL_ENDED = "refusal_ended"  # the resident lets the machine decide again


E = ObjectionEvent

#: (state, event) → the state that follows. What is not here is refused.
EDGES: Mapping[tuple[ObjectionState, ObjectionEvent], ObjectionState] = MappingProxyType(
    {
        (S.OPEN, E.EXTENDED): S.EXTENDED,
        (S.OPEN, E.DECIDED_AGAIN): S.REVIEWED,
        (S.EXTENDED, E.DECIDED_AGAIN): S.REVIEWED,
        (S.REVIEWED, E.DECIDED_AGAIN): S.REVIEWED,
        (S.OPEN, E.ANSWERED): S.ANSWERED,
        (S.EXTENDED, E.ANSWERED): S.ANSWERED,
        (S.REVIEWED, E.ANSWERED): S.ANSWERED,
        (S.OPEN, E.WITHDRAWN): S.WITHDRAWN,
        (S.EXTENDED, E.WITHDRAWN): S.WITHDRAWN,
        (S.REVIEWED, E.WITHDRAWN): S.WITHDRAWN,
        (S.ANSWERED, E.DECIDED_AGAIN): S.ANSWERED,  # while a refusal stands, a person decides each time
        (S.ANSWERED, E.REFUSAL_ENDED): S.ENDED,
    }
)

#: States in which a term runs.
PENDING = frozenset({S.OPEN, S.EXTENDED, S.REVIEWED})


def next_state(state: ObjectionState, event: ObjectionEvent) -> ObjectionState:
    """The state after `event`. Raises ConflictError for an edge that does not exist."""
    try:
        return EDGES[(state, event)]
    except KeyError:
        raise ConflictError(
            f"an objection that is {state} cannot have the event {event}",
            code="illegal-objection-edge",
            where="objection.state",
            value=str(state),
        ) from None
