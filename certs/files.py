"""Writing keys and certificates: private files with mode 600 from their first byte, whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes


def write_private(path: Path, content: bytes) -> None:
    """Write with mode 600 in a directory with mode 700; a reader sees the old file or the new one, never
    half."""
    _write(path, content, 0o600)


def write_public(path: Path, content: bytes) -> None:
    """Write with mode 644, atomically."""
    _write(path, content, 0o644)


def _write(path: Path, content: bytes, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    try:
        os.fchmod(handle, mode)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def key_pem(key: PrivateKeyTypes) -> bytes:
    """PKCS#8 PEM without a passphrase: the directory's mode protects it."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def new_ec_key() -> ec.EllipticCurvePrivateKey:
    """P-256: what TLS, ES256 and every town's library can do."""
    return ec.generate_private_key(ec.SECP256R1())


def new_rsa_key() -> rsa.RSAPrivateKey:
    """2048 bits: for WS-Security, where older towns' libraries know nothing else."""
    return rsa.generate_private_key(65537, 2048)


def new_ed25519_key() -> ed25519.Ed25519PrivateKey:
    """For checkpoints of the log (C2SP signed notes)."""
    return ed25519.Ed25519PrivateKey.generate()


def read_ec_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Read a P-256 private key. Raises ValueError for another kind."""
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError(f"{path} is not a P-256 private key")
    return key


def read_certificate(path: Path) -> x509.Certificate:
    """The first certificate of a PEM file."""
    return x509.load_pem_x509_certificates(path.read_bytes())[0]
