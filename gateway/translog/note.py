"""C2SP signed-note and the signatures our checkpoints carry (c2sp.org/signed-note, c2sp.org/tlog-cosignature).

Type 0x01 signs the text. Type 0x04 signs the text with a time, so that *when* a checkpoint was signed is evidence too.
Both come from one key: the specification separates them by key id and by the line `cosignature/v1`. Type 0xff with the name
`SM2-with-SM3` signs the text with a key of its own, for those who must check with national algorithms.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from gateway.translog.ed25519 import signature_holds
from gateway.translog.sm2 import PUBLIC_BYTES, SM2, SM2_TYPE, Sm2Key, holds, is_installed
from schemas.errors import InvalidError, TamperedError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ED25519, COSIGNATURE = 0x01, 0x04
#: kind → what stands before a public key where its id is computed, and how long the key is
_TYPES = {ED25519: (b"\x01", 32), COSIGNATURE: (b"\x04", 32), SM2: (SM2_TYPE, PUBLIC_BYTES)}
MAX_SIGNATURES, MAX_NOTE_CHARS = 100, 100_000
_DASH = "\u2014 "
_FORM = "fetch it again; a signed note is text, a blank line and signature lines (c2sp.org/signed-note)"


def _key_id(name: str, kind: int, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _TYPES[kind][0] + public).digest()[:4]


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
    kind: int  # ED25519, COSIGNATURE or SM2
    public: bytes = field(repr=False)  # 32 bytes, of SM2 64
    key_id: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key_id", _key_id(self.name, self.kind, self.public))

    def vkey(self) -> str:
        """The verifier key line others configure: name+hex(key id)+base64(type ‖ public key)."""
        material = base64.b64encode(_TYPES[self.kind][0] + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{material}"

    def cosigner(self) -> Verifier:
        """The same key as it checks timed signatures."""
        return Verifier(self.name, COSIGNATURE, self.public)

    @property
    def checkable(self) -> bool:
        """Whether what this needs is installed: SM2 comes with the extra `guomi`."""
        return self.kind != SM2 or is_installed()

    def check(self, text: str, signature: bytes) -> int | None:
        """Raises TamperedError unless `signature` is this key's over `text`; the signed time (s) for type 0x04."""
        signed_at_s = None
        message = text.encode()
        if self.kind == COSIGNATURE:
            signed_at_s = int.from_bytes(signature[:8], "big")
            signature = signature[8:]
            message = _cosigned(text, signed_at_s)
        holding = holds if self.kind == SM2 else signature_holds
        if not holding(self.public, signature, message):
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
    kind = next((one for one, (start, size) in _TYPES.items() if raw[: -size or None] == start), None)
    if not _is_name(name) or kind is None:
        raise InvalidError(
            "not a verifier key of type 0x01, 0x04 or SM2",
            code="vkey-invalid",
            value=line[:120],
            remedy="expected name+8 hex digits+base64; print ours with `gateway log keys`",
        )
    verifier = Verifier(name, kind, raw[-_TYPES[kind][1] :])
    if verifier.key_id.hex() != key_id:
        raise InvalidError("a verifier key's id does not fit its key", code="vkey-invalid", value=line[:120])
    return verifier


def parse_vkeys(text: str) -> list[Verifier]:
    """One verifier key a line, # is a comment; each plain one also as it checks timed signatures. Raises InvalidError."""
    found: list[Verifier] = []
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            verifier = parse_vkey(line)
            found += [verifier, verifier.cosigner()] if verifier.kind == ED25519 else [verifier]
    return list(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class Signer:
    """The log's private key under its name; with the second one, if it signs with SM2 too."""

    name: str
    private: Ed25519PrivateKey = field(repr=False)
    second: Sm2Key | None = None

    def verifier(self) -> Verifier:
        """What others need to check its signatures."""
        return Verifier(self.name, ED25519, self.private.public_key().public_bytes_raw())

    def verifiers(self) -> list[Verifier]:
        """The same of every key."""
        second = [] if self.second is None else [Verifier(self.name, SM2, self.second.public)]
        return [self.verifier(), *second]

    def sign_second(self, text: str) -> str:
        """A signature line of SM2; '' without such a key."""
        if self.second is None:
            return ""
        return _line(Verifier(self.name, SM2, self.second.public), self.second.sign(text.encode()))

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
    unchecked: list[Verifier]  # known keys whose signatures nothing here can check


def open_note(note: str, verifiers: Sequence[Verifier]) -> OpenedNote:
    """Check a signed note. Unknown keys are ignored; a known key's bad signature refuses the note.

    Errors: InvalidError (not a note), TamperedError (a known key's signature is wrong, or none is known).
    """
    text, signatures = _parts(note)
    known: dict[tuple[str, bytes], Verifier] = {(one.name, one.key_id): one for one in verifiers}
    by: list[Verifier] = []
    times: list[int] = []
    unchecked: list[Verifier] = []
    for name, raw in signatures:
        verifier = known.get((name, raw[:4]))
        if verifier is None or verifier in by:
            continue
        if not verifier.checkable:
            unchecked.append(verifier)
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
    return OpenedNote(text, by, min(times, default=None), unchecked)


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
