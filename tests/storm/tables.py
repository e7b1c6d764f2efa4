"""Which tables verification covers, and why the others need no covering. A test holds the list to the tables there are.

*Evidence* is not listed: it is every table that a restater reads, so a new kind of record is vandalised the day it is written.
"""

from __future__ import annotations

from collections.abc import Mapping

#: The log itself: nobody restates it, and a change of it must be found all the same.
LOG = ("record", "record_pending", "leaf", "tile", "checkpoint", "cosignature", "cosignature_count")
#: What is derived from rows: compared with them by the rooms' `list_faults`.
DERIVED = ("month_sum", "account", "transfer", "hold", "stock", "quota")
#: Rows whose change falsifies nothing that was recorded, and why. What was decided from them stands in the decision's facts.
WORKING: Mapping[str, str] = {
    "assertion_used": "a token's assertion that was used: forgotten when it ends",
    "changed_batch": "a queue: whose facts changed",
    "changed_subject": "a queue: whose facts changed",
    "current_decision": "which decision is the newest: decisions themselves are evidence",
    "day_file_since": "from which day a town's files are asked for",
    "evaluation": "which decisions a sweep made: decisions themselves are evidence",
    "facility": "what the bank said last: the facts of each decision hold what was used",
    "feed": "how far a town's feed was read",
    "feed_gap": "numbers of a feed that have not come: raised while they stand",
    "good": "words and limits on the screen: prices and what was handed over are evidence",
    "hook_event": "which events came: they say only that something changed",
    "household": "a number and a village",
    "household_code": "which family a code names: each contribution says whose it is",
    "identifier": "keyed digests by which a person is found: with another nobody is found",
    "job_run": "operations' notes: outcomes that matter are records",
    "line_elsewhere": "an index of a scoreboard's lines",
    "link_attempt": "a linking under way",
    "link_grant": "a sealed token: changed, it does not open",
    "mark": "vetoes and honours: the facts of each decision hold what was used",
    "membership": "who belongs to which family: the facts of each decision hold whose points counted",
    "neighbour_breaker": "whether a neighbour is asked at the moment",
    "outbox_message": "what waits to be said: what was proposed and answered is evidence",
    "proposal_edge": "the same table stands in the code, and a test compares them",
    "review_waiting": "a queue: which decisions wait for a person",
    "quarantine_reading": "which adapter has read a quarantined item again",
    "quarantined_item": "kept and not posted: the batch's own digests say what was excepted",
    "quota_use": "derived from proposals, rebuilt by the next run",
    "quota_waiting": "a queue",
    "raw_push": "sealed bytes: changed, they do not open, and their digest stands in the batch",
    "reconciled_day": "which days were compared: each comparison is a record",
    "redemption_edge": "the same table stands in the code, and a test compares them",
    "soap_message_used": "a replay cache",
    "staff_secret": "digests of secrets: each change is a record",
    "staff_session": "sessions: sign-ins are records",
    "standing": "an index over identifiers, consents and memberships",
    "standing_version": "a counter that says when to read again",
    "statement_line": "a day of a town's own statement, to compare with",
    "swept_ruleset": "which ruleset was swept",
    "schema_migration": "the migrator's own, with the digest of each file",
}
