"""Posted lists and their corrections: what stands of a quarter, and the row that says what a town was told."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from gateway.db import Row, Transaction, int_array, load_queries
from schemas.records import RecordBody, RecordDraft, RowFault
from schemas.values import TownCode, instant_text

queries = load_queries(__file__)

KIND = "scoreboard"
LIST, CORRECTION = "list", "correction"


class Quarter(NamedTuple):
    """One quarter of one village: what a list speaks of."""

    town: TownCode
    village: str
    period: str


class Standing(NamedTuple):
    """A line (award or deduction) or a posted score that nothing has taken back."""

    holder_id: int
    item_code: str
    reference: str
    kind: str
    category: str
    points_centi: int
    occurred_on: date
    occurred_at: datetime
    batch_id: UUID


class NewScoreboard(NamedTuple):
    """The row of a list or correction. `answers` is [[item…], lines added, lines reversed, [codes…]]."""

    batch_id: UUID
    quarter: Quarter
    kind: str
    document_no: str
    reading: int
    rule_book: str
    objection_no: str
    posted_at: datetime
    received_at: datetime
    applied: bool
    content_digest: bytes
    answers: list[Any]


def lock_quarter(tx: Transaction, quarter: Quarter) -> None:
    """Hold the quarter of a village until the transaction ends: two lists of it are applied one after the other."""
    tx.run(queries.lock_quarter, quarter._asdict())


def find_scoreboard(tx: Transaction, town: TownCode, kind: str, document_no: str) -> Row | None:
    """The latest reading of a list or correction (batch_id, reading, applied, content_digest, answers, receipt, …)."""
    return tx.find(queries.find_scoreboard, {"town": town, "kind": kind, "document_no": document_no})


def find_latest_posted(tx: Transaction, quarter: Quarter) -> datetime | None:
    """When the newest list or correction that stands was posted; None: none was."""
    latest: datetime | None = tx.one(queries.find_latest_posted, quarter._asdict()).posted_at
    return latest


def list_waiting_lists(tx: Transaction, town: TownCode, limit: int, *, now: datetime) -> list[Row]:
    """Lists with entries in quarantine (`item_nos`), oldest first."""
    return tx.all(queries.list_waiting_lists, {"town": town, "limit": limit, "now": now})


def find_newer(
    tx: Transaction, quarter: Quarter, document_no: str, posted_at: datetime, batch_id: UUID
) -> UUID | None:
    """The newest list of the quarter that was posted after this one; None: there is none."""
    said = {"document_no": document_no, "posted_at": posted_at, "batch_id": batch_id}
    row = tx.find(queries.find_newer, {**quarter._asdict(), **said})
    return row.batch_id if row else None


def is_listed(tx: Transaction, quarter: Quarter, list_no: str) -> bool:
    """Whether a list of this number was applied to the quarter."""
    return tx.find(queries.find_list, {**quarter._asdict(), "document_no": list_no}) is not None


def list_listed(tx: Transaction, quarter: Quarter) -> set[int]:
    """Holders whose score of the quarter stands by a list of this village: one who moved stands by the other village's."""
    return {holder for (holder,) in tx.tuples(queries.list_listed, quarter._asdict())}


def list_standing(tx: Transaction, quarter: Quarter, holder_ids: Iterable[int]) -> list[Standing]:
    """Everything that stands of the quarter of these holders."""
    params = {**quarter._asdict(), "holder_ids": int_array(sorted(holder_ids))}
    return [Standing(*row) for row in tx.tuples(queries.list_standing, params)]


def insert_scoreboard(tx: Transaction, new: NewScoreboard) -> RecordDraft:
    """Write the row; the record to append."""
    values = {**new._asdict(), **new.quarter._asdict(), "answers": orjson.dumps(new.answers).decode()}
    del values["quarter"]
    row = tx.one(queries.insert_scoreboard, values)
    return RecordDraft(KIND, str(new.batch_id), _body(row))


def _body(row: Any) -> RecordBody:
    return {
        "town": row.town,
        "kind": row.kind,
        "document_no": row.document_no,
        "reading": row.reading,
        "village": row.village,
        "period": row.period,
        "rule_book": row.rule_book,
        "objection_no": row.objection_no,
        "posted_at": instant_text(row.posted_at),
        "received_at": instant_text(row.received_at),
        "applied": row.applied,
        "content_digest": bytes(row.content_digest).hex(),
        "answers_sha256": _sha256(row.answers),
    }


def _sha256(answers: Any) -> str:
    return hashlib.sha256(orjson.dumps(answers)).hexdigest()


class ScoreboardRestater:
    """Restater of kind scoreboard."""

    kind = KIND

    def list_row_ids(self, tx: Transaction, after: str, limit: int) -> list[str]:
        return [r for (r,) in tx.tuples(queries.list_scoreboard_ids, {"after": after, "limit": limit})]

    def restate(self, tx: Transaction, row_ids: Sequence[str]) -> Mapping[str, RecordBody]:
        rows = tx.all(queries.restate_scoreboards, {"row_ids": list(row_ids)})
        return {row.row_id: _body(row) for row in rows}

    def explain(self, tx: Transaction, row_id: str, recorded: RecordBody) -> list[RowFault]:
        now = self.restate(tx, [row_id]).get(row_id, {})
        return [
            RowFault("scoreboard", f"batch_id {row_id}", column, str(recorded.get(column)), str(value))
            for column, value in now.items()
            if recorded.get(column) != value
        ]
