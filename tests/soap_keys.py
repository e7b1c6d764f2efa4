"""Signing identities for tests: invented, self-signed, made when asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from schemas.soap import SigningIdentity


@cache
def signing_identity(name: str, kind: str = "rsa", days: int = 30, age_days: int = 1) -> SigningIdentity:
    """'rsa' (2048), 'small' (RSA 1024) or 'ec' (P-256); the certificate began `age_days` ago and is good for `days`."""
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    if kind == "ec":
        key = ec.generate_private_key(ec.SECP256R1())
    else:
        key = rsa.generate_private_key(65537, 1024 if kind == "small" else 2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    begun = datetime.now(UTC) - timedelta(days=age_days)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begun)
        .not_valid_after(begun + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return SigningIdentity(pem, certificate.public_bytes(Encoding.PEM))


def der_of(identity: SigningIdentity) -> bytes:
    """The certificate as towns are registered with."""
    return x509.load_pem_x509_certificate(identity.certificate_pem).public_bytes(Encoding.DER)
