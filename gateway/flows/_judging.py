"""Judging the items of a push: which are accepted, and what each of the others is told. Pure: no database, no clock.

Hot: runs once per item. Everything it needs was fetched for the whole push before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple, Protocol

from gateway.contributions import Earlier
from schemas.contributions import Contribution, ItemAnswer
from schemas.values import BEIJING, ContributionKind, ItemStatus, month_of

FUTURE_SLACK = timedelta(minutes=5)  # clocks differ
OLDEST = timedelta(days=3 * 366)  # a correction older than this is for people to look at

GIVES = frozenset({ContributionKind.AWARD, ContributionKind.TRANSFER_IN})


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
DAY_MICROS = 86_400_000_000
BEIJING_MICROS = 8 * 3_600_000_000


def micros_of(at: datetime) -> int:
    """Microseconds since 1970: integers compare many times faster than instants with different offsets."""
    return (at - EPOCH) // MICROSECOND


class Marks(NamedTuple):
    """What was computed of an item before the transaction."""

    content_digest: bytes
    person_digest: str | None  # lookup digest in hex
    occurred_micros: int


class Person(Protocol):
    """What resolution knows of a person."""

    @property
    def person_id(self) -> int: ...
    @property
    def purposes(self) -> frozenset[str]: ...
    @property
    def households(self) -> frozenset[int]: ...


class Judged(NamedTuple):
    """An accepted item with everything its rows need; see `gateway.contributions.Posted`."""

    item: Contribution
    holder_id: int
    person_id: int
    category: str
    occurred_on: date
    content_digest: bytes
    sum_month: int
    sum_category: str
    sum_kind: str
    sum_points_centi: int
    spend_effect_centi: int  # what it does to the spendable points; 0 for a posted score
    spend_other: str  # the account on the other side: 'issue' or 'spent'


class Ground(NamedTuple):
    """What judging stands on: what was resolved and found for all pushes of one transaction."""

    find_household: Callable[[str, date], int | None]
    people: Mapping[str, Person | None]  # by lookup digest in hex; None: nobody we know
    earlier: dict[str, Earlier]  # grows while judging: later items meet earlier ones
    reversed_already: set[str]
    now: datetime


def judge_items(
    items: Sequence[Contribution],
    marks: Sequence[Marks],
    ground: Ground,
    accepted: list[Judged],
    answers: list[ItemAnswer],
) -> None:
    """Judge `items` in order, with the marks of each.

    Appends to `accepted` and, for everything not plainly accepted, to `answers`; adds accepted ones to `ground.earlier`.
    """
    latest = micros_of(ground.now + FUTURE_SLACK)
    oldest = micros_of(ground.now - OLDEST)
    earlier = ground.earlier
    days: dict[int, date] = {}
    for item, (content_digest, person_digest, micros) in zip(items, marks, strict=True):
        standing = earlier.get(item.reference)
        if standing is not None:
            answers.append(_met_again(item, content_digest, standing))
            continue
        if not oldest <= micros <= latest:
            answers.append(_out_of_range(item, ground.now))
            continue
        if item.category is None:
            answers.append(
                _answer(item, ItemStatus.QUARANTINED, "unknown-activity", f"activity {item.activity!r} is not in the code"
                        " table; it is kept and read again when an operator adds it")
            )  # fmt: skip
            continue
        day = (micros + BEIJING_MICROS) // DAY_MICROS
        on = days.get(day)
        if on is None:
            on = days[day] = item.occurred_at.astimezone(BEIJING).date()
        subject = _subject(item, on, person_digest, ground)
        if isinstance(subject, ItemAnswer):
            answers.append(subject)
            continue
        judged = _judge(item, on, subject, content_digest, ground)
        if isinstance(judged, ItemAnswer):
            answers.append(judged)
            continue
        accepted.append(judged)
        earlier[item.reference] = Earlier(
            content_digest,
            judged.holder_id,
            judged.person_id,
            item.kind,
            judged.category,
            item.points_centi,
            on,
        )
        if item.reverses is not None:
            ground.reversed_already.add(item.reverses)


def _met_again(item: Contribution, content_digest: bytes, standing: Earlier) -> ItemAnswer:
    if standing.content_digest == content_digest:
        return ItemAnswer(item.item_no, item.reference, ItemStatus.DUPLICATE)
    return _answer(item, ItemStatus.CONFLICT, "reference-conflict", "this reference was accepted before with other content;"
                   " the first stands; send a reversal of it and a new reference to correct it")  # fmt: skip


def _out_of_range(item: Contribution, now: datetime) -> ItemAnswer:
    what = f"the instant {item.occurred_at.isoformat()} is "
    if item.occurred_at > now:
        what += "in the future; check the clock and the offset"
    else:
        what += f"before {(now - OLDEST).date().isoformat()}; so old an item needs a person"
    return _answer(item, ItemStatus.QUARANTINED, "date-out-of-range", what)


def _subject(
    item: Contribution, on: date, person_digest: str | None, ground: Ground
) -> tuple[int, int] | ItemAnswer:
    """(holder, person or 0) of an item, or why there is none."""
    person = ground.people.get(person_digest) if person_digest is not None else None
    if person_digest is not None and (person is None or not person.purposes):
        return _answer(item, ItemStatus.REJECTED, "no-consent", "this person's consent is not with us; nothing of the item was"
                       " kept; register the consent, then send it again")  # fmt: skip
    if item.household_code is None:
        if person is None:
            return _answer(item, ItemStatus.QUARANTINED, "no-subject", "the item names nobody")
        return person.person_id, person.person_id
    household = ground.find_household(item.household_code, on)
    if household is None:
        return _answer(item, ItemStatus.QUARANTINED, "unknown-household", "no family had this code on that day; register the"
                       " family, then it is read again")  # fmt: skip
    if person is None:
        return household, 0
    if household not in person.households:
        return _answer(item, ItemStatus.QUARANTINED, "not-a-member", "this person is not registered in that family; register"
                       " the family again with all its members")  # fmt: skip
    return household, person.person_id


def _judge(
    item: Contribution, on: date, subject: tuple[int, int], content_digest: bytes, ground: Ground
) -> Judged | ItemAnswer:
    holder_id, person_id = subject
    kind, points, category = item.kind, item.points_centi, str(item.category)
    if kind == ContributionKind.POSTED_SCORE:
        return Judged(item, holder_id, person_id, category, on, content_digest, 0, "", "", 0, 0, "")
    if kind != ContributionKind.REVERSAL:
        effect = points if kind in GIVES else -points
        other = "spent" if kind == ContributionKind.SPEND else "issue"
        return Judged(
            item,
            holder_id,
            person_id,
            category,
            on,
            content_digest,
            month_of(on),
            category,
            str(kind),
            points,
            effect,
            other,
        )
    original = ground.earlier.get(item.reverses or "")
    if original is None:
        return _answer(
            item,
            ItemStatus.QUARANTINED,
            "original-not-found",
            "the item it reverses is not with us; send that first",
        )
    if item.reverses in ground.reversed_already:
        return _answer(item, ItemStatus.CONFLICT, "already-reversed", "what it reverses was reversed before")
    if original.kind in (ContributionKind.REVERSAL, ContributionKind.POSTED_SCORE):
        return _answer(item, ItemStatus.QUARANTINED, "not-reversible", "a reversal or a posted score cannot be reversed; send a"
                       " new item")  # fmt: skip
    if (original.holder_id, original.points_centi) != (holder_id, points):
        return _answer(item, ItemStatus.QUARANTINED, "reversal-differs", "its family or its points are not those of what it"
                       " reverses")  # fmt: skip
    effect = -points if original.kind in GIVES else points
    other = "spent" if original.kind == ContributionKind.SPEND else "issue"
    # It takes back what its original gave: from the original's person, month, category and kind.
    return Judged(
        item, holder_id, original.person_id, original.category, on, content_digest, month_of(original.occurred_on),
        original.category, original.kind, -points, effect, other,
    )  # fmt: skip


def _answer(item: Contribution, status: ItemStatus, code: str, detail: str) -> ItemAnswer:
    return ItemAnswer(item.item_no, item.reference, status, code, f"/items/{item.item_no}", detail)
