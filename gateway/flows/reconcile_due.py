"""Every town's due days are reconciled: yesterday, missed days, days with an open difference, days that got late items."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import date, datetime, timedelta

from gateway import settlements
from gateway.flows.reconcile_day import reconcile_day
from gateway.house import House
from schemas.errors import GatewayError
from schemas.values import TownCode, beijing_date, first_id_of

log = logging.getLogger(__name__)

#: How far back a day is still compared by itself. An older one is compared by hand.
REACH = timedelta(days=62)
#: Late items are looked for among batches of this long, or since the last comparison when that is longer ago.
LATE_WITHIN = timedelta(days=3)


def reconcile_due(house: House, *, now: datetime) -> dict[str, int]:
    """Reconcile what is due, town by town; days, differences found and days that could not be done, counted.

    A town that does not answer is left for the next run; the others go on. Idempotent: a day that stands so is not written again.
    """
    counts: Counter[str] = Counter()
    for town, reader in house.readers.items():
        if town not in house.clients or not reader.capabilities.day_statement:
            continue
        for on in _due(house, town, now):
            try:
                compared = reconcile_day(house, town, on, now=now)
            except GatewayError as exc:
                log.warning("%s of %s is not reconciled: %s", on, town, exc.code)
                counts["failed"] += 1
                break
            counts["days"] += not compared.again
            counts["changes"] += compared.changes
    return dict(counts)


def _due(house: House, town: TownCode, now: datetime) -> list[date]:
    yesterday = beijing_date(now) - timedelta(days=1)
    with house.db.transaction(read_only=True) as tx:
        last = settlements.list_last_days(tx).get(town)
        since = now - LATE_WITHIN if last is None else min(last[1] - timedelta(hours=1), now - LATE_WITHIN)
        return settlements.list_due_days(
            tx, town, from_on=yesterday - REACH, until_on=yesterday, from_batch=first_id_of(since),
            limit=REACH.days + 1,
        )  # fmt: skip
