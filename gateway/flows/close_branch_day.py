"""A branch's day is closed (日终): nothing pending, goods counted, signed by another than the counter, a record in the log."""

from __future__ import annotations

from datetime import date, datetime

from gateway import closings, goods
from gateway.db import Row, Transaction
from gateway.house import House
from gateway.translog import append_records
from schemas.errors import ConflictError, ForbiddenError, InvalidError, RefusedError
from schemas.staff import Role, StaffCaller
from schemas.values import beijing_date

NAMED = 20  # pending redemptions an error names; the page lists all


def close_branch_day(house: House, caller: StaffCaller, on: date, *, now: datetime) -> Row:
    """The closed day: (day_id, branch_no, accounting_on, count_id, signed_by, teller_no, closed_at). Again answers the same.

    After it nothing is dated into that day or before: what is done at the branch that day is refused (`branch-day-closed`), a
    later reversal is a correcting entry of its own day. Raises ForbiddenError (`role-missing`, `own-count`); InvalidError
    `day-not-begun`; ConflictError `later-day-closed`; RefusedError `earlier-day-open`, `day-pending` (names the redemptions),
    `not-counted`, `counted-too-early`.
    """
    if not caller.may(Role.SUPERVISOR):
        raise ForbiddenError("only a supervisor closes the day", code="role-missing", where="role")
    if on > beijing_date(now):
        raise InvalidError(
            "that day has not begun in Beijing", code="day-not-begun", where="on", value=on.isoformat()
        )
    with house.db.transaction() as tx:
        closings.lock_branch(tx, caller.branch_no)
        before = closings.find_day(tx, caller.branch_no, on)
        if before is not None:
            return before
        _check_order(tx, caller.branch_no, on)
        pending = closings.list_pending(tx, caller.branch_no, on)
        if pending:
            raise RefusedError(
                f"{len(pending)} redemptions have not come to an end",
                code="day-pending",
                where="redemption",
                value=" ".join(row.serial for row in pending[:NAMED]),
                remedy="hand over, give up, or wait for the inquiry; then close",
            )
        count = _count_of(tx, caller, on)
        new = closings.NewDay(
            house.new_id(), caller.branch_no, on, count and count.count_id, caller.staff_id, caller.teller_no
        )
        drafts = closings.insert_day(tx, new, now=now)
        append_records(tx, drafts, now=now, new_id=house.new_id)
        return closings.find_day(tx, caller.branch_no, on)


def _check_order(tx: Transaction, branch_no: str, on: date) -> None:
    last = closings.find_last_day(tx, branch_no)
    if last is not None and on < last.accounting_on:
        raise ConflictError(
            "a later day is closed: nothing happened at the branch on this one",
            code="later-day-closed",
            where="on",
            value=last.accounting_on.isoformat(),
        )
    first = closings.find_first_open(tx, branch_no, after=last and last.accounting_on)
    if first is not None and first < on:
        raise RefusedError(
            "an earlier day is still open", code="earlier-day-open", where="on", value=first.isoformat(),
            remedy="close days in their order",
        )  # fmt: skip


def _count_of(tx: Transaction, caller: StaffCaller, on: date) -> Row | None:
    """The count the day is closed with; None for a branch that never had goods."""
    count = goods.find_last_count(tx, caller.branch_no)
    if count is None:
        if not goods.list_stock(tx, caller.branch_no):
            return None
        raise RefusedError("the goods have not been counted", code="not-counted", where="count")
    if beijing_date(count.counted_at) < on:
        raise RefusedError(
            "the goods were not counted that day", code="not-counted", where="count",
            value=beijing_date(count.counted_at).isoformat(),
        )  # fmt: skip
    since = closings.list_uncounted(tx, caller.branch_no, on, since=count.counted_at)
    if since:
        raise RefusedError(
            "goods came or went after the count", code="counted-too-early", where="count",
            value=" ".join(row.code for row in since), remedy="count again",
        )  # fmt: skip
    if count.counted_by == caller.staff_id:
        raise ForbiddenError(
            "whoever counted does not sign", code="own-count", where="signed_by", remedy="another supervisor signs"
        )  # fmt: skip
    return count
