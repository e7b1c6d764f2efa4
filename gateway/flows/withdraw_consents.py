"""A resident takes a consent back: mapping stops, and what was proposed on it is revoked by the next evaluation."""

from __future__ import annotations

from datetime import datetime

from gateway import benefits, subjects, translog
from gateway.house import House
from gateway.subjects.restate import WITHDRAWN, consent_records
from schemas.contributions import ItemAnswer
from schemas.values import ItemStatus, TownCode


def withdraw_consents(
    house: House, town: TownCode, client_id: str, body: bytes, *, now: datetime
) -> list[ItemAnswer]:
    """Withdraw the consents a document names; one answer each. Withdrawing twice answers `duplicate`.

    Errors: InvalidError when the document cannot be read at all.
    """
    del client_id  # the door has checked that this client speaks for the town
    withdrawals, faults = house.readers[town].read_withdrawals(body)
    answers = [ItemAnswer(f.item_no, None, ItemStatus.REJECTED, f.code, f.where, f.detail) for f in faults]
    faulty = {f.item_no for f in faults}
    numbers = [n for n in range(len(withdrawals) + len(faults)) if n not in faulty]
    idle: set[int] = set()
    if withdrawals:
        with house.db.transaction() as tx:
            done, idle = subjects.withdraw(tx, house.keys, town, withdrawals, now=now)
            records = consent_records(tx, WITHDRAWN, [c.consent_id for c in done])
            translog.append_records(tx, records, now=now, new_id=house.new_id)
            persons = sorted({int(c.person_id) for c in done})
            households = [int(h) for h in subjects.list_households_of(tx, persons)]
            benefits.mark_changed(tx, persons + households, cause="consent withdrawn", now=now)
    for place, number in enumerate(numbers):
        status = ItemStatus.DUPLICATE if place in idle else ItemStatus.ACCEPTED
        answers.append(ItemAnswer(number, None, status))
    answers.sort(key=lambda a: a.item_no)
    return answers
