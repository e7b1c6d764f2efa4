"""Is the house in order? Checks for readiness, numbers for the metrics, and the few facts of the start page."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway import benefits, clients, feeds, objections, outbox, translog
from gateway.db.migrate import list_migrations
from gateway.house import House
from schemas.errors import GatewayError
from schemas.values import beijing_date

DISK_LEAST_BYTES = 512 * 1024 * 1024
CALENDAR_LEAST_DAYS = 31  # 20 working days, the longest term, with holidays


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be in order. `detail` says what is not, or what was seen."""

    name: str
    ok: bool
    detail: str
    warns: bool = False  # in order still, and somebody should look


@dataclass(frozen=True, slots=True)
class LastPush:
    """The latest push of a town among the most recent ones."""

    town: str
    received_at: datetime
    items: int


@dataclass(frozen=True, slots=True)
class Health:
    """What was found. `gauges` are numbers for /metrics; `pushes` and `clients` are empty when the database is away."""

    checks: tuple[Check, ...]
    gauges: dict[str, float]
    pushes: tuple[LastPush, ...]
    client_count: int

    @property
    def ready(self) -> bool:
        return all(check.ok for check in self.checks)


def inspect_health(house: House, *, now: datetime) -> Health:
    """Look at the database, the schema, the seal, the keys and the disk. Never raises: what fails is a check that says so."""
    checks: list[Check] = []
    gauges: dict[str, float] = {}
    pushes: list[LastPush] = []
    client_count = 0
    try:
        with house.db.transaction(read_only=True) as tx:
            checks.append(Check("database", True, "answers"))
            missing = clients.list_missing_migrations(tx, [m.number for m in list_migrations()])
            detail = "current" if not missing else f"missing: {', '.join(f'{n:04d}' for n in missing)}"
            checks.append(Check("migrations", not missing, detail))
        if not missing:
            with house.db.transaction(read_only=True) as tx:
                _measure(house, tx, checks, gauges, now)
                pushes = [LastPush(r.town, r.received_at, r.item_count) for r in clients.list_last_pushes(tx)]
                client_count = len(clients.list_clients(tx))
    except GatewayError as error:
        checks.append(Check("database", False, error.what))
    checks += [
        _checked("keys", lambda: _keys(house)),
        _checked("disk", lambda: _disk(house.config.state_dir)),
    ]
    return Health(tuple(checks), gauges, tuple(pushes), client_count)


def _measure(house: House, tx: Any, checks: list[Check], gauges: dict[str, float], now: datetime) -> None:
    lag = translog.seal_lag_s(tx, now)
    gauges["seal_lag_seconds"] = lag
    gauges["changes_waiting"] = float(benefits.count_changes(tx))
    for state, (count, oldest_at) in outbox.count_messages(tx).items():
        gauges[f"outbox_{state}"] = float(count)
        gauges[f"outbox_{state}_oldest_seconds"] = max(0.0, (now - oldest_at).total_seconds())
    for town, (missing, seen_at) in feeds.count_gaps(tx).items():
        gauges[f"feed_missing_{town}"] = float(missing)
        gauges[f"feed_missing_{town}_oldest_seconds"] = max(0.0, (now - seen_at).total_seconds())
    for state, count in benefits.count_states(tx).items():
        gauges[f"proposals_{state}"] = float(count)
    checks.append(_objections(tx, gauges, now))
    if house.witnesses.known:
        checks.append(_witnessed(house, tx, gauges))
    refuse_s, warn_s = house.config.seal_lag_refuse_s, house.config.seal_lag_warn_s
    said = f"{lag:.0f} s behind" + (", over the warning limit" if lag > warn_s else "")
    checks.append(Check("seal", lag <= refuse_s, said, warns=lag > warn_s))


def _objections(tx: Any, gauges: dict[str, float], now: datetime) -> Check:
    """Answers to residents have a term; the calendar it is counted in must reach so far."""
    waiting, overdue, oldest_at = objections.measure(tx, beijing_date(now))
    reaches = objections.get_calendar(tx).last_on()
    left_days = (reaches - beijing_date(now)).days if reaches else 0
    gauges["objections_waiting"] = float(waiting)
    gauges["objections_overdue"] = float(overdue)
    gauges["objections_oldest_seconds"] = (now - oldest_at).total_seconds() if oldest_at else 0.0
    gauges["calendar_days_left"] = float(left_days)
    said = f"{overdue} of {waiting} waiting are overdue"
    if left_days < CALENDAR_LEAST_DAYS:
        said += "; the calendar of working days ends soon (gateway objection calendar)"
    return Check("objections", True, said, warns=overdue > 0 or left_days < CALENDAR_LEAST_DAYS)


def _witnessed(house: House, tx: Any, gauges: dict[str, float]) -> Check:
    """A refusal warns and keeps us ready: any one witness could else stop the towns' work. What stops is publication."""
    refusals = len(translog.list_refusals(tx, open_only=True))
    published = translog.find_published(tx, [w.vkey for w in house.witnesses.known], house.witnesses.quorum)
    newest = translog.find_checkpoint(tx)
    behind = (newest.size if newest else 0) - (published.checkpoint.size if published else 0)
    gauges["witness_refusals_open"] = float(refusals)
    gauges["leaves_unpublished"] = float(behind)
    if refusals:
        return Check("witnesses", True, "a witness refused our log: nothing new is published", warns=True)
    size = published.checkpoint.size if published else 0
    return Check("witnesses", True, f"co-signed up to leaf {size}")


def _keys(house: House) -> str:
    config = house.config
    for path in (config.keys_file, config.log_key, config.receipt_key, *config.token_keys.glob("*.key")):
        mode = stat.S_IMODE(Path(path).stat().st_mode)
        if mode & 0o077:
            raise OSError(f"{path.name} can be read by others")
    if not any(config.token_keys.glob("*.key")):
        raise OSError("there is no token key")
    return "present and private"


def _disk(folder: Path) -> str:
    free = shutil.disk_usage(folder if folder.exists() else "/").free
    if free < DISK_LEAST_BYTES:
        raise OSError(f"{free // 2**20} MiB free, {DISK_LEAST_BYTES // 2**20} needed")
    return f"{free // 2**30} GiB free"


def _checked(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, True, look())
    except FileNotFoundError as error:
        return Check(name, False, f"{Path(error.filename or '?').name} is missing")
    except OSError as error:
        return Check(name, False, str(error))
