"""Verification, first half: rows against records, records against leaves. Reads in pieces, so memory stays bounded."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from gateway.db import Transaction, load_queries
from gateway.translog.findings import Findings
from gateway.translog.merkle import HASH_BYTES, leaf_hash
from gateway.translog.records import says_the_same
from schemas.records import RECORD_VERSION, RecordBody, Restater
from schemas.values import instant_text

queries = load_queries(__file__)

PIECE = 2500  # records held at a time: usually below 5 MB, never above 150
MAX_ROWS = 20_000  # rows behind the records restated at once, where a record speaks of many
MAX_NAMED = 20  # faults named of one kind or one record
_RESTORE = (
    "compare with the newest backup from before the change and find out who could write to the database"
)
_ENVELOPE = {"body", "kind", "recorded_at", "row_id", "v"}


class Restaters(NamedTuple):
    """Restaters by record kind; for kinds whose records speak of many rows, the body's field that says how many."""

    by_kind: Mapping[str, Restater]
    row_counts: Mapping[str, str] = {}


class Stored(NamedTuple):
    """A record as it stands, with its place (None while it waits)."""

    position: int | None
    record_id: str
    leaf_hash: bytes | None
    kind: str
    row_id: str
    recorded_at: str  # as instant_text gives it
    body: bytes

    def where(self) -> str:
        """Which record, in words."""
        place = "waiting" if self.position is None else f"leaf {self.position}"
        return f"{place}, record {self.record_id} ({self.kind} {self.row_id})"


class Readable(NamedTuple):
    """A record whose bytes, leaf and columns agree, and what it says."""

    stored: Stored
    recorded: RecordBody


def audit_leaves(tx: Transaction, restaters: Restaters, findings: Findings, leaves: int) -> None:
    """Every leaf: its record, its hash over the stored bytes, its position; and the record against its rows."""
    unknown: Counter[str] = Counter()
    last = -1
    while rows := tx.tuples(queries.list_leaves_with_records, {"after": last, "limit": PIECE}):
        readable = []
        for position, record_id, hashed, kind, row_id, recorded_at, body in rows:
            if position != last + 1:
                _note_gap(findings, last + 1, position)
            last = position
            if body is None:
                findings.add(
                    "record-missing",
                    "A leaf's record is gone or has another id",
                    where=f"leaf {position}",
                    value=f"no record {record_id}",
                    remedy=_RESTORE,
                )
                continue
            stored = Stored(
                position, record_id, bytes(hashed), kind, row_id, instant_text(recorded_at), bytes(body)
            )
            recorded = _read(tx, stored, findings)
            if recorded is not None:
                readable.append(Readable(stored, recorded))
        _compare(tx, restaters, readable, findings, unknown)
        findings.count("leaves", len(rows))
        findings.show("records and rows", findings.checked["leaves"], leaves)
    _note_unknown(findings, unknown)


def audit_waiting(
    tx: Transaction,
    restaters: Restaters,
    findings: Findings,
    *,
    now: datetime,
    late_after_s: int,
) -> None:
    """Every record without a leaf: it waits in the queue, not for too long, and agrees with its rows."""
    unknown: Counter[str] = Counter()
    after = -(2**62)
    while rows := tx.tuples(queries.list_pending_with_records, {"after": after, "limit": PIECE}):
        after = rows[-1][0]
        readable = []
        for _, record_id, position, kind, row_id, recorded_at, body, queued_at in rows:
            if not _waits_rightly(findings, record_id, position, body, queued_at == recorded_at):
                continue
            stored = Stored(None, record_id, None, kind, row_id, instant_text(recorded_at), bytes(body))
            age_s = (now - recorded_at).total_seconds()
            if age_s > late_after_s:
                findings.add(
                    "seal-late",
                    "A record has waited too long for its leaf",
                    where=stored.where(),
                    value=f"{age_s:.0f} s old",
                    remedy="start the jobs process or run `gateway log seal`, then verify again",
                )
            recorded = _read(tx, stored, findings)
            if recorded is not None:
                readable.append(Readable(stored, recorded))
        _compare(tx, restaters, readable, findings, unknown)
        findings.count("records waiting", len(rows))
    _note_unknown(findings, unknown)


def audit_nowhere(tx: Transaction, findings: Findings) -> None:
    """Name records that have neither a leaf nor a place in the queue. Call it when the counts say there are some."""
    for record_id, kind, row_id in tx.tuples(queries.list_records_nowhere, {"limit": MAX_NAMED}):
        findings.add(
            "record-without-leaf",
            "A record has no leaf and does not wait for one: it was inserted past the log, or its leaf was removed",
            where=f"record {record_id} ({kind} {row_id})",
            value="no leaf, no place in the queue",
            remedy=_RESTORE,
        )


