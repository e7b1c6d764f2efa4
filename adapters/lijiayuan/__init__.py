"""沥家园 (Lijiayuan), the points platform of Guali town, 330109113.

Speaks: JSON over HTTPS. In: single, batch and NDJSON pushes, families with their consents, withdrawals (contract/openapi.yaml).
Out: REST with OAuth 2.0 client credentials at the town's token endpoint (contract/town_openapi.yaml).
Version: lijiayuan/1. Families share one account; points go from resident to resident and are spent at 沥·mall.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from adapters.lijiayuan.client import LijiayuanClient
from adapters.lijiayuan.mapping import CAPABILITIES, PROFILE, create_reader
from adapters.oauth_client import OAuthAccess

__all__ = ["CAPABILITIES", "PROFILE", "Config", "create_client", "create_reader", "hook_secrets"]


@dataclass(frozen=True, slots=True)
class Config:
    """How the town is reached. Times in seconds; paths are files."""

    address: str  # https://host:port, without a path at the end
    client_id: str  # who we are at the town's token endpoint
    key_file: Path = field(repr=False)  # ES256 private key for private_key_jwt (PEM)
    key_id: str = ""
    token_path: str = "/oauth/token"  # noqa: S105  a path, not a secret
    hook_secrets: tuple[str, ...] = field(default=(), repr=False)  # whsec_…; two during rotation
    ca_file: Path | None = None  # authorities of the town's server certificate; None: the system's
    client_cert: Path | None = None
    client_key: Path | None = field(default=None, repr=False)
    connect_timeout_s: float = 3.0
    answer_timeout_s: float = 10.0
    sandbox: bool = False  # a simulator; refused in production


def hook_secrets(config: Config) -> tuple[str, ...]:
    """The secrets its events are signed with, newest first."""
    return tuple(config.hook_secrets)


def create_client(config: Config) -> LijiayuanClient:
    """Calls out to the town. Nothing is connected until the first call."""
    return LijiayuanClient(
        OAuthAccess(
            neighbour="lijiayuan",
            address=config.address,
            client_id=config.client_id,
            key_pem=config.key_file.read_text(),
            key_id=config.key_id,
            token_path=config.token_path,
            scope="points",
            verify=str(config.ca_file) if config.ca_file else True,
            client_cert=(str(config.client_cert), str(config.client_key)) if config.client_cert else None,
            connect_timeout_s=config.connect_timeout_s,
            answer_timeout_s=config.answer_timeout_s,
        )
    )
