"""A witness: somebody outside the bank who signs our checkpoints after seeing that the log only grew (c2sp.org/tlog-witness).

Speaks to: any C2SP witness; `gateway witness serve` is one a town can run. The client never retries and says which kind of
failure it was. What it gets back is checked by the corridor with the witness's public key, not here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from adapters.witness.client import Client

VERSION = "tlog-witness/1"


@dataclass(frozen=True, slots=True)
class Config:
    """One table of the witnesses file. Times in seconds."""

    address: str  # the submission prefix, https://host/path without a slash at the end
    vkey: str  # its verifier key (name+id+base64), received on paper or by a call, not fetched
    ca_file: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = field(default=None, repr=False)
    connect_timeout_s: float = 3.0
    answer_timeout_s: float = 10.0
    sandbox: bool = False  # stands on this machine; refused in production


def create_client(config: Config) -> Client:
    """A client for one witness."""
    return Client(config)