def audit_unrecorded(tx: Transaction, restaters: Restaters, findings: Findings) -> None:
    """Every row that must have a record has one."""
    for kind, restater in sorted(restaters.by_kind.items()):
        tx.run(queries.set_savepoint)
        try:
            _audit_rows_of(tx, restater, findings)
        except Exception as exc:  # a changed row may break the room's own query: a finding, not a crash
            tx.run(queries.back_to_savepoint)
            findings.add(
                "rows-unlistable",
                "The rows that must have records cannot be listed",
                where=f"rows of {kind}",
                value=type(exc).__name__,
                remedy=_RESTORE,
            )
        tx.run(queries.drop_savepoint)


def _audit_rows_of(tx: Transaction, restater: Restater, findings: Findings) -> None:
    after = ""
    while row_ids := restater.list_row_ids(tx, after, PIECE):
        if len(set(row_ids)) != len(row_ids) or row_ids[-1] == after:
            raise ValueError(f"the restater of {restater.kind} does not list its row ids in order, each once")
        after = row_ids[-1]
        for (row_id,) in tx.tuples(queries.list_unrecorded, {"kind": restater.kind, "row_ids": row_ids}):
            findings.add(
                "row-without-record",
                "A row has no record: it was inserted past the gateway, or its record was removed",
                where=f"{restater.kind} {row_id}",
                value="no record",
                remedy=_RESTORE,
            )
        findings.count("rows looked up in the log", len(row_ids))
        findings.show(f"rows of {restater.kind}", findings.checked["rows looked up in the log"], 0)


def _note_gap(findings: Findings, first: int, found: int) -> None:
    findings.add(
        "leaf-missing",
        "Leaves are missing, or one was moved",
        where=f"leaf {first}" if found == first + 1 else f"leaves {first} to {found - 1}",
        value=f"the next leaf stands at {found}",
        remedy=_RESTORE,
    )


def _waits_rightly(
    findings: Findings, record_id: str, position: int | None, body: Any, same_time: bool
) -> bool:
    wrong = None
    if body is None:
        wrong = "there is no such record"
    elif position is not None:
        wrong = f"it already has leaf {position}"
    elif not same_time:
        wrong = "the queue says another recording time than the record"
    if wrong:
        findings.add(
            "queue-wrong",
            "The queue of unsealed records was changed",
            where=f"record {record_id} in record_pending",
            value=wrong,
            remedy=_RESTORE,
        )
    return wrong is None


def _read(tx: Transaction, stored: Stored, findings: Findings) -> RecordBody | None:
    """What the record says, when leaf, bytes and columns agree; None (and a fault) otherwise."""
    if stored.leaf_hash is not None and leaf_hash(stored.body) != stored.leaf_hash:
        findings.add(
            "leaf-differs",
            "A record's stored bytes are not those that were sealed",
            where=stored.where(),
            value=_which_changed(tx, stored),
            remedy=_RESTORE,
        )
        return None
    try:
        envelope = orjson.loads(stored.body)
    except orjson.JSONDecodeError:
        envelope = None
    if not isinstance(envelope, dict) or envelope.keys() != _ENVELOPE or envelope["v"] != RECORD_VERSION:
        findings.add(
            "record-unreadable",
            "A record is not an envelope this version knows",
            where=stored.where(),
            value=f"{len(stored.body)} bytes",
            remedy=_RESTORE,
        )
        return None
    for column, found in (
        ("kind", stored.kind),
        ("row_id", stored.row_id),
        ("recorded_at", stored.recorded_at),
    ):
        if envelope[column] != found:
            findings.add(
                "record-column-differs",
                f"A record's column {column} was changed: its sealed bytes say otherwise",
                where=stored.where(),
                value=f"column {found!r}, sealed {envelope[column]!r}",
                remedy=_RESTORE,
            )
            return None
    recorded: RecordBody = envelope["body"]
    return recorded


