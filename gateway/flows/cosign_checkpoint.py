"""Ask the witnesses to sign the newest checkpoint: read what each has not seen yet ‖ each witness ‖ keep what it said."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from gateway.house import House
from gateway.translog import (
    Cosigned,
    Refusal,
    find_checkpoint,
    get_consistency,
    insert_cosignature,
    insert_refusal,
    list_last_cosigned,
    list_refusals,
    read_cosignature,
)
from schemas.errors import ConflictError, GatewayError, RefusedError
from schemas.ports import WitnessPort

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CosignOutcome:
    """What one run did: witnesses that signed, that refused now, that gave no usable answer; and refusals nobody answered yet."""

    signed: int = 0
    refused: int = 0
    away: int = 0
    open_refusals: int = 0


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a witness is to be shown: our checkpoint, and how it grew out of what the witness saw last."""

    old_size: int
    proof: list[bytes]
    size: int
    root: bytes
    note: str


def cosign_checkpoint(house: House, *, now: datetime) -> CosignOutcome:
    """One round. Twice is once. A witness with an open refusal is not asked: a person must answer first (answer_refusal)."""
    if not house.witnesses.known:
        return CosignOutcome()
    with house.db.transaction(read_only=True) as tx:
        doubting = {row.vkey for row in list_refusals(tx, open_only=True)}
    signed = refused = away = 0
    for witness in house.witnesses.known:
        if witness.vkey in doubting:
            continue
        try:
            said = _ask(house, witness, now)
        except GatewayError as exc:  # one witness that is away keeps nobody from the others
            log.warning("witness %s: %s", witness.name, exc.code)
            away += 1
            continue
        signed += said is True
        refused += said is False
    return CosignOutcome(signed, refused, away, len(doubting) + refused)


def _ask(house: House, witness: WitnessPort, now: datetime) -> bool | None:
    """True: it signed something new; False: it refused; None: it has signed the newest already."""
    asked = _prepare(house, witness, None)
    for _ in range(3):  # it may stand elsewhere than we remember: then it says where
        if asked is None:
            return None
        try:
            found = read_cosignature(
                asked.note, witness.add_checkpoint(asked.old_size, asked.proof, asked.note), witness.vkey
            )
        except ConflictError as exc:
            seen_size = int(exc.value)
            if seen_size == asked.size == asked.old_size:
                return _refuse(house, witness, asked, seen_size, "witness-other-root", now)
            if seen_size > asked.size and not _grew(house, seen_size):
                return _refuse(house, witness, asked, seen_size, "witness-saw-more", now)
            asked = _prepare(house, witness, seen_size)
            continue
        except RefusedError as exc:
            return _refuse(house, witness, asked, asked.old_size, exc.code, now)
        return _keep(house, asked, found, now)
    return None


def _prepare(house: House, witness: WitnessPort, seen_size: int | None) -> _Asked | None:
    """What to show it; None when the newest checkpoint is signed by it, or nothing is sealed."""
    with house.db.transaction(read_only=True, isolation="repeatable read") as tx:
        newest = find_checkpoint(tx)
        last = list_last_cosigned(tx, [witness.vkey])[witness.vkey]
        old_size = last.size if seen_size is None else seen_size
        if newest is None or last.size == newest.size or old_size > newest.size:
            return None
        proof = get_consistency(tx, old_size, newest.size)
    return _Asked(old_size, proof, newest.size, newest.root, newest.note)


def _grew(house: House, size: int) -> bool:
    """Whether another round of ours showed the witness more in the meantime."""
    with house.db.transaction(read_only=True) as tx:
        newest = find_checkpoint(tx)
    return newest is not None and newest.size >= size


def _keep(house: House, asked: _Asked, found: Cosigned, now: datetime) -> bool | None:
    with house.db.transaction() as tx:
        return insert_cosignature(tx, asked.size, found, now=now) or None


def _refuse(
    house: House, witness: WitnessPort, asked: _Asked, seen_size: int, code: str, now: datetime
) -> bool:
    log.error("witness %s refuses the checkpoint of size %d: %s", witness.name, asked.size, code)
    with house.db.transaction() as tx:
        refusal = Refusal(witness.vkey, asked.size, asked.root, seen_size, code)
        insert_refusal(tx, refusal, now=now, new_id=house.new_id)
    return False
