"""One objection as whoever answers it sees it: what was asked, what happened, and what it is about."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from gateway import evidence, objections
from gateway.house import House
from gateway.translog import append_records
from schemas.crypto import Sealed
from schemas.errors import NotFoundError


class Happened(NamedTuple):
    """One event, with its words ('' after erasure)."""

    event: str
    to_state: str
    finding: str
    recorded_by: str
    happened_at: datetime
    words: str
    decision_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ObjectionView:
    """Personal: `asked` and the words of events are the resident's and ours to them."""

    objection: objections.Objection = field(repr=False)
    asked: str = field(repr=False)
    events: tuple[Happened, ...] = field(repr=False)


def show_objection(house: House, objection_id: UUID, *, by: str, reason: str, now: datetime) -> ObjectionView:
    """That somebody read it is recorded first. Raises NotFoundError, InvalidError (no reason)."""
    with house.db.transaction() as tx:
        found = objections.find_objection(tx, objection_id)
        if found is None:
            raise NotFoundError("no such objection", where="objection_id", value=str(objection_id))
        events = objections.list_events(tx, objection_id)
        commitment = objections.commitment_of(tx, objection_id)
        read = evidence.Export(
            house.new_id(), "letter", str(objection_id), by, reason, commitment, 1, True, now
        )
        append_records(tx, [evidence.insert_export(tx, read)], now=now, new_id=house.new_id)
    asked = objections.open_words(house.keys, found.sealed)
    happened = []
    for row in events:
        words = objections.open_words(house.keys, Sealed(row.key_id, bytes(row.sealed)))
        happened.append(
            Happened(row.event, row.to_state, row.finding, row.recorded_by, row.happened_at, words.words if words else "",
                     tuple(row.decision_ids))
        )  # fmt: skip
    return ObjectionView(found, asked.words if asked else "", tuple(happened))
