"""SM2 signatures with SM3 (GB/T 32918.2, GB/T 32905), for those who must check with national algorithms.

Computed by GmSSL where the extra `guomi` is installed (`pip install gateway[guomi]`), and never here. Without it a signature of
this kind cannot be checked, and whoever verifies says so instead of passing over it.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas.errors import InvalidError

#: signed-note's type for kinds it has not numbered, and the longer name it asks for behind it
SM2 = 0xFF
SM2_TYPE = b"\xffSM2-with-SM3"
PUBLIC_BYTES, PRIVATE_BYTES = 64, 32
_LIBRARY = "gmssl_pyx"


def is_installed() -> bool:
    """Whether signatures of this kind can be made and checked here."""
    return importlib.util.find_spec(_LIBRARY) is not None


def _library() -> Any:
    if not is_installed():
        raise InvalidError(
            "SM2 needs a library that is not installed", code="guomi-missing", where=_LIBRARY,
            remedy="pip install 'gateway[guomi]', or remove the key beside the log's key that ends in .sm2",
        )  # fmt: skip
    return importlib.import_module(_LIBRARY)


def holds(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether `signature` (DER of r and s) is that of the key `public` (64 bytes, x ‖ y) over `message`, under the identity that
    GM/T 0009 gives when none is agreed."""
    library = _library()
    try:
        return bool(library.sm2_verify(public, message, signature))
    except library.GmsslInnerError:
        return False


@dataclass(frozen=True, slots=True)
class Sm2Key:
    """A private key (32 bytes) with its public key (64 bytes, x ‖ y)."""

    public: bytes
    private: bytes = field(repr=False)

    def sign(self, message: bytes) -> bytes:
        """DER of r and s; another one each time."""
        return bytes(_library().sm2_sign(self.private, self.public, message))


def beside(log_key: Path) -> Path:
    """Where the log's SM2 key is, if there is one: beside its Ed25519 key, with the ending .sm2."""
    return log_key.with_suffix(".sm2")


def make_key(path: Path) -> Sm2Key:
    """A new key, written with mode 600. Raises InvalidError when one is there already: old checkpoints are signed with it."""
    if path.exists():
        raise InvalidError(
            "there is an SM2 key already", where=str(path), remedy="move it away to make a new one"
        )
    public, private = _library().sm2_key_generate()
    path.touch(0o600, exist_ok=False)
    path.write_text(json.dumps({"public": public.hex(), "private": private.hex()}) + "\n", "utf-8")
    return Sm2Key(public, private)


def load_key(path: Path) -> Sm2Key | None:
    """The key in a file; None without that file. Raises InvalidError: readable by others, not a key, or no library."""
    if not path.exists():
        return None
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise InvalidError(
            "the log's SM2 key can be read by others", where=str(path), value=oct(mode), remedy="chmod 600 it"
        )
    try:
        said = json.loads(path.read_text("utf-8"))
        found = Sm2Key(bytes.fromhex(said["public"]), bytes.fromhex(said["private"]))
    except (ValueError, KeyError, TypeError):
        found = Sm2Key(b"", b"")
    if (len(found.public), len(found.private)) != (PUBLIC_BYTES, PRIVATE_BYTES):
        raise InvalidError("not an SM2 key", where=str(path), remedy="`gateway log sm2-key` makes one")
    _library()
    return found
