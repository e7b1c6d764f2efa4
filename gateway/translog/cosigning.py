"""Witnesses' signatures on our checkpoints: which checkpoint is published, and what a refusal means.

A checkpoint is published when enough witnesses signed it and none refused it or an earlier one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from gateway.db import Row, Transaction, load_queries
from gateway.translog.note import COSIGNATURE, Verifier, open_note, parse_vkey
from gateway.translog.proofs import StoredCheckpoint
from gateway.translog.records import append_records
from gateway.translog.restate import answer_record, refusal_record
from schemas.errors import ConflictError, InvalidError

queries = load_queries(__file__)
_BEYOND = 2**63 - 1


class Cosigned(NamedTuple):
    """One witness's signature on a checkpoint."""

    vkey: str
    line: str
    cosigned_at: datetime

    @property
    def name(self) -> str:
        """Who signed."""
        return self.vkey.partition("+")[0]


class Published(NamedTuple):
    """The checkpoint outsiders get, with the lines of its witnesses in the note."""

    checkpoint: StoredCheckpoint
    cosigned: tuple[Cosigned, ...]


class LastCosigned(NamedTuple):
    """Where a witness stands, as far as we know: the size and the number of its newest signature (0, 0: never)."""

    size: int
    number: int


def witness_verifier(vkey: str) -> Verifier:
    """A witness's key. Raises InvalidError unless it is one for cosignatures (type 0x04)."""
    verifier = parse_vkey(vkey)
    if verifier.kind != COSIGNATURE:
        raise InvalidError(
            "a witness's key must be of type 0x04",
            code="vkey-invalid",
            where="GATEWAY_WITNESSES_FILE",
            value=vkey[:120],
            remedy="`gateway witness init` prints it",
        )
    return verifier


def find_published(tx: Transaction, vkeys: Sequence[str], quorum: int) -> Published | None:
    """The newest checkpoint that `quorum` of the witnesses signed and nobody doubts; None while there is none."""
    doubted = tx.one(queries.find_refused_size).size
    below = _BEYOND if doubted is None else doubted
    if quorum:
        found = tx.find(queries.find_cosigned_size, {"vkeys": list(vkeys), "below": below, "quorum": quorum})
        below = found.size + 1 if found else 0
    row = tx.find(queries.find_checkpoint_below, {"below": below})
    if row is None:
        return None
    lines = tx.tuples(queries.list_cosignatures, {"size": row.size, "vkeys": list(vkeys)})
    cosigned = tuple(Cosigned(*line) for line in lines)
    note = row.note + "".join(one.line for one in cosigned)
    return Published(StoredCheckpoint(row.size, bytes(row.root), note, row.signed_at), cosigned)


def list_last_cosigned(tx: Transaction, vkeys: Sequence[str]) -> dict[str, LastCosigned]:
    """By verifier key; every asked one is there."""
    rows = tx.tuples(queries.list_last_cosigned, {"vkeys": list(vkeys)})
    return {vkey: LastCosigned(size, number) for vkey, size, number in rows}


def read_cosignature(note: str, lines: str, vkey: str) -> Cosigned:
    """The witness's own line out of its answer. Raises InvalidError or TamperedError unless it signed exactly this checkpoint."""
    verifier = witness_verifier(vkey)
    text = note[: note.rfind("\n\n") + 2]
    for line in lines.splitlines(keepends=True):
        if not line.startswith(f"\u2014 {verifier.name} "):
            continue
        opened = open_note(text + line, [verifier])
        if opened.signed_at_s is None or opened.signed_at_s >= 2**40:
            break
        return Cosigned(vkey, line, datetime.fromtimestamp(opened.signed_at_s, UTC))
    raise InvalidError(
        "the witness's answer holds no signature of it", code="witness-garbage", where=verifier.name
    )


def insert_cosignature(tx: Transaction, size: int, found: Cosigned, *, now: datetime) -> bool:
    """Keep it; False when it is here already."""
    last = list_last_cosigned(tx, [found.vkey])[found.vkey]
    params = {
        "size": size,
        "vkey": found.vkey,
        "number": last.number + 1,
        "line": found.line,
        "cosigned_at": found.cosigned_at,
        "now": now,
    }
    return tx.run(queries.insert_cosignature, params) == 1


class Refusal(NamedTuple):
    """A witness would not sign the checkpoint of this size and root."""

    vkey: str
    size: int
    root: bytes
    seen_size: int | None
    code: str


def insert_refusal(tx: Transaction, refusal: Refusal, *, now: datetime, new_id: Callable[[], UUID]) -> UUID:
    """Keep it, and record it in the log."""
    refusal_id = new_id()
    params = {**refusal._asdict(), "refusal_id": str(refusal_id), "now": now}
    tx.run(queries.insert_refusal, params)
    row = (refusal_id, *refusal, now)
    append_records(tx, [refusal_record(row)], now=now, new_id=new_id)
    return refusal_id


def insert_refusal_answer(
    tx: Transaction, refusal_id: UUID, *, by: str, reason: str, now: datetime, new_id: Callable[[], UUID]
) -> None:
    """A person says what was found out; publication goes on. Raises ConflictError when it is answered or unknown."""
    if str(refusal_id) not in {str(row.refusal_id) for row in list_refusals(tx, open_only=True)}:
        raise ConflictError(
            "no open refusal has this id",
            code="refusal-not-open",
            value=str(refusal_id),
            remedy="`gateway log witnesses` lists them",
        )
    if not by.strip() or not 10 <= len(reason) <= 2000:
        raise InvalidError(
            "say who answers and why, in 10 to 2000 characters", code="refusal-answer-invalid", where="reason"
        )
    params = {"refusal_id": str(refusal_id), "answered_by": by, "reason": reason, "now": now}
    tx.run(queries.insert_refusal_answer, params)
    append_records(tx, [answer_record((refusal_id, by, reason, now))], now=now, new_id=new_id)


def list_refusals(tx: Transaction, *, open_only: bool = False) -> list[Row]:
    """The last hundred, newest first, each with its answer if it has one."""
    return tx.all(queries.list_refusals, {"open_only": open_only})
