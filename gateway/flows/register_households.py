"""Families are registered: codes, members, consents. Only what a consent covers is kept."""

from __future__ import annotations

from datetime import date, datetime

from gateway import benefits, ledger, subjects, translog
from gateway.house import House
from gateway.subjects.restate import GIVEN, consent_records
from schemas.contributions import HouseholdRegistration, ItemAnswer, MemberRegistration
from schemas.resident_id import born_on
from schemas.values import GUARDIAN_UNTIL_AGE, ItemStatus, TownCode, age_on, beijing_date


def register_households(
    house: House, town: TownCode, client_id: str, body: bytes, *, now: datetime
) -> list[ItemAnswer]:
    """Register a document of families; one answer each, `reference` being the family code. Twice is once.

    Errors: InvalidError when the document cannot be read at all.
    """
    del client_id  # the door has checked that this client speaks for the town
    families, faults = house.readers[town].read_households(body)
    answers = [
        ItemAnswer(f.item_no, f.reference, ItemStatus.REJECTED, f.code, f.where, f.detail) for f in faults
    ]
    faulty = {f.item_no for f in faults}
    numbers = [n for n in range(len(families) + len(faults)) if n not in faulty]
    today = beijing_date(now)
    kept: list[HouseholdRegistration] = []
    seen: set[str] = set()
    for number, family in zip(numbers, families, strict=True):
        answer = _judge(number, family, seen, today)
        answers.append(answer)
        if answer.status == ItemStatus.ACCEPTED:
            kept.append(family)
    if kept:
        with house.db.transaction() as tx:
            done = subjects.register(tx, house.keys, town, kept, now=now, new_id=house.new_id)
            ledger.open_accounts(tx, town, done.holders)
            records = consent_records(tx, GIVEN, [c.consent_id for c in done.given])
            translog.append_records(tx, records, now=now, new_id=house.new_id)
            benefits.mark_changed(tx, done.changed, cause="registration", now=now)
    answers.sort(key=lambda a: a.item_no)
    return answers


def _judge(number: int, family: HouseholdRegistration, seen: set[str], today: date) -> ItemAnswer:
    code = family.household_code
    if code and code in seen:
        return ItemAnswer(
            number,
            code,
            ItemStatus.CONFLICT,
            "code-twice",
            f"/{number}",
            "this family code stands twice here",
        )
    seen.add(code)
    if family.member_since_on > today:
        return ItemAnswer(
            number,
            code,
            ItemStatus.REJECTED,
            "date-out-of-range",
            f"/{number}",
            "the start date is in the future",
        )
    for place, member in enumerate(family.members):
        if _needs_guardian(member, today):
            return ItemAnswer(
                number, code, ItemStatus.REJECTED, "guardian-consent-needed", f"/{number}/members/{place}",
                "a person under 14 needs the consent of a guardian; say so in the consent",
            )  # fmt: skip
    return ItemAnswer(number, code, ItemStatus.ACCEPTED)


def _needs_guardian(member: MemberRegistration, today: date) -> bool:
    if not member.consents or all(c.guardian for c in member.consents):
        return False
    age = age_on(born_on(member.id_no), today)
    return age is not None and age < GUARDIAN_UNTIL_AGE
