"""A branch's day as the supervisor sees it: closed and as it was, or open with what hinders its closing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from gateway import closings, goods
from gateway.db import Row
from gateway.house import House
from schemas.staff import StaffCaller
from schemas.values import beijing_date


@dataclass(frozen=True, slots=True)
class BranchDayView:
    """`closed` is None for a day that is open. `lines` and `register` are the sealed ones, or what they would be now."""

    accounting_on: date
    closed: Row | None
    pending: tuple[Row, ...]
    count: Row | None
    count_lines: tuple[Row, ...]
    counted_by_caller: bool
    moved_since: tuple[Row, ...]  # goods that came or went after the count
    lines: tuple[Row, ...]
    register: tuple[Row, ...]
    totals: tuple[Mapping[str, Any], ...]
    days: tuple[Row, ...]  # closed days, newest first

    @property
    def counted(self) -> bool:
        """Whether the count is one the day can be closed with."""
        return (
            self.count is not None
            and beijing_date(self.count.counted_at) >= self.accounting_on
            and not self.moved_since
        )


def inspect_branch_day(
    house: House, caller: StaffCaller, on: date | None = None, *, now: datetime
) -> BranchDayView:
    """The day, or the one to be closed next when none is named: the earliest open one on which goods moved, else today."""
    branch_no = caller.branch_no
    with house.audit_db.transaction(read_only=True) as tx:
        last = closings.find_last_day(tx, branch_no)
        if on is None:
            first = closings.find_first_open(tx, branch_no, after=last and last.accounting_on)
            on = first or beijing_date(now)
        closed = closings.find_day(tx, branch_no, on)
        if closed is not None:
            count = goods.find_count(tx, closed.count_id) if closed.count_id else None
            lines, register = (
                closings.list_day_lines(tx, closed.day_id),
                closings.list_day_stock(tx, closed.day_id),
            )
            pending, moved_since = [], []
        else:
            count = goods.find_last_count(tx, branch_no)
            lines, register = (
                closings.preview_lines(tx, branch_no, on),
                closings.preview_stock(tx, branch_no, on),
            )
            pending = closings.list_pending(tx, branch_no, on)
            since = count and count.counted_at
            moved_since = closings.list_uncounted(tx, branch_no, on, since=since) if count else []
        told = goods.list_count_lines(tx, count.count_id) if count else []
        return BranchDayView(
            on, closed, tuple(pending), count, tuple(told), bool(count and count.counted_by == caller.staff_id),
            tuple(moved_since), tuple(lines), tuple(register), tuple(closings.day_totals(lines)),
            tuple(closings.list_days(tx, branch_no)),
        )  # fmt: skip
