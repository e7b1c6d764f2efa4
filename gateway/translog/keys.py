"""The log's keys: the private ones sign, the public ones verify. Only paths, PEM and SM2's file; nothing is cached."""

from __future__ import annotations

import contextlib
import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.translog.note import ED25519, Signer, Verifier, parse_vkeys
from gateway.translog.sm2 import beside, load_key, make_key
from schemas.errors import InvalidError


def load_signer(path: Path, origin: str) -> Signer:
    """The log's signer from an Ed25519 PEM, and from the SM2 key beside it (ending .sm2) where one is. Raises InvalidError:
    absent, readable by others, another kind of key, or an SM2 key without the library for it."""
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
    return Signer(origin, key, load_key(beside(path)))


def add_sm2_key(path: Path, verifiers: Path, origin: str) -> str:
    """Make the log's SM2 key beside its key in `path`, publish it, and give its verifier key. Raises InvalidError."""
    load_signer(path, origin)
    make_key(beside(path))
    publish_verifiers(verifiers, path, origin)
    return load_signer(path, origin).verifiers()[-1].vkey()


def publish_verifiers(path: Path, signer_path: Path, origin: str) -> bool:
    """Add the present keys' verifier keys to the file of public keys, keeping those that stand there: an old checkpoint is
    verified with the key of its time. False when they are there already."""
    lines = [one.vkey() for one in load_signer(signer_path, origin).verifiers()]
    before = path.read_text("utf-8") if path.exists() else ""
    missing = [line for line in lines if line not in before.splitlines()]
    if not missing:
        return False
    text = before if before.endswith("\n") or not before else before + "\n"
    fresh = path.with_suffix(".new")
    fresh.write_text(text + "".join(f"{line}\n" for line in missing), "utf-8")
    fresh.chmod(0o644)
    fresh.replace(path)
    return True


def load_verifiers(path: Path, signer_path: Path, origin: str) -> list[Verifier]:
    """Public keys, one verifier key a line (# is a comment), each for plain and timed signatures.

    Without that file they come from the private key, as on a development machine.
    """
    if not path.exists():
        ours = load_signer(signer_path, origin).verifiers()
        return [*ours, *(one.cosigner() for one in ours if one.kind == ED25519)]
    found = parse_vkeys(path.read_text("utf-8"))
    if not found:
        raise InvalidError(
            "no verifier key in the file", where=str(path), remedy="write `gateway log keys` into it"
        )
    return found
