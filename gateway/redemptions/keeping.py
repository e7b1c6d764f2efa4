"""The rows: a basket is written once, its state moves by events, each event is a record in the log."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from gateway.db import Row, Transaction, copy_text, load_queries
from gateway.redemptions.states import RedemptionEvent, next_state
from schemas.errors import NotFoundError
from schemas.records import RecordBody, RecordDraft
from schemas.redemptions import Aim, Heard, Leg, Line, Redemption, RedemptionState
from schemas.values import Serial, TownCode, instant_text

queries = load_queries(__file__)
EVENT = "redemption_event"


class NewLeg(NamedTuple):
    """What one town will be asked."""

    town: TownCode
    serial: Serial
    holder_id: int
    hold_id: UUID
    total_centi: int


class NewRedemption(NamedTuple):
    """What is written of a basket, once."""

    redemption_id: UUID
    serial: str
    branch_no: str
    teller_no: str
    staff_id: UUID
    idempotency_key: str
    content_sha256: str
    person_id: int
    proxy_person_id: int | None
    proxy_proof: str
    business_on: date
    needs_approval: bool
    expires_at: datetime


class LegNews(NamedTuple):
    """What became known of one town's part."""

    town: TownCode
    heard: Heard
    town_reference: str = ""
    code: str = ""


class Taken(NamedTuple):
    """How many of a good."""

    month_count: int
    year_count: int
    ever_count: int


def lock_person(tx: Transaction, person_id: int) -> None:
    """Until the transaction ends nobody else opens a redemption for this person."""
    tx.run(queries.lock_person, {"person_id": str(person_id)})


def insert_redemption(
    tx: Transaction, new: NewRedemption, lines: Sequence[Line], legs: Sequence[NewLeg], *, now: datetime
) -> Redemption:
    """Write it. Raises ConflictError (from the session) for a key that was used."""
    tx.run(queries.insert_redemption, {**new._asdict(), "now": now})
    at = now.isoformat()
    rows = [
        (
            new.redemption_id,
            no,
            line.good_id,
            line.town,
            line.quantity_count,
            line.price_centi,
            line.settle_fen,
        )
        for no, line in enumerate(lines, 1)
    ]
    tx.copy_in(queries.copy_lines, copy_text(rows))
    tx.copy_in(queries.copy_legs, copy_text([(new.redemption_id, *leg, at) for leg in legs]))
    return get_redemption(tx, new.redemption_id)


def find_by_key(tx: Transaction, staff_id: UUID, idempotency_key: str) -> Row | None:
    """The redemption this person opened under this key."""
    return tx.find(queries.find_by_key, {"staff_id": staff_id, "idempotency_key": idempotency_key})


def find_redemption(tx: Transaction, redemption_id: UUID) -> Redemption | None:
    """One with its legs, or None."""
    row = tx.find(queries.find_redemption, {"redemption_id": redemption_id})
    return None if row is None else _with_legs(tx, row)


def get_redemption(tx: Transaction, redemption_id: UUID) -> Redemption:
    """One with its legs. Raises NotFoundError."""
    found = find_redemption(tx, redemption_id)
    if found is None:
        raise NotFoundError("no such redemption", where="redemption_id", value=str(redemption_id))
    return found


def lock_redemption(tx: Transaction, redemption_id: UUID) -> Redemption:
    """The same; nobody else moves it before the transaction ends."""
    return _with_legs(tx, tx.one(queries.lock_redemption, {"redemption_id": redemption_id}))


def _with_legs(tx: Transaction, row: Row) -> Redemption:
    legs = tx.tuples(queries.list_legs, {"redemption_id": row.redemption_id})
    return Redemption(
        row.redemption_id,
        row.serial,
        row.branch_no,
        row.teller_no,
        row.staff_id,
        row.person_id,
        row.proxy_person_id,
        row.proxy_proof,
        row.business_on,
        row.needs_approval,
        row.opened_at,
        row.expires_at,
        RedemptionState(row.state),
        Aim(row.wanted),
        row.approved_by,
        row.goods,
        row.posted,
        row.attempts,
        tuple(Leg(t, s, h, i, c, Heard(heard), ref, at) for t, s, h, i, c, heard, ref, at in legs),
    )


