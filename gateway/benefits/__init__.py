"""Benefits: what was decided, what was proposed to the bank, what became of it, and what quota is left.

Owns: changed_subject, evaluation, swept_ruleset, decision, current_decision, proposal_edge, proposal, proposal_event,
    revocation, facility, quota, quota_use, quota_waiting
Reads: changed_batch, contribution, household, person, membership
Never: changes a decision, moves a proposal along an edge that is not in `states`, holds anything personal beyond ids

A proposal's state moves only because a row was written to proposal_event; PostgreSQL refuses every edge `states` does not have.
`claim_changes` takes rows out of changed_batch: the queue contributions fills and this room empties.
"""

from gateway.benefits.changes import (
    CORRECTED,
    Changed,
    claim_changes,
    count_changes,
    lock_subjects,
    mark_changed,
    mark_everybody,
    mark_swept,
)
from gateway.benefits.deciding import (
    Current,
    NewDecision,
    find_decision,
    insert_decisions,
    list_current,
    list_decided,
    list_decisions,
)
from gateway.benefits.facilities import (
    FacilityAnswer,
    claim_facilities,
    list_asked,
    list_facilities,
    postpone_facilities,
    put_facilities,
    remove_facilities,
    want_facilities,
)
from gateway.benefits.faults import list_faults
from gateway.benefits.opening import (
    find_last_decided_at,
    list_applicants_with_open,
    list_decision_ids_about,
    open_story,
)
from gateway.benefits.proposing import (
    Move,
    NewProposal,
    NewRevocation,
    count_states,
    insert_proposals,
    insert_revocations,
    list_open,
    list_open_of_applicants,
    list_proposals,
    list_proposals_of,
    list_replaced,
    list_revocations,
    lock_proposals,
    move_proposals,
    take_ending,
    take_starting,
)
from gateway.benefits.quotas import (
    Want,
    end_all_waiting,
    end_waiting,
    list_first_waiting,
    put_waiting,
    release_quota,
    take_quota,
)
from gateway.benefits.states import EDGES, ENDED, OPEN, ProposalEvent, next_state

__all__ = [
    "CORRECTED",
    "EDGES",
    "ENDED",
    "OPEN",
    "Changed",
    "Current",
    "FacilityAnswer",
    "Move",
    "NewDecision",
    "NewProposal",
    "NewRevocation",
    "ProposalEvent",
    "Want",
    "claim_changes",
    "claim_facilities",
    "count_changes",
    "count_states",
    "end_all_waiting",
    "end_waiting",
    "find_decision",
    "find_last_decided_at",
    "insert_decisions",
    "insert_proposals",
    "insert_revocations",
    "list_applicants_with_open",
    "list_asked",
    "list_current",
    "list_decided",
    "list_decision_ids_about",
    "list_decisions",
    "list_facilities",
    "list_faults",
    "list_first_waiting",
    "list_open",
    "list_open_of_applicants",
    "list_proposals",
    "list_proposals_of",
    "list_replaced",
    "list_revocations",
    "lock_proposals",
    "lock_subjects",
    "mark_changed",
    "mark_everybody",
    "mark_swept",
    "move_proposals",
    "next_state",
    "open_story",
    "postpone_facilities",
    "put_facilities",
    "put_waiting",
    "release_quota",
    "remove_facilities",
    "take_ending",
    "take_quota",
    "take_starting",
    "want_facilities",
]
