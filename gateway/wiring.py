"""The one place that knows every adapter and joins ports to them."""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from uuid6 import uuid7

from gateway.config import Config
from gateway.db import Database
from gateway.db.migrate import create_database, migrate
from gateway.house import House
from schemas.crypto import KeyRing
from schemas.errors import InvalidError


@dataclass(frozen=True, slots=True)
class Dsns:
    """Connection strings of the three roles."""

    app: str
    audit: str
    migrate: str
    applied: tuple[str, ...] = ()


def open_databases(config: Config, *, migrate: bool = False) -> Dsns:
    """The connection strings; starts the embedded server when no database is configured.

    With `migrate`, roles and database are created (embedded) and migrations applied.
    """
    if config.database_url:
        dsns = Dsns(config.database_url, config.database_audit_url, config.database_migrate_url)
    else:
        from gateway.db.embedded import start_embedded

        server = start_embedded(config.state_dir / "postgres")
        if migrate:
            create_database(server.dsn("postgres", "postgres"), "gateway")
        dsns = Dsns(server.dsn("gateway_app"), server.dsn("gateway_auditor"), server.dsn("gateway_migrate"))
    if not migrate:
        return dsns
    if not dsns.migrate:
        raise InvalidError(
            "no address for the role that owns the schema", where="GATEWAY_DATABASE_MIGRATE_URL", remedy="set it"
        )
    return Dsns(dsns.app, dsns.audit, dsns.migrate, tuple(_apply(dsns.migrate)))


def _apply(dsn: str) -> list[str]:
    return migrate(dsn)


def load_keys(path: Path) -> KeyRing:
    """The key ring from its file. Refuses a file others can read."""
    if not path.exists():
        raise InvalidError("the key file does not exist", where=str(path), remedy="run `gateway certs init`")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise InvalidError("the key file can be read by others", where=str(path), value=oct(mode), remedy="chmod 600 it")
    document = json.loads(path.read_text())
    masters: Mapping[str, bytes] = {k: bytes.fromhex(v) for k, v in document["keys"].items()}
    return KeyRing(document["suite"], document["current"], masters, bytes.fromhex(document["digest_key"]))
