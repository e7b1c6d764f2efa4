"""A witness of one or more logs (c2sp.org/tlog-witness): it signs a checkpoint when the log only grew since its last one.

Its folder holds its key, the logs it watches, and for each log the last checkpoint it signed. A folder whose state was lost must
not be used again under the same name: the witness would sign a second history.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from gateway.translog.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from gateway.translog.keys import load_signer
from gateway.translog.merkle import EMPTY_ROOT, verify_consistency
from gateway.translog.note import Signer, Verifier, note_text, parse_vkey, strict_base64
from schemas.errors import GatewayError, InvalidError, TamperedError, UnavailableError

MAX_BODY_BYTES = 64 * 1024
MAX_PROOF = 63
TEXT, SIZE = "text/plain; charset=utf-8", "text/x.tlog.size"


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    content_type: str
    body: bytes


def plain(status: int, sentence: str) -> Answer:
    """A sentence for whoever reads it."""
    return Answer(status, TEXT, f"{sentence}\n".encode())


@dataclass
class Witness:
    """One witness over its folder. Raises UnavailableError when another process uses it, InvalidError for a broken one."""

    folder: Path
    clock_s: Callable[[], int]
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._held = (self.folder / "lock").open("a")
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._held.close()
            raise UnavailableError("another witness works in this folder", where=str(self.folder)) from None
        try:
            self.signer = read_signer(self.folder)
            self.logs = read_logs(self.folder)
            for origin in self.logs:
                self._last(origin)
        except BaseException:
            self._held.close()
            raise

    def close(self) -> None:
        """Let the folder go."""
        self._held.close()

    def add_checkpoint(self, body: bytes) -> Answer:
        """The protocol's one call: check, persist, then sign. Everything it refuses for an inconsistent history is kept."""
        try:
            old_size, proof, note = _parse_request(body)
            checkpoint = parse_checkpoint(note_text(note))
        except (GatewayError, ValueError) as exc:
            return plain(400, f"not an add-checkpoint request: {exc}")
        verifiers = self.logs.get(checkpoint.origin)
        if verifiers is None:
            return plain(404, "this witness does not watch a log of that origin")
        try:
            open_checkpoint(note, verifiers)
        except GatewayError as exc:
            return plain(403, f"the log's signature does not verify: {exc.what}")
        if old_size > checkpoint.size:
            return plain(400, "the old size is above the checkpoint's")
        with self._lock:
            return self._judge(old_size, proof, checkpoint, note)

    def _judge(self, old_size: int, proof: Sequence[bytes], checkpoint: Checkpoint, note: str) -> Answer:
        last = self._last(checkpoint.origin)
        if old_size != last.size:
            if last.size > checkpoint.size:
                self._keep_evidence(checkpoint, note, "smaller than what it showed before")
            return Answer(409, SIZE, f"{last.size}\n".encode())
        if checkpoint.size == last.size and checkpoint.root != last.root:
            self._keep_evidence(checkpoint, note, "another root at the same size")
            return Answer(409, SIZE, f"{last.size}\n".encode())
        if not verify_consistency(last.size, checkpoint.size, last.root, checkpoint.root, proof):
            self._keep_evidence(checkpoint, note, "no consistency with what it showed before")
            return plain(422, "the proof does not show that the log only grew")
        text = note_text(note)
        line = self.signer.sign_at(text, self.clock_s())
        _write(self._state(checkpoint.origin), (note + line).encode())
        return Answer(200, TEXT, line.encode())

    def find_cosigned(self, origin: str) -> Answer:
        """What this witness signed last, with the log's signature and its own: for whoever compares what two witnesses saw."""
        if origin not in self.logs:
            return plain(404, "this witness does not watch a log of that origin")
        with self._lock:
            content = self._state(origin).read_bytes()
        return Answer(200, TEXT, content) if content else plain(404, "nothing was signed yet")

    def _state(self, origin: str) -> Path:
        return self.folder / "state" / f"{hashlib.sha256(origin.encode()).hexdigest()[:32]}.checkpoint"

    def _last(self, origin: str) -> Checkpoint:
        path = self._state(origin)
        try:
            content = path.read_text("utf-8")
        except OSError:
            raise InvalidError(
                "the witness has lost what it signed last: it must not sign on under this name",
                code="witness-state-lost",
                where=str(path),
                remedy="restore the folder, or make a new witness with another name and tell the logs it watches",
            ) from None
        if not content:
            return Checkpoint(origin, 0, EMPTY_ROOT)
        mine = self.signer.verifier().cosigner()
        if mine not in open_checkpoint(content, [*self.logs[origin], mine]).by:
            raise TamperedError("the witness's own signature on its state is missing", where=str(path))
        return parse_checkpoint(note_text(content))

    def _keep_evidence(self, checkpoint: Checkpoint, note: str, why: str) -> None:
        """The log signed two histories: this note, beside the one in the state, proves it. Each is kept once."""
        folder = self.folder / "evidence"
        folder.mkdir(exist_ok=True)
        name = f"{checkpoint.size}-{checkpoint.root.hex()[:16]}"
        before = self._state(checkpoint.origin).read_text("utf-8")
        if not (folder / f"{name}.shown").exists() and len(list(folder.iterdir())) < 2000:
            _write(folder / f"{name}.shown", note.encode())
            _write(folder / f"{name}.signed-before", before.encode())
            _write(folder / f"{name}.why", f"{why}\n".encode())


