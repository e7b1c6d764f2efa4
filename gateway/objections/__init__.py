"""Objections: what residents ask or object to, by when they must be answered, how it ended, and who refuses a machine's decision.

Owns: objection, objection_event, workday_calendar, review_waiting
Reads: erasure
Never: words in the clear or in the log (sealed; a salted commitment), a due day without a calendar that reaches it, a state
    without an event
"""

from gateway.objections.calendars import (
    get_calendar,
    insert_calendar_year,
    packaged_years,
    read_calendar_year,
)
from gateway.objections.commitments import list_unopened
from gateway.objections.erasing import erase_words, find_last_event_at
from gateway.objections.keeping import (
    NewEvent,
    Objection,
    WordsOf,
    commitment_of,
    find_objection,
    insert_event,
    insert_objection,
    list_events,
    list_objections,
    list_of_person,
    list_refusing,
    lock_objection,
    measure,
    open_words,
    require_same,
)
from gateway.objections.letter import write_letter
from gateway.objections.opening import open_objections
from gateway.objections.reviews import end_reviews, list_reviews, put_reviews
from gateway.objections.states import EDGES, PENDING, ObjectionEvent, next_state

__all__ = [
    "EDGES",
    "PENDING",
    "NewEvent",
    "Objection",
    "ObjectionEvent",
    "WordsOf",
    "commitment_of",
    "end_reviews",
    "erase_words",
    "find_last_event_at",
    "find_objection",
    "get_calendar",
    "insert_calendar_year",
    "insert_event",
    "insert_objection",
    "list_events",
    "list_objections",
    "list_of_person",
    "list_refusing",
    "list_reviews",
    "list_unopened",
    "lock_objection",
    "measure",
    "next_state",
    "open_objections",
    "open_words",
    "packaged_years",
    "put_reviews",
    "read_calendar_year",
    "require_same",
    "write_letter",
]
