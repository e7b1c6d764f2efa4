"""The bank's identity provider: OpenID Connect Core 1.0, code flow with PKCE (RFC 7636), discovery, RP-initiated logout.

Speaks to: any certified provider (tested with npm `oidc-provider`). We are a confidential client with `private_key_jwt` (ES256).
What is trusted of an ID token: a signature by a key of the provider's own list with an algorithm of ours, issuer, audience,
times and nonce.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from adapters.bank_identity.client import IdentityClient
from schemas.errors import InvalidError
from schemas.staff import Role

__all__ = ["Config", "create_client"]


@dataclass(frozen=True, slots=True)
class Config:
    """Where the provider is, who we are there, and which of its claims say what. Times in seconds."""

    address: str  # the issuer, https
    client_id: str
    key_file: Path = field(repr=False)  # ES256 private key for private_key_jwt (PEM)
    key_id: str = ""
    scope: str = "openid profile"
    roles_claim: str = "roles"
    branch_claim: str = "branch_no"
    teller_claim: str = "teller_no"
    name_claim: str = "name"
    roles: Mapping[str, str] = field(
        default_factory=dict
    )  # the provider's group → our role; empty: they are the same
    ca_file: Path | None = None
    connect_timeout_s: float = 3.0
    answer_timeout_s: float = 10.0
    sandbox: bool = False


def create_client(config: Config) -> IdentityClient:
    """Nothing is connected until somebody signs in. Raises InvalidError for a role that is none of ours."""
    unknown = sorted(set(config.roles.values()) - set(Role))
    if unknown:
        raise InvalidError(
            "a role of the identity provider leads to none of ours",
            where="bank_identity.roles",
            value=" ".join(unknown),
            remedy=f"use {', '.join(Role)}",
        )
    return IdentityClient(config)
