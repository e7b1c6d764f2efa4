"""The house as one value: what `wiring` builds once per process and corridors receive as their first argument."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID

from gateway.config import Config
from gateway.db import Database
from schemas.crypto import KeyRing
from schemas.day_files import TownDayFiles
from schemas.feeds import TownFeed, TownLinking
from schemas.ports import NO_WITNESSES, BankPort, IdentityPort, TownClient, TownReader, Witnesses
from schemas.soap import SoapTown
from schemas.values import TownCode


@dataclass(frozen=True, slots=True)
class House:
    """Everything a corridor may need. Time, chance and money are arguments of corridors, not members of modules."""

    config: Config
    db: Database  # the application role
    audit_db: Database  # the read-only auditor role
    keys: KeyRing
    readers: Mapping[TownCode, TownReader]
    clients: Mapping[TownCode, TownClient]
    bank: BankPort | None
    sign_receipt: Callable[[Mapping[str, object]], str]  # claims → compact JWS
    clock: Callable[[], datetime]  # aware, UTC
    new_id: Callable[[], UUID]  # UUIDv7
    soap_towns: Mapping[TownCode, SoapTown] = field(default_factory=dict)  # towns that come in by SOAP
    identity: IdentityPort | None = None  # the bank's OpenID provider, which vouches for staff
    witnesses: Witnesses = NO_WITNESSES
    feeds: Mapping[TownCode, TownFeed] = field(default_factory=dict)  # towns that are asked for their changes
    linkings: Mapping[TownCode, TownLinking] = field(
        default_factory=dict
    )  # towns whose residents link accounts
    day_files: Mapping[TownCode, TownDayFiles] = field(default_factory=dict)  # towns whose days are files
    hook_secrets: Mapping[TownCode, tuple[str, ...]] = field(
        default_factory=dict, repr=False
    )  # two in rotation
    certificate_files: Mapping[str, tuple[Path, ...]] = field(
        default_factory=dict
    )  # by neighbour, as its settings name them
