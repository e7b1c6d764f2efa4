"""An operator says what a town's activity is; from then on it is read so, and what waited for it can be read again."""

from __future__ import annotations

from datetime import datetime

from gateway import contributions, translog
from gateway.house import House
from schemas.errors import InvalidError
from schemas.values import Category, TownCode

LONGEST = 64


def add_code(house: House, town: TownCode, activity: str, category: str, *, by: str, now: datetime) -> bool:
    """Add a code; False when it stood so already. Who and when is in the log.

    Errors: InvalidError (no such town or category, no activity, no name), ConflictError `code-stands` (another category).
    """
    faults = [
        (town not in house.readers, "town", town, f"known are {', '.join(house.readers)}"),
        (category not in list(Category), "category", category, f"one of {', '.join(Category)}"),
        (not activity.strip() or len(activity) > LONGEST, "activity", activity[:LONGEST], f"1 to {LONGEST} characters"),
        (not by.strip(), "by", by, "say who adds it"),
    ]  # fmt: skip
    for wrong, where, value, remedy in faults:
        if wrong:
            raise InvalidError(
                "the code cannot be added", code="code-invalid", where=where, value=value, remedy=remedy
            )
    with house.db.transaction() as tx:
        draft = contributions.insert_code(
            tx, town, activity.strip(), Category(category), by=by.strip(), now=now
        )
        if draft is not None:
            translog.append_records(tx, [draft], now=now, new_id=house.new_id)
    return draft is not None
