"""A town's month is settled (月结): all days are closed ‖ the town's own statement is read ‖ both agree, or it is explained."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from gateway import closings, settlements
from gateway.closings import Explained, NewMonth
from gateway.db import Row, Transaction
from gateway.flows._statement_lines import REDEMPTION, read_lines
from gateway.flows.reconcile_day import reconcile_day
from gateway.house import House
from gateway.translog import append_records
from schemas.errors import InvalidError, RefusedError, UnavailableError
from schemas.values import TownCode, beijing_date, months_before

NAMED = 20
BACK = frozenset({"reversed", "released", "expired"})
TOOK = frozenset({"confirmed", "reversed"})


class Said(NamedTuple):
    """What the town says of one freeze, and the day it was found on."""

    state: str
    points_centi: int
    on: date

    @property
    def text(self) -> str:
        return f"{self.state} {self.points_centi}" if self.state else ""


class Met(NamedTuple):
    """How the town's own statement meets ours. `differing` has (serial, ours, theirs, the day of the statement)."""

    serial_count: int
    their_points_centi: int
    differing: tuple[tuple[str, str, str, date], ...]


def settle_month(house: House, town: TownCode, month: int, *, by: str, now: datetime) -> Row:
    """The settled month (`closings.find_month`). Again answers the same, whoever asks.

    Raises InvalidError `unknown-town`, `month-not-over`, `month-invalid`; RefusedError `branch-days-open` (names branch and day),
    `month-differs` (the town says otherwise of freezes, and nobody explained it: `explain_difference`); UnavailableError when
    the town does not answer. Killed while the town is asked: nothing is written, and it is begun again.
    """
    _check_month(house, town, month, now)
    with house.db.transaction(read_only=True) as tx:
        before = closings.find_month(tx, town, month)
        if before is not None:
            return before
        _check_days(tx, month)
        ours = closings.list_serials(tx, town, month)
    met = _meet(house, town, month, ours) if _gives_statements(house, town) else None  # ‖ towns are asked
    if met is not None:
        for on in sorted({on for *_, on in met.differing}):
            reconcile_day(house, town, on, now=now)  # ‖ gives each difference its owner and its age
    with house.db.transaction() as tx:
        closings.lock_month(tx, town, month)
        before = closings.find_month(tx, town, month)
        if before is not None:
            return before
        explained = _explained(tx, town, met.differing) if met is not None else []
        compared = "no-statement" if met is None else "explained" if explained else "agrees"
        serials = len(ours) if met is None else met.serial_count
        agreed = 0 if met is None else serials - len(explained)
        new = NewMonth(
            house.new_id(), town, month, compared, serials, agreed, met and met.their_points_centi, by
        )
        append_records(tx, closings.insert_month(tx, new, explained, now=now), now=now, new_id=house.new_id)
        return closings.find_month(tx, town, month)


def _check_month(house: House, town: TownCode, month: int, now: datetime) -> None:
    if town not in house.readers:
        raise InvalidError("no adapter speaks for that town", code="unknown-town", where="town", value=town)
    if not (2000 <= month // 100 <= 9999 and 1 <= month % 100 <= 12):
        raise InvalidError("a month is yyyymm", code="month-invalid", where="month", value=str(month))
    if beijing_date(now) < closings.first_of(months_before(month, -1)):
        raise InvalidError(
            "that month is not over in Beijing", code="month-not-over", where="month", value=str(month),
            remedy="settle it from the first day of the next",
        )  # fmt: skip


def _check_days(tx: Transaction, month: int) -> None:
    open_days = closings.list_open_days(tx, month)
    if open_days:
        raise RefusedError(
            f"{len(open_days)} days of branches are not closed",
            code="branch-days-open",
            where="branch_day",
            value=" ".join(f"{row.branch_no}:{row.accounting_on}" for row in open_days[:NAMED]),
            remedy="close them at the branches; then settle",
        )


def _gives_statements(house: House, town: TownCode) -> bool:
    if not house.readers[town].capabilities.day_statement:
        return False
    if town not in house.clients:
        raise UnavailableError(
            "this town has no table in the neighbours file, so it cannot be asked",
            code="neighbour-not-configured",
            where=town,
        )
    return True


def _meet(house: House, town: TownCode, month: int, ours: Sequence[Row]) -> Met:
    """Read the town's statements of every day of the month. A freeze that stands in none of them (towns list one on the day on
    which it moved last) is asked for by our serial."""
    said: dict[str, Said] = {}
    for on in _days_of(month):
        for line in read_lines(house, town, on):
            line_kind, serial, _, points_centi, state = line.said
            if line_kind == REDEMPTION:
                said[serial] = Said(state, points_centi, on)
    theirs_centi, differing = 0, []
    for row in ours:
        told = said.pop(row.serial, None) or _inquired(house, town, row)
        gone = told.state in BACK
        took, gave = row.given_here and told.state in TOOK, gone and (row.back_here or not row.back_ever)
        theirs_centi += told.points_centi * (bool(took) - bool(gave))
        if told.points_centi != row.total_centi or not (gone if row.back_ever else told.state == "confirmed"):
            wanted = "reversed" if row.back_ever else "confirmed"
            differing.append((row.serial, f"{wanted} {row.total_centi}", told.text, told.on))
    with house.db.transaction(read_only=True) as tx:
        took_here = {serial for serial, told in said.items() if told.state == "confirmed"}
        unknown = took_here - closings.list_given(tx, town, sorted(took_here))
    for serial in sorted(unknown):
        theirs_centi += said[serial].points_centi
        differing.append((serial, "", said[serial].text, said[serial].on))
    return Met(len(ours), theirs_centi, tuple(differing))


def _inquired(house: House, town: TownCode, row: Row) -> Said:
    found = house.clients[town].find(row.serial)
    if found is None:
        return Said("", 0, row.asked_on)
    return Said(str(found.state), found.points_centi, row.asked_on)


def _days_of(month: int) -> Iterable[date]:
    on, after = closings.first_of(month), closings.first_of(months_before(month, -1))
    while on < after:
        yield on
        on += timedelta(days=1)


def _explained(
    tx: Transaction, town: TownCode, differing: Sequence[tuple[str, str, str, date]]
) -> list[Explained]:
    """Every difference with the word somebody gave it. Raises RefusedError for those that nobody explained."""
    if not differing:
        return []
    standing = {row.reference: row for row in settlements.list_differences(tx, town, None, settled=True)}
    bare = [serial for serial, *_ in differing if serial not in standing or not standing[serial].why]
    if bare:
        raise RefusedError(
            f"the town says otherwise of {len(bare)} freezes, and nobody explained it",
            code="month-differs",
            where="serial",
            value=" ".join(bare[:NAMED]),
            remedy="settle them with the town or explain each (gateway town explain); then settle the month",
        )
    return [
        Explained(serial, ours, theirs, row.owner, row.why, row.said_by, row.found_at)
        for serial, ours, theirs, _ in differing
        for row in (standing[serial],)
    ]
