"""Redemptions: points for goods at a branch, from the basket to the hand-over or back.

Owns: redemption, redemption_edge, redemption_line, redemption_leg, redemption_event
Reads: good, hold, transfer
Never: an account at a town in the clear (a town asks by code or id number: the corridor reads it anew), a state without an event
"""

from gateway.redemptions.faults import list_faults
from gateway.redemptions.history import list_happenings, list_of_clerk
from gateway.redemptions.keeping import (
    LegNews,
    NewLeg,
    NewRedemption,
    Taken,
    claim_lapsed,
    claim_overdue,
    find_by_key,
    find_redemption,
    insert_redemption,
    list_branch,
    list_events,
    list_frozen_at,
    list_lines,
    list_of_person,
    list_taken,
    list_timelines,
    lock_person,
    lock_redemption,
    mark_legs,
    mark_moved,
    move_redemption,
)
from gateway.redemptions.opening import list_redemption_ids, open_redemptions
from gateway.redemptions.states import EDGES, RedemptionEvent, Step, next_state, plan

__all__ = [
    "EDGES",
    "LegNews",
    "NewLeg",
    "NewRedemption",
    "RedemptionEvent",
    "Step",
    "Taken",
    "claim_lapsed",
    "claim_overdue",
    "find_by_key",
    "find_redemption",
    "insert_redemption",
    "list_branch",
    "list_events",
    "list_faults",
    "list_frozen_at",
    "list_happenings",
    "list_lines",
    "list_of_clerk",
    "list_of_person",
    "list_redemption_ids",
    "list_taken",
    "list_timelines",
    "lock_person",
    "lock_redemption",
    "mark_legs",
    "mark_moved",
    "move_redemption",
    "next_state",
    "open_redemptions",
    "plan",
]
