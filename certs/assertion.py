"""Client assertions (RFC 7523): the public JWKS of a town's keys, and a signed assertion for simulators
and tests."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import ECKey


def public_jwks(key_files: Sequence[Path]) -> dict[str, Any]:
    """The public halves as a JWK set; each `kid` is the key's RFC 7638 thumbprint."""
    keys = []
    for path in key_files:
        key = ECKey.import_key(path.read_text())
        public = dict(key.as_dict(private=False))
        keys.append({**public, "kid": key.thumbprint(), "alg": "ES256", "use": "sig"})
    return {"keys": keys}


def sign_assertion(key_file: Path, client_id: str, audience: str, *, lifetime_s: int = 120) -> str:
    """A private_key_jwt assertion, signed ES256, for one use. `audience` is the issuer or the token
    endpoint."""
    key = ECKey.import_key(key_file.read_text())
    now = int(time.time())
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "jti": str(uuid4()),
        "iat": now,
        "nbf": now,
        "exp": now + lifetime_s,
    }
    return jwt.encode({"alg": "ES256", "kid": key.thumbprint()}, claims, key, algorithms=["ES256"])
