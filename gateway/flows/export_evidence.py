"""Evidence to carry away: one file about a decision, a resident, a redemption or a period that anybody checks without us.

Read in one snapshot as the auditor, made into a page with its proofs, sealed with the log's key; and that it was taken out, by
whom and why, is itself a record.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gateway import benefits, contributions, evidence, goods, objections, redemptions, subjects
from gateway.db import Transaction
from gateway.flows._proven import Openings, open_decisions, prove_openings, say_proven
from gateway.house import House
from gateway.translog import (
    RecordProof,
    StoredCheckpoint,
    append_records,
    find_published,
    list_proofs_between,
    load_signer,
)
from gateway.verifier.document import VERSION, join, seal_text, write_unsealed
from schemas.errors import InvalidError, NotFoundError
from schemas.evidence import Opening
from schemas.values import instant_text

MOST_ROWS, MOST_DECISIONS, MOST_RECORDS = 20_000, 2_000, 20_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the evidence shall be about: exactly one of decision, redemption, person (our id) or period [from_at, until_at).

    `with_identity`: a resident's file shows whose it is. `opened`: a period's file shows what decisions and proposals commit to.
    """

    decision_id: UUID | None = None
    redemption_id: UUID | None = None
    person_id: int | None = None
    from_at: datetime | None = None
    until_at: datetime | None = None
    with_identity: bool = False
    opened: bool = False


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """The file's bytes, how many records it holds, and the id of the record about its having been taken out."""

    content: bytes
    record_count: int
    export_id: UUID


def export_evidence(house: House, wanted: Wanted, *, by: str, reason: str, now: datetime) -> EvidenceFile:
    """Make the file and record who took it. Errors: NotFoundError (no such decision or resident, nothing in the period),
    UnavailableError (a record still waits for its leaf or the witnesses), InvalidError (no reason; too many records)."""
    signer = load_signer(house.config.log_key, house.config.log_origin)
    with house.audit_db.transaction(read_only=True, isolation="repeatable read") as tx:
        vkeys = [one.vkey for one in house.witnesses.known]
        published = find_published(tx, vkeys, house.witnesses.quorum)
        if published is None:
            raise NotFoundError("no checkpoint is published yet", code="log-empty", where="log")
        about, statements = _gather(house, tx, wanted, published.checkpoint)
    document = {
        "v": VERSION,
        "about": about,
        "made_at": instant_text(now),
        "origin": house.config.log_origin,
        "checkpoint": published.checkpoint.note,
        "statements": statements,
    }
    unsealed = write_unsealed(document)
    text = seal_text(house.config.log_origin, unsealed)
    content = join(unsealed, f"{text}\n{signer.sign(text)}").encode()
    export = evidence.Export(
        house.new_id(),
        about["kind"],
        about["id"],
        by,
        reason,
        hashlib.sha256(content).digest(),
        len(statements),
        wanted.with_identity or wanted.opened,
        now,
    )
    with house.db.transaction() as tx:
        record = evidence.insert_export(tx, export)
        append_records(tx, [record], now=now, new_id=house.new_id)
    return EvidenceFile(content, len(statements), export.export_id)


def _gather(
    house: House, tx: Transaction, wanted: Wanted, under: StoredCheckpoint
) -> tuple[dict[str, str], list[dict[str, Any]]]:
    if wanted.decision_id is not None:
        openings = open_decisions(tx, [str(wanted.decision_id)])
        about = {"kind": "decision", "id": str(wanted.decision_id)}
    elif wanted.redemption_id is not None:
        openings = _of_redemptions(tx, [wanted.redemption_id])
        about = {"kind": "redemption", "id": str(wanted.redemption_id)}
    elif wanted.person_id is not None:
        openings = _of_resident(house, tx, wanted.person_id, with_identity=wanted.with_identity)
        about = {"kind": "resident", "id": str(wanted.person_id)}
    else:
        return _of_period(tx, wanted, under)
    if not openings:
        raise NotFoundError("the log knows nothing of that", where=about["kind"], value=about["id"])
    return about, prove_openings(tx, openings, under)


def _of_redemptions(tx: Transaction, redemption_ids: list[UUID]) -> Openings:
    taken = redemptions.open_redemptions(tx, redemption_ids)
    return {**goods.open_goods(tx, redemption_ids, taken.priced), **taken.openings} if taken.openings else {}


def _of_resident(house: House, tx: Transaction, person_id: int, *, with_identity: bool) -> Openings:
    households = subjects.list_households_of(tx, [person_id])
    holders = [person_id, *map(int, households)]
    decision_ids = benefits.list_decision_ids_about(tx, person_id, holders, MOST_DECISIONS)
    return {
        **subjects.open_consents(tx, person_id, with_identity=with_identity),
        **contributions.open_contributions(tx, person_id, holders, MOST_ROWS),
        **open_decisions(tx, decision_ids),
        **_of_redemptions(tx, redemptions.list_redemption_ids(tx, person_id)),
        **objections.open_objections(tx, house.keys, person_id),
    }


def _of_period(
    tx: Transaction, wanted: Wanted, under: StoredCheckpoint
) -> tuple[dict[str, str], list[dict[str, Any]]]:
    if wanted.from_at is None or wanted.until_at is None or wanted.from_at >= wanted.until_at:
        raise InvalidError("a period has a beginning and a later end", where="period")
    about = {"kind": "period", "id": f"{instant_text(wanted.from_at)}/{instant_text(wanted.until_at)}"}
    proofs = list_proofs_between(tx, wanted.from_at, wanted.until_at, under, MOST_RECORDS + 1)
    if not proofs:
        raise NotFoundError("nothing was recorded in that period", where="period", value=about["id"])
    if len(proofs) > MOST_RECORDS:
        raise InvalidError(
            f"the period holds more than {MOST_RECORDS} records",
            where="period",
            remedy="ask for shorter ones",
        )
    openings = _commitments(tx, proofs) if wanted.opened else {}
    nothing = Opening()
    return about, [say_proven(proof, openings.get((proof.kind, proof.row_id), nothing)) for proof in proofs]


def _commitments(tx: Transaction, proofs: list[RecordProof]) -> Openings:
    """What the decisions and proposals of a period commit to."""
    ids = {kind: [one.row_id for one in proofs if one.kind == kind] for kind in ("decision", "proposal")}
    return benefits.open_commitments(tx, ids["decision"], ids["proposal"])