def mark_legs(
    tx: Transaction, redemption: Redemption, news: Sequence[LegNews], *, now: datetime
) -> Redemption:
    """Write what became known of towns; the redemption with it. `asked_at` moves only where a town is asked anew (ASKED)."""
    if not news:
        return redemption
    by_town = {item.town: item for item in news}
    legs = []
    for leg in redemption.legs:
        item = by_town.get(leg.town, LegNews(leg.town, leg.heard))
        asked_at = now if item.heard is Heard.ASKED else leg.asked_at
        reference = item.town_reference or leg.town_reference
        legs.append(replace(leg, heard=item.heard, town_reference=reference, asked_at=asked_at))
    params = {
        "redemption_id": redemption.redemption_id,
        "towns": [leg.town for leg in legs],
        "heards": [leg.heard.value for leg in legs],
        "references": [leg.town_reference for leg in legs],
        "asked_ats": [leg.asked_at for leg in legs],
    }
    tx.run(queries.mark_legs, params)
    return replace(redemption, legs=tuple(legs))


def mark_moved(tx: Transaction, redemption: Redemption, *, next_attempt_at: datetime | None) -> Redemption:
    """Write aim, goods, posted, approval and attempts as the value says, and until when somebody is at work on it."""
    params = {
        "redemption_id": redemption.redemption_id,
        "wanted": redemption.wanted.value,
        "goods": redemption.goods,
        "posted": redemption.posted,
        "approved_by": redemption.approved_by,
        "attempts": redemption.attempts,
        "next_attempt_at": next_attempt_at,
    }
    tx.run(queries.mark_moved, params)
    return redemption


def move_redemption(
    tx: Transaction,
    redemption: Redemption,
    event: RedemptionEvent,
    *,
    staff_id: UUID | None,
    teller_no: str,
    code: str,
    now: datetime,
    event_id: UUID,
) -> Redemption:
    """Walk one edge: the event is written, PostgreSQL moves the state. ConflictError for an edge that does not exist."""
    state = next_state(redemption.state, event)
    params = {
        "event_id": event_id,
        "redemption_id": redemption.redemption_id,
        "event": event.value,
        "from_state": redemption.state.value,
        "to_state": state.value,
        "staff_id": staff_id,
        "teller_no": teller_no,
        "code": code[:64],
        "stands": stands_text(
            redemption.wanted,
            redemption.goods,
            redemption.posted,
            redemption.approved_by,
            " ".join(f"{leg.town}={leg.heard}:{leg.town_reference}" for leg in redemption.legs),
        ),
        "now": now,
    }
    tx.run(queries.insert_event, params)
    return replace(redemption, state=state)


def stands_text(wanted: str, goods: str, posted: bool, approved_by: object, towns: str) -> str:
    """How a redemption stands, in one line: what changes of it. Kept with each event, and compared with the rows."""
    return f"{wanted} {goods} {'posted' if posted else 'open'} {approved_by or '-'} {towns}"


def event_record(tx: Transaction, event_id: UUID) -> RecordDraft:
    """The record of an event just written, said from the rows: call it last in the transaction."""
    row = tx.one(queries.restate_events, {"row_ids": [str(event_id)]})
    return RecordDraft(EVENT, str(event_id), event_body(row))


