"""A town's month: lines from all branches' closed days, what the town's own books are met with, and the rows that settle it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from gateway.closings.days import day_bounds
from gateway.closings.restate import MONTH_LINE, month_records
from gateway.db import Row, Transaction, copy_text, load_queries
from schemas.canonical import canonical_sha256
from schemas.records import RecordDraft, RowFault
from schemas.values import TownCode, months_before

queries = load_queries(__file__)
FAULT_LIMIT = 100


class NewMonth(NamedTuple):
    """A month about to be settled."""

    month_id: UUID
    town: TownCode
    month: int  # yyyymm
    compared: str  # 'agrees' | 'explained' | 'no-statement'
    serial_count: int
    agreed_count: int
    their_points_centi: int | None
    settled_by: str


class Explained(NamedTuple):
    """A freeze of which the town says otherwise, and why that stands."""

    serial: str
    ours: str
    theirs: str
    owner: str
    why: str
    said_by: str
    found_at: datetime


def first_of(month: int) -> date:
    """The first day of yyyymm."""
    return date(month // 100, month % 100, 1)


def month_bounds(month: int) -> dict[str, object]:
    """The month's days `first` (included) and `after` (excluded), and the instants between which it lies in Asia/Shanghai."""
    first, after = first_of(month), first_of(months_before(month, -1))
    return {
        "first": first,
        "after": after,
        "from_at": day_bounds(first)["from_at"],
        "until_at": day_bounds(after)["from_at"],
    }


def lock_month(tx: Transaction, town: TownCode, month: int) -> None:
    """Until the transaction ends nobody else settles this month of the town."""
    tx.run(queries.lock_month, {"turn": f"{town} {month}"})


def find_month(tx: Transaction, town: TownCode, month: int) -> Row | None:
    """The settled month, or None."""
    return tx.find(queries.find_month, {"town": town, "month": month})


def list_months(tx: Transaction, limit: int = 120) -> list[Row]:
    """Settled months, newest first: (town, month, settled_by, settled_at, compared, points_centi, amount_fen)."""
    return tx.all(queries.list_months, {"limit": limit})


def list_traded_months(tx: Transaction) -> list[Row]:
    """(town, month) of every month in which a closed day has a line, newest first."""
    return tx.all(queries.list_traded_months)


def list_open_days(tx: Transaction, month: int) -> list[Row]:
    """Rows (branch_no, accounting_on): days of the month on which goods moved and that are not closed, by branch and day."""
    return tx.all(queries.list_open_days, month_bounds(month))


def preview_month(tx: Transaction, town: TownCode, month: int) -> list[Row]:
    """Lines from the closed days: branch_no, good, price, what the town pays, and the three counts."""
    return tx.all(queries.preview_month, {"town": town, **month_bounds(month)})


def list_serials(tx: Transaction, town: TownCode, month: int) -> list[Row]:
    """Freezes of the town that went into the month: serial, total_centi, asked_on, given_here and back_here (in this month),
    back_ever."""
    return tx.all(queries.list_serials, {"town": town, **month_bounds(month)})


def list_given(tx: Transaction, town: TownCode, serials: Sequence[str]) -> set[str]:
    """Which of these freezes were ever handed over."""
    rows = tx.tuples(queries.list_given, {"town": town, "serials": list(serials)})
    return {serial for (serial,) in rows}


def lines_sha256(lines: Sequence[Row]) -> str:
    """The digest of a statement's lines, whatever their order: what is printed on the papers and stands in the log."""
    told = sorted(
        [str(getattr(line, name)) if name == "good_id" else getattr(line, name) for name in MONTH_LINE]
        for line in lines
    )
    return canonical_sha256(told).hex()


def insert_month(
    tx: Transaction, new: NewMonth, differences: Sequence[Explained], *, now: datetime
) -> list[RecordDraft]:
    """Settle it: the row, its lines from the closed days, the differences; the record to append."""
    sha256 = lines_sha256(preview_month(tx, new.town, new.month))
    params = {**new._asdict(), "now": now, "statement_sha256": sha256, **month_bounds(new.month)}
    tx.run(queries.insert_month, params)
    tx.run(queries.insert_month_lines, params)
    if differences:
        rows = [(new.month_id, *d[:-1], d.found_at.isoformat()) for d in differences]
        tx.copy_in(queries.copy_month_differences, copy_text(rows))
    return month_records(tx, [str(new.month_id)])


def sum_trade(tx: Transaction, since_on: date, until_on: date) -> list[Row]:
    """Net pieces and fen by day, by town, by good and by branch, in one list: each row has one of
    on_day, town, code, branch_no."""
    between = {"from_at": day_bounds(since_on)["from_at"], "until_at": day_bounds(until_on)["until_at"]}
    return tx.all(queries.sum_trade, between)


def sum_outstanding(tx: Transaction, on: date) -> list[Row]:
    """Points in residents' hands by town, and the least and the most that 1/100 of one costs on that day, in fen."""
    return tx.all(queries.sum_outstanding, {"on": on})


def list_month_lines(tx: Transaction, month_id: UUID) -> list[Row]:
    """As `preview_month`, of a settled month."""
    return tx.all(queries.list_month_lines, {"month_id": month_id})


def list_month_differences(tx: Transaction, month_id: UUID) -> list[Row]:
    """Rows (serial, ours, theirs, owner, why, said_by, found_at)."""
    return tx.all(queries.list_month_differences, {"month_id": month_id})


def list_month_faults(tx: Transaction) -> list[RowFault]:
    """Settled months whose lines are not what the closed days come to."""
    return [
        RowFault(
            "town_month_line",
            f"month_id {row.month_id}, branch_no {row.branch_no}, good_id {row.good_id}",
            "given_count",
            f"{row.given}/{row.returned}/{row.corrected}",
            f"closed days give {row.now_given}/{row.now_returned}/{row.now_corrected}",
        )
        for row in tx.all(queries.list_month_faults, {"limit": FAULT_LIMIT})
    ]
