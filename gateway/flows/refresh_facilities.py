"""Base limit, base rate and vetoes of applicants, asked of the bank where none is known or the answer has grown old."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import NamedTuple

from gateway import benefits, outbox, subjects
from gateway.benefits import FacilityAnswer
from gateway.flows._bank_answers import ANY_CHANCE, LEASE, THREADS
from gateway.flows._left_alone import left_alone
from gateway.flows._proposal_moves import BANK, serial_of
from gateway.house import House
from schemas.errors import GatewayError, NotFoundError, RefusedError
from schemas.policy import Facility
from schemas.ports import BankPort
from schemas.values import Purpose, Serial, beijing_date

log = logging.getLogger(__name__)

BATCH = 64
FRESH_FOR = timedelta(days=30)


class _Question(NamedTuple):
    applicant_id: int
    product: str
    attempts: int
    serial: Serial
    id_no: str


class _Heard(NamedTuple):
    question: _Question
    facility: Facility | None
    failed: bool


def refresh_facilities(
    house: House,
    *,
    now: datetime,
    limit: int = 2000,
    chance: Callable[[], float] = ANY_CHANCE,
) -> dict[str, int]:
    """Ask the bank about up to `limit` applicants; one call an applicant and product. What was done, counted.

    Only persons whose consent to loan mapping is in force are asked about. A new or changed answer queues the applicant for
    evaluation. A failed call changes nothing and is made again later; when a whole batch fails the run ends.
    """
    if house.bank is None or left_alone(house, BANK, now):
        return {}
    counts: Counter[str] = Counter()
    begun = time.monotonic()
    bank = house.bank
    with ThreadPoolExecutor(THREADS, thread_name_prefix="bank") as pool:
        while counts["taken"] < limit:
            at = now + timedelta(seconds=time.monotonic() - begun)
            taken, questions = _claim(house, min(BATCH, limit - counts["taken"]), now=at)
            if not taken:
                break
            heard = list(pool.map(lambda question: _ask(bank, question), questions))  # ‖
            counts += _keep(house, heard, chance, now=at)
            counts["taken"] += taken
            if heard and all(h.failed for h in heard):
                break
    return dict(counts)


def _claim(house: House, size: int, *, now: datetime) -> tuple[int, list[_Question]]:
    on = beijing_date(now)
    with house.db.transaction() as tx:
        due = benefits.claim_facilities(tx, size, now=now, claimed_until=now + LEASE)
        ids = sorted({row.applicant_id for row in due})
        consenting = {int(p) for p, _ in subjects.list_consenting(tx, Purpose.LOAN_MAPPING, ids)}
        persons = subjects.list_identities(tx, house.keys, sorted(consenting))
        benefits.remove_facilities(tx, [i for i in ids if i not in persons])
    questions = [
        _Question(
            row.applicant_id,
            row.product,
            row.attempts,
            Serial(serial_of("F", on, house.new_id())),
            persons[row.applicant_id].id_no,
        )
        for row in due
        if row.applicant_id in persons
    ]
    return len(due), questions


def _ask(bank: BankPort, question: _Question) -> _Heard:
    try:
        facility = bank.query_facility(question.serial, question.id_no, question.product)
        return _Heard(question, facility, failed=False)
    except (NotFoundError, RefusedError):  # no such customer, or the product is not for them
        return _Heard(question, None, failed=False)
    except GatewayError as exc:
        log.warning("the bank could not say about a facility: %s, serial %s", exc.code, question.serial)
        return _Heard(question, None, failed=True)
    except Exception as exc:  # a question changes nothing at the bank: it is asked again later
        log.error("asking about a facility failed unexpectedly: %s", type(exc).__name__)
        return _Heard(question, None, failed=True)


def _keep(house: House, heard: list[_Heard], chance: Callable[[], float], *, now: datetime) -> Counter[str]:
    answers = [
        FacilityAnswer(h.question.applicant_id, h.question.product, h.facility) for h in heard if not h.failed
    ]
    failed = [h.question for h in heard if h.failed]
    with house.db.transaction() as tx:
        changed = benefits.put_facilities(tx, answers, now=now, next_ask_at=now + FRESH_FOR)
        benefits.mark_changed(tx, changed, cause="facility", now=now)
        later = [(q.applicant_id, q.product, now + outbox.wait_after(q.attempts, chance())) for q in failed]
        benefits.postpone_facilities(tx, later)
    return Counter(
        answered=len(answers),
        unknown_customers=sum(a.facility is None for a in answers),
        changed=len(changed),
        failed=len(failed),
    )
