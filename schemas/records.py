"""Records of the log: what a room says happened, and how verification says it again from the rows.

A record's body is a *pure function of rows*: a room that writes one offers a `Restater` that recomputes it.
Verification compares the two, so a changed, removed or added row is found even though rows and log live in
the same database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

RecordBody = dict[
    str, Any
]  # strings, integers, booleans, null, lists, objects with ASCII keys (schemas.canonical)

#: Version of the envelope in which a body is stored: {"body", "kind", "recorded_at", "row_id", "v"}.
RECORD_VERSION = 1
#: A record's stored bytes never exceed this: an entry of a tile bundle is at most 65 535 bytes (C2SP
#: tlog-tiles).
MAX_RECORD_BYTES = 60_000


class RecordDraft(NamedTuple):
    """What a room wants in the log. `row_id` names the row the record speaks of; (kind, row_id) occurs once
    for ever.

    No personal data, not even a digest of it that could be guessed: a salted commitment at most.
    """

    kind: str  # snake_case, e.g. 'contribution_batch'
    row_id: str
    body: RecordBody


class RowFault(NamedTuple):
    """One row that does not agree with what was recorded of it. Never personal data: digests and ids only."""

    table: str
    row: str  # which row, e.g. 'batch_id 0190…, item_no 17'
    column: str | None  # None: the whole row is missing or one too many
    recorded: str | None  # what the log says
    found: str | None  # what the row says

    def __str__(self) -> str:
        where = f"{self.table} ({self.row})" + (f" column {self.column}" if self.column else "")
        return f"{where}: the log says {self.recorded or 'nothing'}, the row says {self.found or 'nothing'}"


class Restater(Protocol):
    """Says a record of one kind again, from rows. Implemented by the room that owns the rows (`restate.py`,
    RESTATERS).

    Runs as the read-only auditor role, so it uses no key and writes nothing. `tx` is a
    gateway.db.Transaction.
    """

    @property
    def kind(self) -> str:
        """The record kind."""

    def list_row_ids(self, tx: Any, after: str, limit: int) -> list[str]:
        """Row ids of *every* row that must have a record of this kind, ascending, after `after` ('' is the
        start), at most `limit`. Read from the room's own tables, never from `record`, so that a row without
        a record is found."""

    def restate(self, tx: Any, row_ids: Sequence[str]) -> Mapping[str, RecordBody]:
        """The bodies recomputed from the rows, in one set-based pass; a row that does not exist is a missing
        key."""

    def explain(self, tx: Any, row_id: str, recorded: RecordBody) -> list[RowFault]:
        """Called for a body that differs: name the exact rows and columns. May return [] when it cannot say
        more."""
