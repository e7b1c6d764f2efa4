"""Day files that were taken: what each said, what became of its items, and which days are still to be asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import orjson

from gateway.db import Row, Transaction, load_queries
from schemas.records import RecordBody, RecordDraft, RowFault
from schemas.values import TownCode, instant_text

queries = load_queries(__file__)

KIND = "day_file"
OVER_CAP_KEPT = 100
MOST_DAYS = 31  # made up for in one run


class TakenFile(NamedTuple):
    """A row of `day_file`. Points in 1/100; `over_cap` holds [reference, activity, points, cap]."""

    town: TownCode
    accounting_on: date
    file_sha256: bytes
    item_count: int
    points_centi: int
    accepted_count: int
    duplicate_count: int
    conflict_count: int
    quarantined_count: int
    rejected_count: int
    over_cap: Sequence[Sequence[Any]]
    taken_at: datetime


def insert_day_file(tx: Transaction, taken: TakenFile) -> RecordDraft | None:
    """Write the row; the record to append, or None when this file of this day stands already."""
    values = {**taken._asdict(), "over_cap_count": len(taken.over_cap)}
    values["over_cap"] = orjson.dumps(list(taken.over_cap[:OVER_CAP_KEPT])).decode()
    if not tx.run(queries.insert_day_file, values):
        return None
    row = tx.one(queries.find_day_file, taken._asdict())
    return RecordDraft(KIND, _row_id(row), _body(row))


def find_day_file(tx: Transaction, town: TownCode, on: date, file_sha256: bytes) -> Row | None:
    """The row of this very file, or None."""
    return tx.find(queries.find_day_file, {"town": town, "accounting_on": on, "file_sha256": file_sha256})


def list_day_files(tx: Transaction, town: TownCode, limit: int = 400) -> list[Row]:
    """Files taken, latest day first."""
    return tx.all(queries.list_day_files, {"town": town, "limit": limit})


def list_days_due(tx: Transaction, town: TownCode, until_on: date) -> list[date]:
    """Days up to `until_on` of which no file was taken, oldest first; the first time a town is asked, that day alone."""
    tx.run(queries.begin_day_files, {"town": town, "on": until_on})
    params = {"town": town, "until_on": until_on, "limit": MOST_DAYS}
    return [on for (on,) in tx.tuples(queries.list_days_due, params)]


def _row_id(row: Any) -> str:
    return f"{row.town} {row.accounting_on.isoformat()} {bytes(row.file_sha256).hex()}"


def _body(row: Any) -> RecordBody:
    return {
        "town": row.town,
        "accounting_on": row.accounting_on.isoformat(),
        "file_sha256": bytes(row.file_sha256).hex(),
        "item_count": row.item_count,
        "points_centi": row.points_centi,
        "accepted_count": row.accepted_count,
        "duplicate_count": row.duplicate_count,
        "conflict_count": row.conflict_count,
        "quarantined_count": row.quarantined_count,
        "rejected_count": row.rejected_count,
        "over_cap_count": row.over_cap_count,
        "over_cap": row.over_cap,
        "taken_at": instant_text(row.taken_at),
    }


class DayFileRestater:
    """Restater of kind day_file. See schemas.records.Restater."""

    kind = KIND

    def list_row_ids(self, tx: Any, after: str, limit: int) -> list[str]:
        return [row.row_id for row in tx.all(queries.list_day_file_ids, {"after": after, "limit": limit})]

    def restate(self, tx: Any, row_ids: Sequence[str]) -> Mapping[str, RecordBody]:
        rows = tx.all(queries.restate_day_files, {"row_ids": list(row_ids)})
        return {row.row_id: _body(row) for row in rows}

    def explain(self, tx: Any, row_id: str, recorded: RecordBody) -> list[RowFault]:
        return [
            RowFault("day_file", row_id, column, str(recorded.get(column)), str(value))
            for column, value in self.restate(tx, [row_id]).get(row_id, {}).items()
            if recorded.get(column) != value
        ]
