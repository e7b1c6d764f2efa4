"""What supervisors look at: redemptions by day, town, good and branch; points outstanding and what they would cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from gateway import closings
from gateway.db import Row
from gateway.house import House
from schemas.values import beijing_date

DAYS = 30


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart: net pieces and what they come to. `name_zh`/`name_en` only for goods; `key` for the rest."""

    key: str
    name_zh: str
    name_en: str
    pieces_count: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Outstanding:
    """A town's points in residents' hands, and what they would cost if all were swapped: at the cheapest and the dearest price of
    a point in force. None where the town has no price."""

    town: str
    points_centi: int
    least_fen: int | None
    most_fen: int | None


@dataclass(frozen=True, slots=True)
class Trade:
    """Of all branches, from `since_on` to `until_on` (included), by the day of the hand-over, net of what came back."""

    since_on: date
    until_on: date
    by_day: tuple[Bar, ...]
    by_town: tuple[Bar, ...]
    by_good: tuple[Bar, ...]
    by_branch: tuple[Bar, ...]
    outstanding: tuple[Outstanding, ...]


def inspect_trade(house: House, *, now: datetime) -> Trade:
    """The last thirty days, today included. Days without trade are bars of nothing."""
    until = beijing_date(now)
    since = until - timedelta(days=DAYS - 1)
    with house.audit_db.transaction(read_only=True) as tx:
        rows = closings.sum_trade(tx, since, until)
        held = closings.sum_outstanding(tx, until)
    days = {row.on_day: row for row in rows if row.on_day is not None}
    by_day = [
        _bar(day.isoformat(), days.get(day)) for day in (since + timedelta(days=n) for n in range(DAYS))
    ]
    return Trade(
        since, until, tuple(by_day), _bars(rows, "town"), _bars(rows, "code"), _bars(rows, "branch_no"),
        tuple(
            Outstanding(r.town, r.points_centi, _cost(r.points_centi, r.least), _cost(r.points_centi, r.most)) for r in held
        ),
    )  # fmt: skip


def _bar(key: str, row: Row | None) -> Bar:
    if row is None:
        return Bar(key, "", "", 0, 0)
    return Bar(key, row.name_zh or "", row.name_en or "", row.pieces_count, row.amount_fen)


def _bars(rows: Sequence[Row], column: str) -> tuple[Bar, ...]:
    """Of one of the groupings, largest first."""
    found = [_bar(getattr(row, column), row) for row in rows if getattr(row, column) is not None]
    return tuple(sorted(found, key=lambda bar: (-bar.amount_fen, bar.key)))


def _cost(points_centi: int, fen_per_centi: Decimal | None) -> int | None:
    return None if fen_per_centi is None else round(points_centi * fen_per_centi)
