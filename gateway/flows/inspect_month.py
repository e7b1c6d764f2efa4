"""A town's month as it is settled, or as it would be: lines, totals, what is still open, what the town says otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway import closings, settlements
from gateway.db import Row
from gateway.house import House
from schemas.errors import InvalidError
from schemas.values import TownCode, beijing_date, month_of, months_before


@dataclass(frozen=True, slots=True)
class MonthStatement:
    """`settled` is None for a draft. Lines by branch, good and price; money and points are products of counts and prices."""

    town: TownCode
    month: int
    settled: Row | None
    lines: tuple[Row, ...]
    sha256: str
    open_days: tuple[Row, ...]
    differences: tuple[Row, ...]
    over: bool

    @staticmethod
    def net_count(line: Row) -> int:
        """Pieces that stayed with residents."""
        return int(line.given_count - line.returned_count - line.corrected_count)

    @property
    def points_centi(self) -> int:
        """Net of what came back."""
        return sum(self.net_count(line) * line.price_centi for line in self.lines)

    @property
    def amount_fen(self) -> int:
        """What the town pays."""
        return sum(self.net_count(line) * line.settle_fen for line in self.lines)

    def count(self, name: str) -> int:
        """The sum of a column of counts."""
        return sum(getattr(line, name) for line in self.lines)

    def amount_of(self, name: str) -> int:
        """What a column of counts comes to in fen."""
        return sum(getattr(line, name) * line.settle_fen for line in self.lines)


def inspect_month(house: House, town: TownCode, month: int, *, now: datetime) -> MonthStatement:
    """The statement. Raises InvalidError for a town or a month that is none."""
    if town not in house.readers:
        raise InvalidError("no adapter speaks for that town", code="unknown-town", where="town", value=town)
    if not (2000 <= month // 100 <= 9999 and 1 <= month % 100 <= 12):
        raise InvalidError("a month is yyyymm", code="month-invalid", where="month", value=str(month))
    with house.audit_db.transaction(read_only=True, isolation="repeatable read") as tx:
        settled = closings.find_month(tx, town, month)
        if settled is not None:
            lines = closings.list_month_lines(tx, settled.month_id)
            return MonthStatement(
                town, month, settled, tuple(lines), settled.statement_sha256, (),
                tuple(closings.list_month_differences(tx, settled.month_id)), True,
            )  # fmt: skip
        lines = closings.preview_month(tx, town, month)
        first, after = closings.first_of(month), closings.first_of(months_before(month, -1))
        standing = [
            row
            for row in settlements.list_differences(tx, town, None)
            if row.line_kind == "redemption" and first <= row.accounting_on < after
        ]
        return MonthStatement(
            town, month, None, tuple(lines), closings.lines_sha256(lines), tuple(closings.list_open_days(tx, month)),
            tuple(standing), month_of(beijing_date(now)) > month,
        )  # fmt: skip
