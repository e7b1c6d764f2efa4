"""What was decided in a period, and what evidence was taken out: numbers and our ids, nobody's name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway import benefits, evidence
from gateway.db import Row
from gateway.house import House

MOST = 500


@dataclass(frozen=True, slots=True)
class PeriodView:
    """`counts` of all decisions by product and outcome; `decisions` the newest MOST of them; `exports` the newest MOST."""

    counts: tuple[Row, ...]
    decisions: tuple[Row, ...]
    exports: tuple[Row, ...]


def inspect_period(house: House, from_at: datetime, until_at: datetime) -> PeriodView:
    """Of [from_at, until_at), newest first. Three statements."""
    with house.audit_db.transaction(read_only=True, isolation="repeatable read") as tx:
        return PeriodView(
            tuple(benefits.count_decided_between(tx, from_at, until_at)),
            tuple(benefits.list_decided_between(tx, from_at, until_at, MOST)),
            tuple(evidence.list_exports_between(tx, from_at, until_at, MOST)),
        )