def _which_changed(tx: Transaction, stored: Stored) -> str:
    """The tile above is a third witness: it says whether the record or the leaf was changed."""
    assert stored.position is not None
    assert stored.leaf_hash is not None
    found = tx.tuples(queries.list_full_tiles, {"levels": [0], "indexes": [stored.position // 256]})
    if not found:
        return "the record's body or the leaf's leaf_hash was changed (no full tile above says which)"
    at = stored.position % 256 * HASH_BYTES
    in_tile = bytes(found[0][2])[at : at + HASH_BYTES]
    if in_tile == stored.leaf_hash:
        return "record.body was changed: leaf and tile agree with each other"
    if in_tile == leaf_hash(stored.body):
        return "leaf.leaf_hash was changed: record and tile agree with each other"
    return "record, leaf and tile all say different things"


def _compare(
    tx: Transaction,
    restaters: Restaters,
    readable: Iterable[Readable],
    findings: Findings,
    unknown: Counter[str],
) -> None:
    by_kind: defaultdict[str, list[Readable]] = defaultdict(list)
    for one in readable:
        by_kind[one.stored.kind].append(one)
    for kind, group in by_kind.items():
        restater = restaters.by_kind.get(kind)
        if restater is None:
            unknown[kind] += len(group)
            continue
        for few in _few_rows(group, restaters.row_counts.get(kind)):
            _compare_few(tx, restater, few, findings)


def _compare_few(tx: Transaction, restater: Restater, few: list[Readable], findings: Findings) -> None:
    bodies = _restate(tx, restater, [one.stored.row_id for one in few], findings)
    findings.count("records restated from rows", len(few))
    for one in few:
        found = bodies.get(one.stored.row_id)
        if found is None:
            if one.stored.row_id not in bodies:
                _note_row_missing(findings, one.stored)
        elif not says_the_same(
            one.stored.body, one.stored.kind, one.stored.row_id, one.stored.recorded_at, found
        ):
            _explain(tx, restater, one, found, findings)


def _few_rows(group: list[Readable], row_count: str | None) -> Iterator[list[Readable]]:
    """Cut where the rows behind the records would become too many to hold; `row_count` is the field that says how many."""
    few: list[Readable] = []
    rows = 0
    for one in group:
        behind = one.recorded.get(row_count, 1) if row_count else 1
        behind = behind if isinstance(behind, int) else 1
        if few and rows + behind > MAX_ROWS:
            yield few
            few, rows = [], 0
        few.append(one)
        rows += behind
    yield few


def _restate(
    tx: Transaction, restater: Restater, row_ids: Sequence[str], findings: Findings
) -> dict[str, RecordBody | None]:
    """Bodies by row id. Rows so wrong that they cannot be read at all are found by halving, named, and given None."""
    tx.run(queries.set_savepoint)
    try:
        bodies: dict[str, RecordBody | None] = dict(restater.restate(tx, row_ids))
        tx.run(queries.drop_savepoint)
        return bodies
    except Exception as exc:  # a changed row may hold anything; whatever it breaks is a finding, not a crash
        tx.run(queries.back_to_savepoint)
        tx.run(queries.drop_savepoint)
        if len(row_ids) > 1:
            half = len(row_ids) // 2
            return _restate(tx, restater, row_ids[:half], findings) | _restate(
                tx, restater, row_ids[half:], findings
            )
        findings.add(
            "row-unreadable",
            "A row cannot be read as what it must be",
            where=f"{restater.kind} {row_ids[0]}",
            value=type(exc).__name__,
            remedy=_RESTORE,
        )
        return {row_ids[0]: None}


def _explain(
    tx: Transaction, restater: Restater, one: Readable, found: RecordBody, findings: Findings
) -> None:
    tx.run(queries.set_savepoint)
    try:
        faults = [str(fault) for fault in restater.explain(tx, one.stored.row_id, one.recorded)]
    except Exception:  # as above: the general comparison below still names the place
        tx.run(queries.back_to_savepoint)
        faults = []
    tx.run(queries.drop_savepoint)
    for value in faults[:MAX_NAMED] or [first_difference(one.recorded, found)]:
        findings.add(
            "row-differs",
            "A row no longer says what was recorded of it",
            where=one.stored.where(),
            value=value,
            remedy=_RESTORE,
        )


def first_difference(recorded: Any, found: Any, path: str = "$") -> str:
    """Where two JSON values differ first, in words."""
    if isinstance(recorded, dict) and isinstance(found, dict):
        for key in sorted(recorded.keys() | found.keys()):
            if recorded.get(key) != found.get(key) or (key in recorded) != (key in found):
                return first_difference(recorded.get(key), found.get(key), f"{path}.{key}")
    if isinstance(recorded, list) and isinstance(found, list) and len(recorded) == len(found):
        for index, (left, right) in enumerate(zip(recorded, found, strict=True)):
            if left != right:
                return first_difference(left, right, f"{path}[{index}]")
    return f"{path}: the log says {str(recorded)[:200]}, the rows say {str(found)[:200]}"


def _note_row_missing(findings: Findings, stored: Stored) -> None:
    findings.add(
        "row-missing",
        "A row that a record speaks of is gone",
        where=stored.where(),
        value="the record stands, the row does not",
        remedy=_RESTORE,
    )


def _note_unknown(findings: Findings, unknown: Counter[str]) -> None:
    for kind, number in sorted(unknown.items()):
        findings.add(
            "kind-not-restated",
            "Records of a kind that no room can say again from its rows",
            where=f"record kind {kind!r}",
            value=f"{number} records",
            remedy=f"give its room a restater (restate.py) and name the room in gateway/flows/_restaters.py; {_RESTORE}",
        )
