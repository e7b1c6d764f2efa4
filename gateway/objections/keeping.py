"""The rows: an objection is written once, what happens to it are events, each a record in the log. Words are sealed."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from gateway.db import Row, Transaction, int_array, load_queries
from gateway.objections.restate import committed, event_record, objection_record
from gateway.objections.states import ObjectionEvent, next_state
from schemas.crypto import KeyRing, Sealed
from schemas.errors import ConflictError, InvalidError, NotFoundError
from schemas.objections import (
    MAX_WORDS,
    AboutKind,
    Channel,
    Finding,
    NewObjection,
    ObjectionKind,
    ObjectionState,
)
from schemas.records import RecordDraft

queries = load_queries(__file__)
SEAL_PURPOSE = "objection"
_COUNTED = ("event_id", "objection_id", "event_no", "event", "from_state", "to_state", "due_on", "finding", "decision_ids",
            "commitment", "recorded_by", "happened_at")  # fmt: skip
_RECEIVED = ("objection_id", "serial", "person_id", "kind", "about_kind", "about_id", "channel", "commitment", "due_on",
             "received_by", "received_at", "recorded_at")  # fmt: skip


class Objection(NamedTuple):
    """As it stands."""

    objection_id: UUID
    serial: str
    person_id: int
    kind: ObjectionKind
    about_kind: AboutKind
    about_id: str
    channel: Channel
    sealed: Sealed
    due_on: date
    received_by: str
    received_at: datetime
    state: ObjectionState
    event_no: int


class WordsOf(NamedTuple):
    """What a box holds. Personal."""

    words: str
    letter_hex: str = ""  # the letter's PDF as it was sent

    @property
    def content(self) -> dict[str, Any]:
        """As committed to, and as opened in evidence."""
        return dict(self._asdict())


class NewEvent(NamedTuple):
    """What happens. `words`: the reason of an extension, the reviewer's note, the answer."""

    event_id: UUID
    event: ObjectionEvent
    by: str
    words: WordsOf
    due_on: date
    finding: Finding | None = None
    decision_ids: tuple[str, ...] = ()


def insert_objection(
    tx: Transaction, keys: KeyRing, new: NewObjection, *, serial: str, due_on: date, by: str, now: datetime
) -> RecordDraft:
    """Write it. Raises InvalidError for words that are missing or too long, or without who took it down."""
    _check(by, new.words, "words")
    content = WordsOf(new.words)
    row = {
        **new._asdict(),
        **_sealed(keys, content),
        "serial": serial,
        "due_on": due_on,
        "received_by": by,
        "recorded_at": now,
    }
    tx.run(queries.insert_objection, row)
    return objection_record([row[name] for name in _RECEIVED])


def insert_event(
    tx: Transaction, keys: KeyRing, objection: Objection, new: NewEvent, *, now: datetime
) -> RecordDraft:
    """The objection walks one edge. Raises ConflictError for one that does not exist, InvalidError without who and why."""
    _check(new.by, new.words.words, "words")
    row = {
        "event_id": new.event_id,
        "objection_id": objection.objection_id,
        "event_no": objection.event_no + 1,
        "event": new.event.value,
        "from_state": objection.state.value,
        "to_state": next_state(objection.state, new.event).value,
        "due_on": new.due_on,
        "finding": new.finding.value if new.finding else "",
        "decision_ids": list(new.decision_ids),
        "recorded_by": new.by,
        "happened_at": now,
        **_sealed(keys, new.words),
    }
    tx.run(queries.insert_event, row)
    return event_record([row[name] for name in _COUNTED])


def _check(by: str, words: str, where: str) -> None:
    if not by.strip():
        raise InvalidError("say who records it", code="objection-incomplete", where="by")
    if not words.strip() or len(words) > MAX_WORDS:
        raise InvalidError(
            f"say it in 1 to {MAX_WORDS} characters",
            code="objection-incomplete",
            where=where,
            value=f"{len(words)} characters",
        )


