"""A branch's goods are counted (盘点): every one of them; what differs is explained and becomes a movement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from gateway import goods
from gateway.db import Row, Transaction
from gateway.flows._open_day import require_open_day
from gateway.house import House
from gateway.translog import append_records
from schemas.errors import ConflictError, InvalidError, RefusedError
from schemas.goods import CountedGood, Movement
from schemas.staff import StaffCaller

MOST_COUNT = 1_000_000
REASON_LENGTH = 200


def count_stock(
    house: House, caller: StaffCaller, counted: Sequence[CountedGood], *, count_id: UUID, now: datetime
) -> Row:
    """The count: (count_id, branch_no, counted_by, teller_no, counted_at). The same form twice is one count.

    Raises InvalidError `count-incomplete` (a good is missing or unknown), `count-invalid`, `count-unexplained` (a difference
    without a reason); ConflictError `stock-moved` when the book is no longer what the page showed, `count-key-reused`;
    RefusedError `out-of-stock` when more is set aside for residents than was counted, `branch-day-closed`.
    """
    try:
        with house.db.transaction() as tx:
            before = goods.find_count(tx, count_id)
            if before is not None:
                return _same(tx, before, caller, counted)
            require_open_day(tx, caller.branch_no, now)
            _check(tx, caller.branch_no, counted)
            draft = goods.insert_count(
                tx, count_id, caller.branch_no, counted, staff_id=caller.staff_id, teller_no=caller.teller_no, now=now
            )  # fmt: skip
            moved = [
                Movement("count", caller.branch_no, c.good_id, c.counted_count - c.book_count, 0, c.reason)
                for c in counted
                if c.counted_count != c.book_count
            ]
            drafts = goods.move_stock(tx, count_id, moved, by=caller.teller_no, now=now)
            append_records(tx, [draft, *drafts], now=now, new_id=house.new_id)
            return goods.find_count(tx, count_id)
    except ConflictError as exc:
        if exc.where in ("held_is_there", "stock_not_negative"):
            raise RefusedError(
                "fewer were counted than are set aside for residents",
                code="out-of-stock",
                where="stock",
                remedy="finish or give up the redemptions under way, then count again",
            ) from exc
        raise


def _check(tx: Transaction, branch_no: str, counted: Sequence[CountedGood]) -> None:
    goods.lock_branch_stock(tx, branch_no)
    book = {row.good_id: row for row in goods.list_stock(tx, branch_no)}
    named = {line.good_id for line in counted}
    missing = sorted(row.code for good_id, row in book.items() if good_id not in named)
    if missing or len(named) != len(counted) or not named <= book.keys():
        raise InvalidError(
            "a count names every good of the branch once",
            code="count-incomplete",
            where="counted",
            value=" ".join(missing)[:200],
        )
    for line in counted:
        code = book[line.good_id].code
        if not 0 <= line.counted_count <= MOST_COUNT or len(line.reason) > REASON_LENGTH:
            raise InvalidError(
                f"a count is a number up to {MOST_COUNT}, a reason has up to {REASON_LENGTH} characters",
                code="count-invalid",
                where=code,
            )
        if book[line.good_id].on_hand_count != line.book_count:
            raise ConflictError(
                "goods moved while they were counted",
                code="stock-moved",
                where=code,
                value=str(book[line.good_id].on_hand_count),
                remedy="look at this good again and send the count anew",
            )
        if line.counted_count != line.book_count and len(line.reason.strip()) < 2:
            raise InvalidError(
                "a difference is explained", code="count-unexplained", where=code, remedy="give the reason"
            )


def _same(tx: Transaction, before: Row, caller: StaffCaller, counted: Sequence[CountedGood]) -> Row:
    """The count that was written under this id, if it is this one."""
    lines = {
        (r.good_id, r.book_count, r.counted_count, r.reason)
        for r in goods.list_count_lines(tx, before.count_id)
    }
    if before.counted_by != caller.staff_id or lines != {tuple(line) for line in counted}:
        raise ConflictError("this page was used for another count", code="count-key-reused", where="count_id")
    return before