def event_body(row: Row) -> RecordBody:
    """The body of a redemption_event record: the event, and what the redemption is. Persons are ids."""
    proof = (
        {"proxy_proof": row.proxy_proof} if row.proxy_proof else {}
    )  # records from before proofs have none
    return {
        **proof,
        "redemption_id": row.redemption_id,
        "event_no": row.event_no,
        "event": row.event,
        "from_state": row.from_state,
        "to_state": row.to_state,
        "staff_id": row.staff_id,
        "teller_no": row.teller_no,
        "code": row.code,
        "stands": row.stands,
        "occurred_at": instant_text(row.occurred_at),
        "serial": row.serial,
        "branch_no": row.branch_no,
        "opened_by": f"{row.opened_by_no} {row.opened_by}",
        "idempotency_key": row.idempotency_key,
        "content_sha256": row.content_sha256,
        "person_id": row.person_id,
        "proxy_person_id": row.proxy_person_id,
        "business_on": None if row.business_on is None else row.business_on.isoformat(),
        "needs_approval": row.needs_approval,
        "opened_at": None if row.opened_at is None else instant_text(row.opened_at),
        "expires_at": None if row.expires_at is None else instant_text(row.expires_at),
        "lines": row.lines,
        "legs": row.legs,
    }


def claim_lapsed(tx: Transaction, limit: int, *, now: datetime, claimed_until: datetime) -> list[UUID]:
    """Redemptions whose asker died, and unknown ones that are due for an inquiry; taken until then."""
    params = {"limit": limit, "now": now, "claimed_until": claimed_until}
    return [redemption_id for (redemption_id,) in tx.tuples(queries.claim_lapsed, params)]


def claim_overdue(tx: Transaction, limit: int, *, now: datetime) -> list[UUID]:
    """Frozen ones that were not confirmed in time."""
    return [r for (r,) in tx.tuples(queries.claim_overdue, {"limit": limit, "now": now})]


def taken_count(tx: Transaction, person_id: int, good_id: UUID, since_on: date) -> int:
    """How many of a good a person has had, or is having, since that day."""
    params = {"person_id": person_id, "good_id": good_id, "since_on": since_on}
    return int(tx.one(queries.taken_count, params).quantity_count)


def list_branch(
    tx: Transaction, branch_no: str, states: Collection[RedemptionState], *, since: datetime, limit: int = 200
) -> list[Row]:
    """A branch's redemptions in these states, newest first."""
    params = {"branch_no": branch_no, "states": [s.value for s in states], "since": since, "limit": limit}
    return tx.all(queries.list_branch, params)


def list_of_person(tx: Transaction, person_id: int, limit: int = 20) -> list[Row]:
    """A person's redemptions anywhere, newest first."""
    return tx.all(queries.list_of_person, {"person_id": person_id, "limit": limit})


def list_taken(tx: Transaction, person_id: int, *, month_on: date, year_on: date) -> dict[UUID, Taken]:
    """How many of each good a person has had, or is having, since the first day of the month, of the year, and ever."""
    params = {"person_id": person_id, "month_on": month_on, "year_on": year_on}
    return {good_id: Taken(*counts) for good_id, *counts in tx.tuples(queries.list_taken, params)}


def list_timelines(tx: Transaction, redemption_ids: Sequence[UUID]) -> dict[UUID, list[Row]]:
    """The events of several redemptions, oldest first; columns as in `list_events` and redemption_id."""
    found: dict[UUID, list[Row]] = {redemption_id: [] for redemption_id in redemption_ids}
    for row in tx.all(queries.list_timelines, {"redemption_ids": list(redemption_ids)}):
        found[row.redemption_id].append(row)
    return found


def list_frozen_at(tx: Transaction, town: TownCode, serials: Sequence[Serial]) -> list[UUID]:
    """Redemptions that are frozen here and have one of these serials at the town."""
    params = {"town": town, "serials": list(serials)}
    return [redemption_id for (redemption_id,) in tx.tuples(queries.list_frozen_at, params)]


def list_lines(tx: Transaction, redemption_id: UUID) -> list[Row]:
    """Rows (line_no, good_id, code, name_zh, name_en, picture, town, quantity_count, price_centi, settle_fen)."""
    return tx.all(queries.list_lines, {"redemption_id": redemption_id})


def list_events(tx: Transaction, redemption_id: UUID) -> list[Row]:
    """The timeline: event_no, event, from_state, to_state, staff_id, teller_no, code, stands, occurred_at."""
    return tx.all(queries.list_events, {"redemption_id": redemption_id})