def _sealed(keys: KeyRing, content: WordsOf) -> Mapping[str, Any]:
    salt = secrets.token_bytes(32)
    box = keys.seal(orjson.dumps(content.content), SEAL_PURPOSE)
    return {
        "key_id": box.key_id,
        "sealed": box.box,
        "salt": salt,
        "commitment": committed(salt, content.content),
    }


def open_words(keys: KeyRing, sealed: Sealed) -> WordsOf | None:
    """What a box holds; None when it was emptied (the resident was erased). Raises TamperedError."""
    if not sealed.box:
        return None
    return WordsOf(**orjson.loads(keys.open(sealed, SEAL_PURPOSE)))


def find_objection(tx: Transaction, objection_id: UUID) -> Objection | None:
    """One, or None."""
    row = tx.find(queries.find_objection, {"objection_id": objection_id})
    if row is None:
        return None
    return Objection(
        row.objection_id,
        row.serial,
        row.person_id,
        ObjectionKind(row.kind),
        AboutKind(row.about_kind),
        row.about_id,
        Channel(row.channel),
        Sealed(row.key_id, bytes(row.sealed)),
        row.due_on,
        row.received_by,
        row.received_at,
        ObjectionState(row.state),
        row.event_no,
    )


def lock_objection(tx: Transaction, objection_id: UUID) -> Objection:
    """One; nobody else acts on it before the transaction ends. Raises NotFoundError."""
    tx.run(queries.lock_objection_id, {"objection_id": str(objection_id)})
    found = find_objection(tx, objection_id)
    if found is None:
        raise NotFoundError("no such objection", where="objection_id", value=str(objection_id))
    return found


def says_the_same(keys: KeyRing, stands: Objection, new: NewObjection) -> bool:
    """Whether an objection is the one that is recorded again."""
    words = open_words(keys, stands.sealed)
    return (stands.person_id, stands.kind, stands.about_kind, stands.about_id, stands.channel, words and words.words) == (
        new.person_id, new.kind, new.about_kind, new.about_id, new.channel, new.words)  # fmt: skip


def require_same(keys: KeyRing, stands: Objection, new: NewObjection) -> None:
    """Raises ConflictError when this id was used for something else."""
    if not says_the_same(keys, stands, new):
        raise ConflictError(
            "another objection was recorded under this id",
            code="objection-id-used",
            where="objection_id",
            value=str(new.objection_id),
        )


def list_objections(tx: Transaction, *, waiting_only: bool, limit: int = 500) -> list[Row]:
    """By due day: objection_id, serial, person_id, kind, about_kind, about_id, channel, due_on, received_by, received_at, state,
    happened_at."""
    return tx.all(queries.list_objections, {"waiting_only": waiting_only, "person_id": None, "limit": limit})


def list_of_person(tx: Transaction, person_id: int, limit: int = 100) -> list[Row]:
    """Somebody's, same columns."""
    return tx.all(queries.list_objections, {"waiting_only": False, "person_id": person_id, "limit": limit})


def list_events(tx: Transaction, objection_id: UUID) -> list[Row]:
    """What happened to it, in order; with the sealed words."""
    return tx.all(queries.list_events, {"objection_id": objection_id})


def commitment_of(tx: Transaction, objection_id: UUID) -> bytes:
    """What stands in the log for the words. Raises NotFoundError."""
    return bytes(tx.one(queries.get_commitment, {"objection_id": objection_id}).commitment)


def list_refusing(tx: Transaction, person_ids: Sequence[int]) -> set[int]:
    """Those of the persons about whom no decision may be made by a machine alone."""
    if not person_ids:
        return set()
    rows = tx.tuples(queries.list_refusing, {"person_ids": int_array(person_ids)})
    return {person_id for (person_id,) in rows}


def measure(tx: Transaction, today: date) -> tuple[int, int, datetime | None]:
    """(objections whose term runs, those past it, when the oldest was received)."""
    row = tx.one(queries.measure, {"today": today})
    return row.waiting, row.overdue, row.oldest_at
