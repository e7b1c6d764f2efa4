"""C2SP tlog-checkpoint: what the log signs about itself, and tlog-proof: a proof one can carry away."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from gateway.translog.merkle import HASH_BYTES, verify_inclusion
from gateway.translog.note import COSIGNATURE, ED25519, Signer, Verifier, open_note, strict_base64
from schemas.errors import InvalidError, TamperedError

PROOF_HEADER = "c2sp.org/tlog-proof@v1"


class Checkpoint(NamedTuple):
    """A tree's size and root (32 bytes) under the log's origin."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The note text: three lines."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


class SignedCheckpoint(NamedTuple):
    """A checkpoint whose signatures verified."""

    checkpoint: Checkpoint
    signed_at: (
        datetime | None
    )  # the earliest of the timed signatures; None when there is none by a key we know
    by: tuple[Verifier, ...] = ()
    unchecked: tuple[
        Verifier, ...
    ] = ()  # known keys whose signatures nothing here can check (SM2 without its extra)


def sign_checkpoint(checkpoint: Checkpoint, signer: Signer, signed_at: datetime) -> str:
    """The signed note: a plain and a timed signature of the log's key, and one of its SM2 key if it has one. `signed_at` counts
    in whole seconds."""
    if checkpoint.origin == "cosignature/v1" or checkpoint.origin != signer.name:
        raise InvalidError(
            "the log's origin is its signer's name", where="GATEWAY_LOG_ORIGIN", value=checkpoint.origin
        )
    text = checkpoint.text()
    timed = signer.sign_at(text, int(signed_at.timestamp()))
    return f"{text}\n{signer.sign(text)}{timed}{signer.sign_second(text)}"


def parse_checkpoint(text: str) -> Checkpoint:
    """The note text to its values. Raises InvalidError unless it is exactly origin, size, root."""
    lines = text.split("\n")
    if len(lines) == 4 and lines[3] == "" and lines[0] and lines[1].isascii() and lines[1].isdigit():
        origin, size, encoded = lines[0], int(lines[1]), lines[2]
        try:
            root = strict_base64(encoded)
        except ValueError:
            root = b""
        if len(root) == HASH_BYTES and str(size) == lines[1]:
            return Checkpoint(origin, size, root)
    raise InvalidError(
        "not a checkpoint: expected the lines origin, size, base64 root",
        code="checkpoint-invalid",
        value=text[:120],
    )


def open_checkpoint(note: str, verifiers: Sequence[Verifier], *, timed: bool = False) -> SignedCheckpoint:
    """Check signatures and read. With `timed`, both of the log's signatures must be there, as it writes them.

    Errors: InvalidError (not a checkpoint), TamperedError (signatures).
    """
    opened = open_note(note, verifiers)
    checkpoint = parse_checkpoint(opened.text)
    kinds = {one.kind for one in opened.by if one.name == checkpoint.origin}
    if ED25519 not in kinds or (timed and COSIGNATURE not in kinds):
        raise TamperedError(
            "the log's own signature is missing from a checkpoint",
            code="signature-missing",
            where=checkpoint.origin,
            value=f"size {checkpoint.size}",
        )
    signed_at = None if opened.signed_at_s is None else _instant(opened.signed_at_s)
    return SignedCheckpoint(checkpoint, signed_at, tuple(opened.by), tuple(opened.unchecked))


def _instant(posix_s: int) -> datetime:
    try:
        return datetime.fromtimestamp(posix_s, UTC)
    except (ValueError, OverflowError, OSError):
        raise InvalidError(
            "a signed time is out of range", code="checkpoint-invalid", value=posix_s
        ) from None


class Proof(NamedTuple):
    """An inclusion proof: the leaf's position, its audit path, and the signed checkpoint it leads to."""

    position: int
    path: list[bytes]
    note: str

    def text(self) -> str:
        """The tlog-proof document."""
        hashes = "".join(base64.b64encode(one).decode() + "\n" for one in self.path)
        return f"{PROOF_HEADER}\nindex {self.position}\n{hashes}\n{self.note}"


def parse_proof(text: str) -> Proof:
    """A tlog-proof document (its `extra` line is skipped: nothing vouches for it). Raises InvalidError."""
    head, blank, note = text.partition("\n\n")
    lines = head.split("\n")
    if len(lines) > 1 and lines[1].startswith("extra "):
        del lines[1]
    try:
        if not blank or lines[0] != PROOF_HEADER or not lines[1].startswith("index "):
            raise ValueError("header")
        index = lines[1].removeprefix("index ")
        if not (index.isascii() and index.isdigit()) or str(int(index)) != index:
            raise ValueError("index")
        path = [strict_base64(line) for line in lines[2:]]
        if len(path) > 64 or any(len(one) != HASH_BYTES for one in path):
            raise ValueError("hash")
    except (ValueError, IndexError):
        raise InvalidError(
            "not a proof", code="proof-invalid", value=head[:120], remedy=f"expected {PROOF_HEADER}"
        ) from None
    return Proof(int(index), path, note)


def check_proof(proof: Proof, hashed: bytes, verifiers: Sequence[Verifier]) -> SignedCheckpoint:
    """Offline: the leaf hash stands at the proof's position under a signed checkpoint, or TamperedError."""
    signed = open_checkpoint(proof.note, verifiers)
    size, root = signed.checkpoint.size, signed.checkpoint.root
    if not verify_inclusion(hashed, proof.position, size, proof.path, root):
        raise TamperedError(
            "the proof does not lead from this record to the signed root",
            code="proof-wrong",
            where=f"leaf {proof.position} of {size}",
            value=hashed.hex(),
            remedy="the record is not what was sealed, or the proof belongs to another record",
        )
    return signed
