"""What an operator registers of a town: read from the files the town sent."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from schemas.errors import InvalidError
from schemas.oauth import SCOPES, ClientRegistration
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
    thumbprints = tuple(
        base64.urlsafe_b64encode(c.fingerprint(hashes.SHA256())).rstrip(b"=").decode() for c in found
    )
    return ClientRegistration(client_id, TownCode(town), tuple(scopes) or tuple(SCOPES), jwks, thumbprints)
