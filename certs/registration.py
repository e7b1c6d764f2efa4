"""What an operator registers of a town: read from the files the town sent."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from schemas.errors import InvalidError
from schemas.oauth import SCOPES, ClientRegistration
from schemas.soap import SoapRegistration
from schemas.values import TownCode


def read_registration(
    town: str, client_id: str, jwks_file: Path, cert_files: Sequence[Path], scopes: Sequence[str] = ()
) -> ClientRegistration:
    """A registration from a JWKS file and PEM certificates; no scope named means every scope. Raises InvalidError."""
    try:
        jwks = json.loads(jwks_file.read_text("utf-8"))
        found = [x509.load_pem_x509_certificates(path.read_bytes())[0] for path in cert_files]
    except ValueError as exc:
        raise InvalidError("a key set or certificate cannot be read", where=f"{jwks_file} or --cert") from exc
    if not isinstance(jwks, dict):
        raise InvalidError("a JWK set is a JSON object", where=str(jwks_file), remedy='{"keys": [...]}')
    thumbprints = tuple(_x5t(certificate) for certificate in found)
    return ClientRegistration(client_id, TownCode(town), tuple(scopes) or tuple(SCOPES), jwks, thumbprints)


def read_soap_registration(
    town: str,
    client_id: str,
    signing_files: Sequence[Path],
    tls_files: Sequence[Path],
    username: str | None = None,
    password: str | None = None,
    scopes: Sequence[str] = (),
) -> SoapRegistration:
    """A registration from PEM certificates; no scope named means every scope. Raises InvalidError."""
    try:
        signing = [x509.load_pem_x509_certificates(path.read_bytes())[0] for path in signing_files]
        tls = [x509.load_pem_x509_certificates(path.read_bytes())[0] for path in tls_files]
    except ValueError as exc:
        raise InvalidError(
            "a certificate cannot be read", where="--signing-cert or --tls-cert", remedy="give PEM"
        ) from exc
    return SoapRegistration(
        client_id, TownCode(town), tuple(scopes) or tuple(SCOPES),
        tuple(certificate.public_bytes(Encoding.DER) for certificate in signing),
        tuple(_x5t(certificate) for certificate in tls), username, password,
    )  # fmt: skip


def end_of(der: bytes) -> datetime:
    """When a certificate ends."""
    return x509.load_der_x509_certificate(der).not_valid_after_utc


def _x5t(certificate: x509.Certificate) -> str:
    """RFC 8705 section 3.1: base64url without padding of the SHA-256 of the certificate's DER."""
    return base64.urlsafe_b64encode(certificate.fingerprint(hashes.SHA256())).rstrip(b"=").decode()
