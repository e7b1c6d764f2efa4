"""A branch's day: what hinders its closing, what went over the counter in it, and the rows that close it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from gateway.closings.restate import LINE, day_records, town_totals
from gateway.db import Row, Transaction, load_queries
from schemas.records import RecordBody, RecordDraft, RowFault
from schemas.values import BEIJING

queries = load_queries(__file__)
FAULT_LIMIT = 100


class NewDay(NamedTuple):
    """A day about to be closed."""

    day_id: UUID
    branch_no: str
    accounting_on: date
    count_id: UUID | None
    signed_by: UUID
    teller_no: str


def day_bounds(on: date) -> dict[str, datetime]:
    """The instants between which a day lies in Asia/Shanghai: from (included), until (excluded)."""
    begin = datetime(on.year, on.month, on.day, tzinfo=BEIJING)
    return {"from_at": begin, "until_at": begin + timedelta(days=1)}


def lock_branch(tx: Transaction, branch_no: str) -> None:
    """Until the transaction ends nothing moves at the branch: for whoever closes its day."""
    tx.run(queries.lock_branch, {"branch_no": branch_no})


def share_branch(tx: Transaction, branch_no: str) -> None:
    """Until the transaction ends the branch's day is not closed: for whoever moves goods or serves a resident."""
    tx.later(queries.share_branch, {"branch_no": branch_no})


def is_shut(tx: Transaction, branch_no: str, on: date) -> bool:
    """Whether this day of the branch, or a later one, is closed."""
    return bool(tx.one(queries.is_shut, {"branch_no": branch_no, "on": on}).shut)


def find_day(tx: Transaction, branch_no: str, on: date) -> Row | None:
    """Rows (day_id, branch_no, accounting_on, count_id, signed_by, teller_no, closed_at)."""
    return tx.find(queries.find_day, {"branch_no": branch_no, "on": on})


def find_last_day(tx: Transaction, branch_no: str) -> Row | None:
    """The latest closed day of the branch."""
    return tx.find(queries.find_last_day, {"branch_no": branch_no})


def list_days(tx: Transaction, branch_no: str, limit: int = 31) -> list[Row]:
    """Closed days, newest first, with given_count, back_count and net_fen."""
    return tx.all(queries.list_days, {"branch_no": branch_no, "limit": limit})


def find_first_open(tx: Transaction, branch_no: str, *, after: date | None) -> date | None:
    """The earliest day after `after` (None: ever) on which goods moved at the branch; None when none did."""
    since = day_bounds(after)["until_at"] if after else datetime(2000, 1, 1, tzinfo=BEIJING)
    found: date | None = tx.one(
        queries.find_first_open, {"branch_no": branch_no, "since": since}
    ).accounting_on
    return found


def list_pending(tx: Transaction, branch_no: str, on: date, limit: int = 500) -> list[Row]:
    """Redemptions of that day or before whose end is open, oldest first: (redemption_id, serial, teller_no, state, opened_at)."""
    return tx.all(queries.list_pending, {"branch_no": branch_no, "on": on, "limit": limit})


def list_uncounted(
    tx: Transaction, branch_no: str, on: date, *, since: datetime | None, limit: int = 20
) -> list[Row]:
    """Goods (code, name_zh, name_en) that came or went by the end of that day and after `since`, the last count."""
    params = {"branch_no": branch_no, "since": since, "limit": limit, **day_bounds(on)}
    return tx.all(queries.list_uncounted, params)


def preview_lines(tx: Transaction, branch_no: str, on: date) -> list[Row]:
    """What went over the counter, from redemptions: town, good, price, what the town pays, and the three counts."""
    return tx.all(queries.preview_lines, {"branch_no": branch_no, **day_bounds(on)})


def preview_stock(tx: Transaction, branch_no: str, on: date) -> list[Row]:
    """The register of the day by good, from stock and movements."""
    return tx.all(queries.preview_stock, {"branch_no": branch_no, **day_bounds(on)})


def insert_day(tx: Transaction, new: NewDay, *, now: datetime) -> list[RecordDraft]:
    """Close the day: its row, its lines, its register; the record to append. Raises ConflictError for a day closed before."""
    params = {**new._asdict(), "now": now, **day_bounds(new.accounting_on)}
    tx.run(queries.insert_day, params)
    tx.run(queries.insert_day_lines, params)
    tx.run(queries.insert_day_stock, params)
    return day_records(tx, [str(new.day_id)])


def list_day_lines(tx: Transaction, day_id: UUID) -> list[Row]:
    """Rows (town, good_id, code, name_zh, name_en, price_centi, settle_fen, given_count, returned_count, corrected_count)."""
    return tx.all(queries.list_day_lines, {"day_id": day_id})


def day_totals(lines: Sequence[Row]) -> list[RecordBody]:
    """What lines come to by town: given_count, back_count, points_centi, amount_fen, net of what came back."""
    return town_totals([[getattr(line, column) for column in LINE] for line in lines])


def list_day_stock(tx: Transaction, day_id: UUID) -> list[Row]:
    """Rows (good_id, code, name_zh, name_en, opening_count, …, closing_count)."""
    return tx.all(queries.list_day_stock, {"day_id": day_id})


def list_day_faults(tx: Transaction) -> list[RowFault]:
    """Closed days whose lines are not what redemptions say, or into which goods moved afterwards."""
    found = [
        RowFault(
            "branch_day_line",
            f"day_id {row.day_id}, town {row.town}, good_id {row.good_id}",
            "given_count",
            f"{row.given}/{row.returned}/{row.corrected}",
            f"redemptions give {row.now_given}/{row.now_returned}/{row.now_corrected}",
        )
        for row in tx.all(queries.list_line_faults, {"limit": FAULT_LIMIT})
    ]
    return found + [
        RowFault(
            "branch_day_stock",
            f"day_id {row.day_id}, good_id {row.good_id}",
            "closing_count",
            str(row.closing_count),
            f"the register comes to {row.moved}",
        )
        for row in tx.all(queries.list_stock_faults, {"limit": FAULT_LIMIT})
    ]
