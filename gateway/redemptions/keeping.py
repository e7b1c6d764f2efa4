"""The rows: a basket is written once, its state moves by events, each event is a record in the log."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any, NamedTuple
from uuid import UUID

from gateway.db import Row, Transaction, copy_text, load_queries
from gateway.redemptions.states import RedemptionEvent, next_state
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
    tx.later(queries.lock_person, {"person_id": str(person_id)})


def insert_redemption(
    tx: Transaction, new: NewRedemption, lines: Sequence[Line], legs: Sequence[NewLeg], *, now: datetime
) -> Redemption:
    """Write it, opened: goods are held for it, towns are about to be asked.

    ConflictError (from the session) for a key that was used."""
    tx.later(queries.insert_redemption, {**new._asdict(), "now": now})
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
    tx.copy_in(queries.copy_legs, copy_text([(new.redemption_id, *leg, now.isoformat()) for leg in legs]))
    return Redemption(
        new.redemption_id, new.serial, new.branch_no, new.teller_no, new.staff_id, new.person_id, new.proxy_person_id,
        new.proxy_proof, new.business_on, new.needs_approval, now, new.expires_at, RedemptionState.OPENED, Aim.FREEZE, None,
        "held", False, 0, new.idempotency_key, new.content_sha256, 0, tuple(lines),
        tuple(Leg(*leg, Heard.ASKED, "", now) for leg in sorted(legs, key=lambda leg: leg.town)),
    )  # fmt: skip


def find_by_key(tx: Transaction, staff_id: UUID, idempotency_key: str) -> Row | None:
    """The redemption this person opened under this key."""
    return tx.find(queries.find_by_key, {"staff_id": staff_id, "idempotency_key": idempotency_key})


def find_redemption(tx: Transaction, redemption_id: UUID) -> Redemption | None:
    """One with its lines and legs, or None."""
    row = tx.find(queries.find_redemption, {"redemption_id": redemption_id})
    return None if row is None else _redemption(row)


def lock_redemption(tx: Transaction, redemption_id: UUID) -> Redemption:
    """The same; nobody else moves it before the transaction ends. Raises NotFoundError."""
    tx.later(queries.lock_redemption, {"redemption_id": redemption_id})
    return _redemption(tx.one(queries.find_redemption, {"redemption_id": redemption_id}))


def _redemption(row: Row) -> Redemption:
    lines = tuple(Line(UUID(good), *rest) for good, *rest in row.lines or ())
    legs = tuple(
        Leg(town, serial, holder, UUID(hold), centi, Heard(heard), ref, datetime.fromisoformat(at))
        for town, serial, holder, hold, centi, heard, ref, at in row.legs or ()
    )
    read = {"state": RedemptionState(row.state), "wanted": Aim(row.wanted), "lines": lines, "legs": legs}
    return Redemption(**{**row._asdict(), **read})


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
    tx.later(queries.mark_legs, params)
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
    tx.later(queries.mark_moved, params)
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
) -> tuple[Redemption, RecordDraft]:
    """Walk one edge: the event is written, PostgreSQL moves the state. The redemption after it, and the record of the event.

    ConflictError for an edge that does not exist, and (from the session) for one that somebody else walked meanwhile."""
    state = next_state(redemption.state, event)
    moved = replace(redemption, state=state, event_count=redemption.event_count + 1)
    written = {
        "event_id": event_id,
        "redemption_id": redemption.redemption_id,
        "event_no": moved.event_count,
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
    tx.later(queries.insert_event, written)
    return moved, RecordDraft(EVENT, str(event_id), event_body(_as_restated(moved, written)))


def _as_restated(redemption: Redemption, written: Mapping[str, Any]) -> SimpleNamespace:
    """An event just written with the columns `restate_events` will have of it."""
    r = redemption
    return SimpleNamespace(
        redemption_id=str(r.redemption_id), event_no=written["event_no"], event=written["event"],
        from_state=written["from_state"], to_state=written["to_state"], teller_no=written["teller_no"], code=written["code"],
        staff_id=None if written["staff_id"] is None else str(written["staff_id"]), stands=written["stands"],
        occurred_at=written["now"], serial=r.serial, branch_no=r.branch_no, opened_by_no=r.teller_no, opened_by=str(r.staff_id),
        idempotency_key=r.idempotency_key, content_sha256=r.content_sha256, person_id=r.person_id,
        proxy_person_id=r.proxy_person_id, proxy_proof=r.proxy_proof, business_on=r.business_on, needs_approval=r.needs_approval,
        opened_at=r.opened_at, expires_at=r.expires_at,
        lines=[[no, str(n.good_id), n.town, n.quantity_count, n.price_centi, n.settle_fen] for no, n in enumerate(r.lines, 1)],
        legs=[[g.town, g.serial, g.holder_id, str(g.hold_id), g.total_centi] for g in r.legs],
    )  # fmt: skip


def stands_text(wanted: str, goods: str, posted: bool, approved_by: object, towns: str) -> str:
    """How a redemption stands, in one line: what changes of it. Kept with each event, and compared with the rows."""
    return f"{wanted} {goods} {'posted' if posted else 'open'} {approved_by or '-'} {towns}"


def event_body(row: Any) -> RecordBody:
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
