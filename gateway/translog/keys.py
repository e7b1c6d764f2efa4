"""The log's keys: the private one signs, the public ones verify. Only paths and PEM; nothing is cached."""

from __future__ import annotations

import contextlib
import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.translog.note import Signer, Verifier, parse_vkeys
from schemas.errors import InvalidError


def load_signer(path: Path, origin: str) -> Signer:
    """The log's signer from an Ed25519 PEM. Raises InvalidError: absent, readable by others, or another kind of key."""
    if not path.exists():
        raise InvalidError("the log has no key", where=str(path), remedy="run `gateway certs init`")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise InvalidError(
            "the log's key can be read by others", where=str(path), value=oct(mode), remedy="chmod 600 it"
        )
    key: object = None
    with contextlib.suppress(ValueError, TypeError):
        key = load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidError("the log's key is not an unencrypted Ed25519 PEM", where=str(path))
    return Signer(origin, key)


def publish_verifiers(path: Path, signer_path: Path, origin: str) -> bool:
    """Add the present key's verifier key to the file of public keys, keeping those that stand there: an old checkpoint is
    verified with the key of its time. False when it is there already."""
    line = load_signer(signer_path, origin).verifier().vkey()
    before = path.read_text("utf-8") if path.exists() else ""
    if line in before.splitlines():
        return False
    text = before if before.endswith("\n") or not before else before + "\n"
    fresh = path.with_suffix(".new")
    fresh.write_text(f"{text}{line}\n", "utf-8")
    fresh.chmod(0o644)
    fresh.replace(path)
    return True


def load_verifiers(path: Path, signer_path: Path, origin: str) -> list[Verifier]:
    """Public keys, one verifier key a line (# is a comment), each for plain and timed signatures.

    Without that file they come from the private key, as on a development machine.
    """
    if not path.exists():
        verifier = load_signer(signer_path, origin).verifier()
        return [verifier, verifier.cosigner()]
    found = parse_vkeys(path.read_text("utf-8"))
    if not found:
        raise InvalidError(
            "no verifier key in the file", where=str(path), remedy="write `gateway log keys` into it"
        )
    return found
