"""The public keys with which others check what we sign: access tokens and receipts."""

from __future__ import annotations

from typing import Any

from joserfc.jwk import ECKey

from gateway import clients
from gateway.house import House


def publish_keys(house: House) -> dict[str, dict[str, Any]]:
    """JWK sets (RFC 7517) by use: 'token' (two keys during rotation) and 'receipt'."""
    receipt = ECKey.import_key(house.config.receipt_key.read_text())
    public = {**receipt.as_dict(private=False), "kid": receipt.thumbprint(), "alg": "ES256", "use": "sig"}
    return {
        "token": clients.memory_of(house.db, house.config.token_keys).keys.jwks(),
        "receipt": {"keys": [public]},
    }