def make_witness(folder: Path, name: str, key_pem: bytes, logs: Sequence[str]) -> str:
    """A new folder for a new witness of the logs with these verifier keys; its own verifier key. Raises InvalidError."""
    verifiers = [parse_vkey(line) for line in logs]
    if not verifiers:
        raise InvalidError(
            "name at least one log", where="--log", remedy="its verifier key: `gateway log keys`"
        )
    if folder.exists() and any(folder.iterdir()):
        raise InvalidError(
            "the folder is not empty: a witness begins with nothing",
            where=str(folder),
            remedy="choose another",
        )
    (folder / "state").mkdir(parents=True)
    folder.chmod(0o700)
    _write(folder / "witness.key", key_pem, 0o600)
    _write(folder / "name", f"{name}\n".encode())
    _write(folder / "logs.vkeys", "".join(f"{one.vkey()}\n" for one in verifiers).encode())
    for origin in {one.name for one in verifiers}:
        _write(folder / "state" / f"{hashlib.sha256(origin.encode()).hexdigest()[:32]}.checkpoint", b"")
    vkey = read_signer(folder).verifier().cosigner().vkey()
    _write(folder / "witness.vkey", f"{vkey}\n".encode())
    return vkey


def read_signer(folder: Path) -> Signer:
    """The witness's key under its name. Raises InvalidError."""
    try:
        name = (folder / "name").read_text("utf-8").strip()
    except OSError:
        raise InvalidError(
            "this is no witness's folder", where=str(folder), remedy="`witness init` makes one"
        ) from None
    if not name or "+" in name or any(char.isspace() for char in name):
        raise InvalidError("a witness's name has no space and no plus sign", where="name", value=name)
    return load_signer(folder / "witness.key", name)


def read_logs(folder: Path) -> dict[str, list[Verifier]]:
    """Keys of the watched logs by origin."""
    found: dict[str, list[Verifier]] = {}
    for line in (folder / "logs.vkeys").read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            verifier = parse_vkey(line)
            found.setdefault(verifier.name, []).append(verifier)
    return found


def _parse_request(body: bytes) -> tuple[int, list[bytes], str]:
    if len(body) > MAX_BODY_BYTES:
        raise ValueError("too long")
    head, blank, note = body.decode().partition("\n\n")
    first, *lines = head.split("\n")
    old = first.removeprefix("old ")
    if not blank or first == old or not (old.isascii() and old.isdigit()) or str(int(old[:19])) != old:
        raise ValueError("the first line is `old`, a space and a size")
    proof = [strict_base64(line) for line in lines]
    if len(proof) > MAX_PROOF or any(len(one) != 32 for one in proof):
        raise ValueError(f"at most {MAX_PROOF} hashes of 32 bytes")
    return int(old), proof, note


def _write(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Whole and on the disk before this returns, or not at all."""
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        os.fchmod(descriptor, mode)
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    fresh.replace(path)
    with suppress(OSError):  # not every file system lets a folder be synced
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
