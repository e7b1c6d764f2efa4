"""Small things a process may remember for a moment, so that a push does not ask the database for them each time."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from gateway import contributions, translog
from gateway.house import House
from schemas.errors import UnavailableError
from schemas.values import Category, TownCode

REMEMBER = timedelta(seconds=2)

_lock = threading.Lock()
_remembered: dict[tuple[int, str], tuple[datetime, Any]] = {}


def town_codes(house: House, town: TownCode, now: datetime) -> Mapping[str, Category]:
    """Activity codes an operator added; at most two seconds old."""
    key = (id(house), f"codes {town}")
    found = _remembered.get(key)
    if found is None or abs(now - found[0]) > REMEMBER:
        with house.db.transaction(read_only=True) as tx:
            found = (now, contributions.list_codes(tx, town))
        with _lock:
            _remembered[key] = found
    codes: Mapping[str, Category] = found[1]
    return codes


def refuse_if_sealing_lags(house: House, now: datetime) -> None:
    """Raise UnavailableError (503, Retry-After) when evidence lags too far behind: no new push without a log that keeps up."""
    key = (id(house), "seal lag")
    found = _remembered.get(key)
    if found is None or abs(now - found[0]) > REMEMBER:
        with house.db.transaction(read_only=True) as tx:
            found = (now, translog.seal_lag_s(tx, now))
        with _lock:
            _remembered[key] = found
    if found[1] > house.config.seal_lag_refuse_s:
        raise UnavailableError(
            "new pushes wait until the log has caught up", code="seal-lag", value=f"{found[1]:.0f} s",
            remedy="send the same request again later", retry_after_s=60,
        )  # fmt: skip
