"""The outbox: what must be said to a neighbour, until it is sure what became of it.

Owns: outbox_message
Reads:
Never: personal data in a message; a second sending of anything that may have been heard (an inquiry comes first)

States: queued → sending → done, or → queued (nothing happened), → unknown (ask), → parked (needs a person). A message that was
'sending' when its process died is unknown. Messages of one lane are said one after another, in the order they were written.
"""

from gateway.outbox.messages import (
    Claimed,
    Ended,
    Later,
    NewMessage,
    Parked,
    abandon_messages,
    claim_due,
    claim_unknown,
    count_messages,
    doubt_lapsed,
    insert_messages,
    list_parked,
    lock_claimed,
    mark_ended,
    mark_parked,
    mark_queued,
    mark_unknown,
    postpone_inquiries,
    release_parked,
    wait_after,
)

__all__ = [
    "Claimed",
    "Ended",
    "Later",
    "NewMessage",
    "Parked",
    "abandon_messages",
    "claim_due",
    "claim_unknown",
    "count_messages",
    "doubt_lapsed",
    "insert_messages",
    "list_parked",
    "lock_claimed",
    "mark_ended",
    "mark_parked",
    "mark_queued",
    "mark_unknown",
    "postpone_inquiries",
    "release_parked",
    "wait_after",
]
