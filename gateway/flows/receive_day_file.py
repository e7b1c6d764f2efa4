"""A town's day once more: ‖ its file is fetched ‖ its items go the way of every push ‖ that it was taken is written down.

What was pushed in real time is a duplicate, what was missing is received, what stands here otherwise is a conflict: the first
stands. Killed anywhere, the same file is taken again: its pieces have keys made of the day and the file, so nothing is stored
twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from gateway import contributions, translog
from gateway.contributions import TakenFile
from gateway.flows._day_caps import OverCap, list_over_caps
from gateway.flows._readiness import refuse_if_sealing_lags
from gateway.flows._receiving import Reading, read, store
from gateway.house import House
from gateway.observe.metrics import count_push
from schemas.contributions import Push
from schemas.day_files import DayFile
from schemas.errors import GatewayError, InvalidError, RefusedError, UnavailableError
from schemas.values import ItemStatus, TownCode, beijing_date

PIECE = 5000  # items of a push


def receive_day_file(house: House, town: TownCode, on: date, *, now: datetime) -> TakenFile:
    """Take the file of a finished day. The same file again changes nothing and answers the same.

    Errors: InvalidError (`unknown-town`, `day-not-over`), RefusedError `no-day-file`, UnavailableError (not made yet, cut short,
    of another day: `day-file-…`; the town or our log not ready): nothing was taken, ask again.
    """
    _refuse_early(house, town, on, now)
    file = house.day_files[town].fetch_day_file(on)  # ‖ no transaction is open here
    with house.db.transaction(read_only=True) as tx:
        standing = contributions.find_day_file(tx, town, on, file.sha256)
    if standing is not None:
        return _taken(standing)
    readings = [read(house, push, now) for push in _pieces(house, town, file, now)]
    counts: Counter[str] = Counter()
    for outcome in store(house, town, readings, now) if readings else ():
        if isinstance(outcome, GatewayError):
            raise outcome
        found = outcome.counts()
        count_push(town, found)
        counts.update(found)
    taken = _summed(town, file, counts, _over_caps(readings, file), now)
    with house.db.transaction() as tx:
        draft = contributions.insert_day_file(tx, taken)
        if draft is not None:
            translog.append_records(tx, [draft], now=now, new_id=house.new_id)
    return taken


def _refuse_early(house: House, town: TownCode, on: date, now: datetime) -> None:
    if town not in house.readers:
        raise InvalidError("no adapter speaks for that town", code="unknown-town", where="town", value=town)
    if not house.readers[town].capabilities.day_file:
        raise RefusedError("this town gives no day file", code="no-day-file", where="town", value=town)
    if town not in house.day_files:
        raise UnavailableError(
            "this town has no table in the neighbours file, so it cannot be asked", code="neighbour-not-configured",
            where=town, remedy="add it to the neighbours file",
        )  # fmt: skip
    if on >= beijing_date(now):
        raise InvalidError(
            "that day is not over in Beijing", code="day-not-over", where="on", value=on.isoformat(),
            remedy="a day's file is taken from midnight on",
        )  # fmt: skip
    refuse_if_sealing_lags(house, now)


def _pieces(house: House, town: TownCode, file: DayFile, now: datetime) -> list[Push]:
    """The file's lines as pushes."""
    return [
        Push(
            town, f"{town}-day-file", f"{file.on.isoformat()}-{file.sha256.hex()[:32]}-{start // PIECE}",
            b"\n".join([*file.lines[start : start + PIECE], b""]), now, house.new_id(), as_lines=True,
        )
        for start in range(0, len(file.lines), PIECE)
    ]  # fmt: skip


def _over_caps(readings: Sequence[Reading], file: DayFile) -> list[OverCap]:
    items = [item for reading in readings for item in reading.read.items]
    return list_over_caps(items, file.caps_centi, file.on)


def _summed(
    town: TownCode, file: DayFile, counts: Counter[str], over: Sequence[OverCap], now: datetime
) -> TakenFile:
    return TakenFile(
        town, file.on, file.sha256, len(file.lines), file.points_centi, counts[ItemStatus.ACCEPTED],
        counts[ItemStatus.DUPLICATE], counts[ItemStatus.CONFLICT], counts[ItemStatus.QUARANTINED], counts[ItemStatus.REJECTED],
        [list(entry) for entry in over], now,
    )  # fmt: skip


def _taken(row: Any) -> TakenFile:
    found = TakenFile(*(getattr(row, name) for name in TakenFile._fields))
    return found._replace(file_sha256=bytes(found.file_sha256))
