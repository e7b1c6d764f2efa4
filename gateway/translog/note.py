"""C2SP signed-note and the two Ed25519 signatures our checkpoints carry (c2sp.org/signed-note, c2sp.org/tlog-cosignature).

Type 0x01 signs the text. Type 0x04 signs the text with a time, so that *when* a checkpoint was signed is evidence too.
Both come from one key: the specification separates them by key id and by the line `cosignature/v1`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from gateway.translog.ed25519 import signature_holds
from schemas.errors import InvalidError, TamperedError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ED25519, COSIGNATURE = 0x01, 0x04
MAX_SIGNATURES, MAX_NOTE_CHARS = 100, 100_000
_DASH = "\u2014 "
_FORM = "fetch it again; a signed note is text, a blank line and signature lines (c2sp.org/signed-note)"


def _key_id(name: str, kind: int, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(char.isspace() for char in name)


def strict_base64(text: str) -> bytes:
    """Decode; raises ValueError unless `text` is exactly what encoding the result gives."""
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error as exc:
        raise ValueError(str(exc)) from None
    if base64.b64encode(raw).decode() != text:
        raise ValueError("not the one encoding of these bytes")
    return raw


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with the name and the type of signature it checks."""

    name: str
    kind: int  # ED25519 or COSIGNATURE
    public: bytes = field(repr=False)  # 32 bytes
    key_id: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key_id", _key_id(self.name, self.kind, self.public))

    def vkey(self) -> str:
        """The verifier key line others configure: name+hex(key id)+base64(type ‖ public key)."""
        material = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{material}"

    def cosigner(self) -> Verifier:
        """The same key as it checks timed signatures."""
        return Verifier(self.name, COSIGNATURE, self.public)

    def check(self, text: str, signature: bytes) -> int | None:
        """Raises TamperedError unless `signature` is this key's over `text`; the signed time (s) for type 0x04."""
        signed_at_s = None
        message = text.encode()
        if self.kind == COSIGNATURE:
            signed_at_s = int.from_bytes(signature[:8], "big")
            signature = signature[8:]
            message = _cosigned(text, signed_at_s)
        if not signature_holds(self.public, signature, message):
            raise TamperedError(
                "a signature does not verify: the text, the time or the signature was changed",
                code="signature-invalid",
                where=self.name,
                value=f"key id {self.key_id.hex()}, type {self.kind:#04x}",
            )
        return signed_at_s


def _cosigned(text: str, signed_at_s: int) -> bytes:
    return f"cosignature/v1\ntime {signed_at_s}\n{text}".encode()


def parse_vkey(line: str) -> Verifier:
    """A verifier key line. Raises InvalidError."""
    name, _, rest = line.strip().partition("+")
    key_id, _, material = rest.partition("+")
    try:
        raw = strict_base64(material)
    except ValueError:
        raw = b""
    if not _is_name(name) or len(raw) != 33 or raw[0] not in (ED25519, COSIGNATURE):
        raise InvalidError(
            "not a verifier key of type 0x01 or 0x04",
            code="vkey-invalid",
            value=line[:120],
            remedy="expected name+8 hex digits+base64; print ours with `gateway log keys`",
        )
    verifier = Verifier(name, raw[0], raw[1:])
    if verifier.key_id.hex() != key_id:
        raise InvalidError("a verifier key's id does not fit its key", code="vkey-invalid", value=line[:120])
    return verifier


def parse_vkeys(text: str) -> list[Verifier]:
    """One verifier key a line, # is a comment; each plain one also as it checks timed signatures. Raises InvalidError."""
    found: list[Verifier] = []
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            verifier = parse_vkey(line)
            found += [verifier] if verifier.kind == COSIGNATURE else [verifier, verifier.cosigner()]
    return list(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class Signer:
    """The log's private key under its name."""

    name: str
    private: Ed25519PrivateKey = field(repr=False)

    def verifier(self) -> Verifier:
        """What others need to check its signatures."""
        return Verifier(self.name, ED25519, self.private.public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """A signature line of type 0x01."""
        return _line(self.verifier(), self.private.sign(text.encode()))

    def sign_at(self, text: str, at_s: int) -> str:
        """A signature line of type 0x04, as of `at_s` (POSIX seconds)."""
        signature = at_s.to_bytes(8, "big") + self.private.sign(_cosigned(text, at_s))
        return _line(self.verifier().cosigner(), signature)


def _line(verifier: Verifier, signature: bytes) -> str:
    return f"{_DASH}{verifier.name} {base64.b64encode(verifier.key_id + signature).decode()}\n"


class OpenedNote(NamedTuple):
    """A note whose known signatures all verified."""

    text: str
    by: list[Verifier]  # at least one
    signed_at_s: int | None  # the earliest signed time, when there is one


def open_note(note: str, verifiers: Sequence[Verifier]) -> OpenedNote:
    """Check a signed note. Unknown keys are ignored; a known key's bad signature refuses the note.

    Errors: InvalidError (not a note), TamperedError (a known key's signature is wrong, or none is known).
    """
    text, signatures = _parts(note)
    known: dict[tuple[str, bytes], Verifier] = {(one.name, one.key_id): one for one in verifiers}
    by: list[Verifier] = []
    times: list[int] = []
    for name, raw in signatures:
        verifier = known.get((name, raw[:4]))
        if verifier is None or verifier in by:
            continue
        signed_at_s = verifier.check(text, raw[4:])
        by.append(verifier)
        if signed_at_s is not None:
            times.append(signed_at_s)
    if not by:
        raise TamperedError(
            "no signature is by a key we know",
            code="signer-unknown",
            value=", ".join(f"{name}+{raw[:4].hex()}" for name, raw in signatures)[:300],
            remedy="add the signer's verifier key, or do not believe the note",
        )
    return OpenedNote(text, by, min(times, default=None))


def note_text(note: str) -> str:
    """What a note says, without its signatures; nothing is checked but its form. Raises InvalidError."""
    return _parts(note)[0]


def _parts(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    if len(note) > MAX_NOTE_CHARS or any(char < " " and char != "\n" for char in note):
        raise InvalidError(
            "not a signed note: too long or with control characters", code="note-invalid", remedy=_FORM
        )
    at = note.rfind("\n\n")
    if at < 0 or not note.endswith("\n"):
        raise InvalidError(
            "not a signed note: no blank line before signatures", code="note-invalid", remedy=_FORM
        )
    text, lines = note[: at + 1], note[at + 2 : -1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise InvalidError(
            "not a signed note: too many signatures", code="note-invalid", value=len(lines), remedy=_FORM
        )
    signatures = []
    for line in lines:
        name, _, material = line.removeprefix(_DASH).partition(" ")
        try:
            raw = strict_base64(material)
        except ValueError:
            raw = b""
        if not line.startswith(_DASH) or not _is_name(name) or len(raw) < 5:
            raise InvalidError("not a signature line", code="note-invalid", value=line[:120], remedy=_FORM)
        signatures.append((name, raw))
    return text, signatures
