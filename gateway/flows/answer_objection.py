"""An objection is answered: the finding is recorded, and the letter that explains it is written."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from gateway import objections, subjects
from gateway.db import Transaction
from gateway.flows._explained import explained_decision
from gateway.house import House
from gateway.translog import append_records
from schemas.errors import ConflictError, InvalidError, NotFoundError
from schemas.objections import AboutKind, Finding, LetterText, ObjectionKind, ObjectionState
from schemas.values import PersonId, beijing_date

_FITS = {
    ObjectionKind.QUESTION: {Finding.EXPLAINED},
    ObjectionKind.OBJECTION: {Finding.UPHELD, Finding.CORRECTED},
    ObjectionKind.REFUSAL: {Finding.ACCEPTED},
}


def answer_objection(
    house: House, objection_id: UUID, *, by: str, finding: Finding, answer: str, now: datetime
) -> bytes:
    """The letter (PDF, zh), as it is kept. `answer` stands in it as written.

    Errors: NotFoundError, ConflictError (answered before; somebody else acted meanwhile; `corrected` of a decision that nobody
    decided again), InvalidError (a finding that does not fit, no answer), TamperedError (the decision does not replay).
    """
    with house.db.transaction(read_only=True, isolation="repeatable read") as tx:
        stands = objections.find_objection(tx, objection_id)
        if stands is None:
            raise NotFoundError("no such objection", where="objection_id", value=str(objection_id))
        objections.next_state(stands.state, objections.ObjectionEvent.ANSWERED)
        _check_finding(stands, finding)
        text = _letter_text(house, tx, stands, finding, answer, now)
    letter = objections.write_letter(text)
    with house.db.transaction() as tx:
        again = objections.lock_objection(tx, objection_id)
        if again.event_no != stands.event_no:
            raise ConflictError(
                "somebody else acted on this objection meanwhile",
                code="objection-moved",
                where="objection_id",
                value=str(objection_id),
                remedy="look at it again",
            )
        new = objections.NewEvent(
            house.new_id(),
            objections.ObjectionEvent.ANSWERED,
            by,
            objections.WordsOf(answer, letter.hex()),
            stands.due_on,
            finding,
        )
        draft = objections.insert_event(tx, house.keys, again, new, now=now)
        append_records(tx, [draft], now=now, new_id=house.new_id)
    return letter


def _check_finding(stands: objections.Objection, finding: Finding) -> None:
    if finding not in _FITS[stands.kind]:
        raise InvalidError(
            "this finding does not answer what was asked",
            code="finding-does-not-fit",
            where="finding",
            value=finding,
            remedy=f"a {stands.kind} is " + " or ".join(sorted(_FITS[stands.kind])),
        )
    decision = stands.about_kind is AboutKind.DECISION
    if finding is Finding.CORRECTED and decision and stands.state is not ObjectionState.REVIEWED:
        raise ConflictError(
            "nobody has decided again yet",
            code="not-decided-again",
            where="finding",
            remedy="decide again first",
        )


def _letter_text(
    house: House, tx: Transaction, stands: objections.Objection, finding: Finding, answer: str, now: datetime
) -> LetterText:
    identity = subjects.list_identities(tx, house.keys, [stands.person_id]).get(PersonId(stands.person_id))
    asked = objections.open_words(house.keys, stands.sealed)
    if identity is None or asked is None:
        raise ConflictError("the resident was erased: nobody is left to write to", code="resident-erased")
    decided = [e.decision_ids for e in objections.list_events(tx, stands.objection_id) if e.decision_ids]
    about = [stands.about_id] if stands.about_kind is AboutKind.DECISION and stands.about_id else []
    explained = [explained_decision(tx, UUID(one)) for one in (decided[-1] if decided else about)]
    config = house.config
    return LetterText(
        config.bank_name, config.bank_contact, identity.name, stands.serial, beijing_date(stands.received_at),
        beijing_date(now), stands.kind, finding, asked.words, answer, tuple(explained),
    )  # fmt: skip
