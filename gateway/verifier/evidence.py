"""Checks a file of evidence with public keys only: no database, no network, nothing of the gateway's machine.

What it proves and what it cannot is said in docs/evidence.md. Every refusal is one sentence that names the place.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from gateway.translog.checkpoint import SignedCheckpoint, open_checkpoint
from gateway.translog.merkle import leaf_hash, verify_inclusion
from gateway.translog.note import COSIGNATURE, Verifier, open_note, strict_base64
from gateway.translog.sm2 import SM2
from gateway.verifier.checks import check_together
from gateway.verifier.document import canonical_text, seal_text, split, write_unsealed
from gateway.verifier.statements import Statement, tampered
from schemas.errors import GatewayError, InvalidError

_KEYS = {"v", "about", "made_at", "origin", "checkpoint", "statements"}
_ENVELOPE = {"body", "kind", "recorded_at", "row_id", "v"}


class Verdict(NamedTuple):
    """What was proved: these records stood in the log of that origin and size, signed at that time, seen by these witnesses."""

    about_kind: str
    about_id: str
    origin: str
    size: int
    signed_at: datetime | None
    witnesses: tuple[str, ...]
    kinds: Counter[str]
    second: str = ""  # of the log's SM2 signature: 'checked', 'not checked', or '' when it carries none by a key that was given


def verify_evidence(
    content: bytes, verifiers: Sequence[Verifier], *, quorum: int = 0, id_no: str = ""
) -> Verdict:
    """Everything, in the order from the records to the page. `quorum`: so many witnesses among `verifiers` must have signed.
    `id_no`: also that the person in it is the one with this resident id (the file must carry the salt).

    Raises TamperedError or InvalidError: the first thing wrong.
    """
    document, unsealed, sealed_note = split(content)
    try:
        verdict = _judge(document, verifiers, quorum, id_no)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as exc:
        raise InvalidError(
            "the evidence is not formed as it must be: something in it was changed",
            code="evidence-form",
            value=f"{type(exc).__name__}: {exc}"[:200],
        ) from None
    if write_unsealed(document) != unsealed:
        raise tampered(
            "the page a person reads, or the spelling of the records, is not what the records give",
            where=_first_difference(write_unsealed(document), unsealed),
        )
    _check_seal(document["origin"], unsealed, sealed_note, verifiers)
    return verdict


def _judge(document: Mapping[str, Any], verifiers: Sequence[Verifier], quorum: int, id_no: str) -> Verdict:
    if set(document) != _KEYS:
        raise InvalidError(
            "parts of the evidence are missing or too many", code="evidence-form", where=str(sorted(document))
        )
    signed = _check_checkpoint(document, verifiers)
    origin = signed.checkpoint.origin
    witnesses = tuple(
        sorted({one.name for one in signed.by if one.kind == COSIGNATURE and one.name != origin})
    )
    if len(witnesses) < quorum:
        raise tampered(
            f"only {len(witnesses)} of the {quorum} witnesses asked for have signed the checkpoint",
            where="checkpoint",
        )
    statements = [_read(number, one, signed) for number, one in enumerate(document["statements"], 1)]
    if not statements:
        raise InvalidError("the evidence holds no record", code="evidence-form", where="statements")
    about = document["about"]
    if set(about) != {"kind", "id"}:
        raise InvalidError("what the evidence is about is not said", code="evidence-form", where="about")
    check_together(statements, about["kind"], about["id"], id_no)
    return Verdict(
        about["kind"],
        about["id"],
        origin,
        signed.checkpoint.size,
        signed.signed_at,
        witnesses,
        Counter(one.kind for one in statements),
        _second(signed),
    )


def _second(signed: SignedCheckpoint) -> str:
    if any(one.kind == SM2 for one in signed.by):
        return "checked"
    return "NOT checked: install gateway-verifier[guomi]" if signed.unchecked else ""


def _check_checkpoint(document: Mapping[str, Any], verifiers: Sequence[Verifier]) -> SignedCheckpoint:
    try:
        signed = open_checkpoint(document["checkpoint"], verifiers)
    except GatewayError as exc:
        raise tampered(
            f"the checkpoint cannot be believed: {exc.what}", where=f"checkpoint ({exc.where or exc.value})"
        ) from None
    if signed.checkpoint.origin != document["origin"]:
        raise tampered("the checkpoint is of another log", where="origin")
    return signed


def _read(number: int, raw: Mapping[str, Any], signed: SignedCheckpoint) -> Statement:
    """One record: it stands at its leaf under the signed root, and says what kind it is."""
    where = f"record {number} of the file"
    if set(raw) != {"record", "leaf", "path", "opening", "attached"}:
        raise InvalidError("parts of a record are missing or too many", code="evidence-form", where=where)
    record, leaf = raw["record"], raw["leaf"]
    path = [strict_base64(one) for one in raw["path"]]
    size, root = signed.checkpoint.size, signed.checkpoint.root
    if type(leaf) is not int or any(len(one) != 32 for one in path):
        raise InvalidError("a proof is not formed as it must be", code="evidence-form", where=where)
    if not verify_inclusion(leaf_hash(record.encode()), leaf, size, path, root):
        raise tampered(
            "a record is not the one that was sealed, or its proof was changed: it does not lead to the signed root",
            where=f"{where} (leaf {leaf})",
        )
    envelope = json.loads(record)
    if set(envelope) != _ENVELOPE or canonical_text(envelope) != record:
        raise tampered("a record is not an envelope this version knows", where=where)
    statement = Statement(
        number, leaf, envelope["kind"], envelope["row_id"], envelope["body"], raw["opening"], raw["attached"]
    )
    if statement.opening is not None:
        _check_opening(statement)
    return statement


def _check_opening(statement: Statement) -> None:
    """The record holds a commitment; what stands here is what was committed to."""
    assert statement.opening is not None
    if set(statement.opening) != {"salt", "content"}:
        raise InvalidError("an opening holds salt and content", code="evidence-form", where=statement.where)
    salt = bytes.fromhex(statement.opening["salt"])
    committed = hashlib.sha256(salt + canonical_text(statement.opening["content"]).encode()).hexdigest()
    if committed != statement.body.get("commitment"):
        raise tampered("the values shown are not those the record committed to", where=statement.where)


def _check_seal(origin: str, unsealed: str, sealed_note: str, verifiers: Sequence[Verifier]) -> None:
    try:
        opened = open_note(sealed_note, [one for one in verifiers if one.name == origin])
    except GatewayError as exc:
        raise tampered(f"the seal of the file cannot be believed: {exc.what}", where="seal") from None
    if opened.text != seal_text(origin, unsealed):
        raise tampered("the file is not the one that was sealed: something in it was changed", where="seal")


def _first_difference(wanted: str, found: str) -> str:
    at = next((at for at, (left, right) in enumerate(zip(wanted, found, strict=False)) if left != right), 0)
    return f"character {at}: {found[max(0, at - 20) : at + 20]!r}"
