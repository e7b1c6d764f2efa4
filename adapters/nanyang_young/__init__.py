"""南阳young, the points platform of Nanyang subdistrict (old town code 330109117; today's is not known to us).

Speaks: JSON over HTTPS. In: signed events that say only that something changed (contract/openapi.yaml). Out: the change feed,
points, and account linking by OpenID Connect (contract/town_openapi.yaml).
Version: nanyang_young/1. Points are a person's, by halves; the platform knows an openid until the resident links the account.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from adapters.nanyang_young.client import NanyangClient, NanyangFeed
from adapters.nanyang_young.mapping import CAPABILITIES, PROFILE, NanyangReader
from adapters.oauth_client import OAuthAccess
from adapters.oauth_linking import OidcLinking

__all__ = [
    "CAPABILITIES",
    "PROFILE",
    "Config",
    "create_client",
    "create_feed",
    "create_linking",
    "create_reader",
    "hook_secrets",
]


@dataclass(frozen=True, slots=True)
class Config:
    """How the town is reached. Times in seconds; paths are files."""

    address: str  # https://host:port, without a path at the end
    client_id: str  # who we are at the town's token endpoint
    key_file: Path = field(repr=False)  # ES256 private key for private_key_jwt (PEM)
    key_id: str = ""
    issuer: str = ""  # of ID tokens and of `iss` in the callback; '': the address
    token_path: str = "/oauth/token"  # noqa: S105  a path, not a secret
    authorize_path: str = "/oauth/authorize"
    jwks_path: str = "/oauth/jwks"
    userinfo_path: str = "/oauth/userinfo"
    revoke_path: str = "/oauth/revoke"
    hook_secrets: tuple[str, ...] = field(default=(), repr=False)  # whsec_…; two during rotation
    ca_file: Path | None = None  # authorities of the town's server certificate; None: the system's
    client_cert: Path | None = None
    client_key: Path | None = field(default=None, repr=False)
    connect_timeout_s: float = 3.0
    answer_timeout_s: float = 10.0
    sandbox: bool = False  # a simulator; refused in production


def create_reader() -> NanyangReader:
    """Their words to ours: pure, one for all threads."""
    return NanyangReader()


def create_client(config: Config) -> NanyangClient:
    """Calls out to the town for points. Nothing is connected until the first call."""
    return NanyangClient(_access(config, "points"))


def create_feed(config: Config) -> NanyangFeed:
    """Asks the town for its changes."""
    return NanyangFeed(_access(config, "changes"))


def create_linking(config: Config) -> OidcLinking:
    """Links residents' accounts at the town."""
    return OidcLinking(
        neighbour="nanyang_young",
        address=config.address,
        issuer=config.issuer or config.address,
        client_id=config.client_id,
        key_pem=config.key_file.read_text(),
        key_id=config.key_id,
        paths={
            "token": config.token_path,
            "authorize": config.authorize_path,
            "jwks": config.jwks_path,
            "userinfo": config.userinfo_path,
            "revoke": config.revoke_path,
        },
        verify=str(config.ca_file) if config.ca_file else True,
        client_cert=(str(config.client_cert), str(config.client_key)) if config.client_cert else None,
        timeout=(config.connect_timeout_s, config.answer_timeout_s),
    )


def hook_secrets(config: Config) -> tuple[str, ...]:
    """The secrets its events are signed with, newest first."""
    return tuple(config.hook_secrets)


def _access(config: Config, scope: str) -> OAuthAccess:
    return OAuthAccess(
        neighbour="nanyang_young",
        address=config.address,
        client_id=config.client_id,
        key_pem=config.key_file.read_text(),
        key_id=config.key_id,
        token_path=config.token_path,
        scope=scope,
        verify=str(config.ca_file) if config.ca_file else True,
        client_cert=(str(config.client_cert), str(config.client_key)) if config.client_cert else None,
        connect_timeout_s=config.connect_timeout_s,
        answer_timeout_s=config.answer_timeout_s,
    )
