"""One event of an objection: what extending, withdrawing and ending a refusal have in common."""

from __future__ import annotations

from datetime import date, datetime

from gateway import objections
from gateway.db import Transaction
from gateway.house import House
from gateway.translog import append_records
from schemas.objections import Recorded


def keep_event(
    house: House,
    tx: Transaction,
    stands: objections.Objection,
    event: objections.ObjectionEvent,
    *,
    by: str,
    words: str,
    due_on: date,
    now: datetime,
) -> Recorded:
    """Write it and its record. `stands` is locked. Raises what `insert_event` raises."""
    state = objections.next_state(stands.state, event)
    new = objections.NewEvent(house.new_id(), event, by, objections.WordsOf(words), due_on)
    draft = objections.insert_event(tx, house.keys, stands, new, now=now)
    append_records(tx, [draft], now=now, new_id=house.new_id)
    return Recorded(stands.objection_id, stands.serial, due_on, state)
