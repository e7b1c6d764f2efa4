"""Feeds: how far each town's change feed was read, which numbers are missing, and which events came.

Owns: feed, feed_gap, hook_event
Reads: nothing
Never: holds what a resident did, moves a cursor past something that was not stored, forgets a number that has not come
"""

from gateway.feeds.gaps import Gap, Passed, pass_page
from gateway.feeds.reading import (
    MOST_GAPS,
    Feed,
    count_gaps,
    delete_old_events,
    find_feed,
    insert_event,
    list_gaps,
    list_hook_subjects,
    list_missing,
    lock_feed,
    mark_asked_to_wait,
    mark_wanted,
    write_feed,
)

__all__ = [
    "MOST_GAPS",
    "Feed",
    "Gap",
    "Passed",
    "count_gaps",
    "delete_old_events",
    "find_feed",
    "insert_event",
    "list_gaps",
    "list_hook_subjects",
    "list_missing",
    "lock_feed",
    "mark_asked_to_wait",
    "mark_wanted",
    "pass_page",
    "write_feed",
]
