"""A day is reconciled: the town is asked for its statement ‖ its lines meet what stands with us; differences are written down.

The accounting date of a contribution is the Beijing date of its own instant: it stands in the item, so both sides agree on it
whenever the item travels. A town that books by another clock lists the item on the day before or after; lines are met by
reference whatever their day, so that midnight makes no difference that stays.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from gateway import settlements, subjects, translog
from gateway.db import Transaction
from gateway.flows._statement_lines import Named, read_lines
from gateway.house import House
from gateway.settlements.comparing import StagedLine
from schemas.errors import InvalidError, RefusedError, UnavailableError
from schemas.values import TownCode, beijing_date, first_id_of


def reconcile_day(house: House, town: TownCode, on: date, *, now: datetime) -> settlements.Compared:
    """Compare one accounting date with the town's statement. The same again changes nothing; what agrees by now is closed.

    Errors: InvalidError (`unknown-town`, `day-not-over`, `statement-contradicts-itself`), RefusedError `no-day-statement`,
    UnavailableError (the town did not give a whole statement of this day: nothing was changed).
    """
    _refuse_early(house, town, on, now)
    asked_at = now
    lines = read_lines(house, town, on)  # ‖ no transaction is open here
    run = settlements.NewRun(
        house.new_id(), town, on, asked_at, first_id_of(_midnight(on) - timedelta(days=1))
    )
    with house.db.transaction() as tx:
        settlements.lock_town(tx, town)
        staged = _staged(tx, town, on, lines)
        settlements.insert_lines(tx, run.run_id, staged)
        compared, drafts = settlements.compare_day(tx, run, staged, now=now)
        translog.append_records(tx, drafts, now=now, new_id=house.new_id)
    return compared


def _refuse_early(house: House, town: TownCode, on: date, now: datetime) -> None:
    if town not in house.readers:
        raise InvalidError("no adapter speaks for that town", code="unknown-town", where="town", value=town)
    if not house.readers[town].capabilities.day_statement:
        raise RefusedError(
            "this town gives no day statement", code="no-day-statement", where="town", value=town
        )
    if town not in house.clients:
        raise UnavailableError(
            "this town has no table in the neighbours file, so it cannot be asked", code="neighbour-not-configured",
            where=town, remedy="add it to the neighbours file",
        )  # fmt: skip
    if on >= beijing_date(now):
        raise InvalidError(
            "that day is not over in Beijing", code="day-not-over", where="on", value=on.isoformat(),
            remedy="a day is compared from midnight on",
        )  # fmt: skip


def _midnight(on: date) -> datetime:
    return datetime.fromisoformat(f"{on.isoformat()}T00:00:00+08:00")


def _staged(tx: Transaction, town: TownCode, on: date, lines: list[Named]) -> list[StagedLine]:
    """Accounts in the town's words become our holders."""
    codes = {line.code for line in lines if line.code}
    digests = {line.id_digest for line in lines if line.id_digest}
    found = subjects.resolve(tx, town, subjects.Asked(codes, digests))
    openids = {n.openid_digest for n in lines if n.id_digest and found.people.get(n.id_digest) is None}
    by_openid = subjects.resolve(tx, town, subjects.Asked((), openids, "openid")).people if openids else {}
    staged: list[StagedLine] = []
    for line in lines:
        holder: int | None = found.household(line.code, on) if line.code else None
        if line.id_digest:
            person = found.people.get(line.id_digest) or by_openid.get(line.openid_digest)
            holder = None if person is None else int(person.person_id)
        staged.append((*line.said, holder))
    return staged
