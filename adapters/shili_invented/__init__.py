"""示例积分 (Shili points): an invented town, written with the kit as a vendor's engineer would. No town runs it.

Speaks: JSON over HTTPS. In: the REST door every town has, in the words of wire.py. Out: REST with OAuth 2.0 client credentials
(contract/town_openapi.yaml). Version: shili_invented/1. Points belong to persons, are whole, and cannot be frozen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from adapters.oauth_client import OAuthAccess
from adapters.shili_invented.client import ShiliClient
from adapters.shili_invented.mapping import CAPABILITIES, PROFILE, create_reader

__all__ = ["CAPABILITIES", "PROFILE", "Config", "create_client", "create_reader"]


@dataclass(frozen=True, slots=True)
class Config:
    """How the town is reached. Times in seconds; paths are files."""

    address: str  # https://host:port, without a path at the end
    client_id: str  # who we are at the town's token endpoint
    key_file: Path = field(repr=False)  # ES256 private key for private_key_jwt (PEM)
    key_id: str = ""
    ca_file: Path | None = None  # authorities of the town's server certificate; None: the system's
    client_cert: Path | None = None
    client_key: Path | None = field(default=None, repr=False)
    connect_timeout_s: float = 3.0
    answer_timeout_s: float = 10.0
    sandbox: bool = False  # a simulator; refused in production


def create_client(config: Config) -> ShiliClient:
    """Calls out to the town. Nothing is connected until the first call."""
    return ShiliClient(
        OAuthAccess(
            neighbour=PROFILE.town,
            address=config.address,
            client_id=config.client_id,
            key_pem=config.key_file.read_text(),
            key_id=config.key_id,
            token_path="/oauth/token",  # noqa: S106  a path, not a secret
            scope="points",
            verify=str(config.ca_file) if config.ca_file else True,
            client_cert=(str(config.client_cert), str(config.client_key)) if config.client_cert else None,
            connect_timeout_s=config.connect_timeout_s,
            answer_timeout_s=config.answer_timeout_s,
        )
    )
