"""Links: residents' accounts at a town, linked and unlinked by the resident.

Owns: link, link_grant, link_attempt
Reads: nothing
Never: shows a token or a resident's identity to anything but the corridor that sends it, keeps a grant that has ended

A link is evidence and stays; its grant (the town's name for the resident, the refresh token) is sealed, and goes when the town
was told that it ended. An attempt lives for minutes, and its `state` is good for one return.
"""

from gateway.links.attempts import (
    Attempt,
    count_attempts,
    delete_old_attempts,
    expire_attempts,
    insert_attempt,
    is_entry_used,
    mark_outcome,
    take_attempt,
)
from gateway.links.grants import (
    Held,
    Link,
    delete_grant,
    end_link,
    find_ended_grant,
    find_link,
    insert_link,
    list_accounts,
    list_ended_grants,
    list_grants_to_renew,
    list_histories,
    lock_grant,
    write_history,
    write_renewed,
)
from gateway.links.history import list_happenings

__all__ = [
    "Attempt",
    "Held",
    "Link",
    "count_attempts",
    "delete_grant",
    "delete_old_attempts",
    "end_link",
    "expire_attempts",
    "find_ended_grant",
    "find_link",
    "insert_attempt",
    "insert_link",
    "is_entry_used",
    "list_accounts",
    "list_ended_grants",
    "list_grants_to_renew",
    "list_happenings",
    "list_histories",
    "lock_grant",
    "mark_outcome",
    "take_attempt",
    "write_history",
    "write_renewed",
]
