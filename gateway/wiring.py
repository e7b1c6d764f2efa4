"""The one place that knows every adapter and joins ports to them."""

from __future__ import annotations

import base64
import json
import stat
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from uuid6 import uuid7

from adapters import registry
from gateway.config import Config
from gateway.db import Database
from gateway.db.migrate import create_database, migrate
from gateway.guarding import guarded
from gateway.house import House
from schemas.canonical import canonical_json
from schemas.crypto import KeyRing
from schemas.errors import InvalidError
from schemas.soap import SigningIdentity


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
            "no address for the role that owns the schema",
            where="GATEWAY_DATABASE_MIGRATE_URL",
            remedy="set it",
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
        raise InvalidError(
            "the key file can be read by others", where=str(path), value=oct(mode), remedy="chmod 600 it"
        )
    document = json.loads(path.read_text())
    masters: Mapping[str, bytes] = {k: bytes.fromhex(v) for k, v in document["keys"].items()}
    return KeyRing(document["suite"], document["current"], masters, bytes.fromhex(document["digest_key"]))


def read_neighbours(path: Path) -> dict[str, dict[str, Any]]:
    """Settings of each neighbour (TOML, one table a neighbour); empty when there is no file yet."""
    if not path.exists():
        return {}
    with path.open("rb") as file:
        return tomllib.load(file)


def receipt_signer(path: Path, typ: str = "receipt+jws") -> Callable[[Mapping[str, object]], str]:
    """Signs claims as a compact JWS (RFC 7515) of this type with ES256; the key id is the RFC 7638 thumbprint of the key."""
    key = load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise InvalidError("the receipt key is not a P-256 key", where=str(path))
    header = _b64(canonical_json({"alg": "ES256", "kid": _thumbprint(key), "typ": typ}))
    algorithm = ec.ECDSA(hashes.SHA256())

    def sign(claims: Mapping[str, object]) -> str:
        signed = header + b"." + _b64(canonical_json(dict(claims)))
        r, s = decode_dss_signature(key.sign(signed, algorithm))
        return (signed + b"." + _b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))).decode()

    return sign


def _thumbprint(key: ec.EllipticCurvePrivateKey) -> str:
    numbers = key.public_key().public_numbers()
    jwk = {
        "crv": "P-256",
        "kty": "EC",
        "x": _b64(numbers.x.to_bytes(32, "big")).decode(),
        "y": _b64(numbers.y.to_bytes(32, "big")).decode(),
    }
    digest = hashes.Hash(hashes.SHA256())
    digest.update(canonical_json(jwk))
    return _b64(digest.finalize()).decode()


def _b64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def read_signing(config: Config) -> SigningIdentity:
    """What answers to SOAP towns are signed with. Raises InvalidError when a file is missing."""
    for path in (config.soap_key, config.soap_cert):
        if not path.exists():
            raise InvalidError(
                "the key or certificate that signs answers over SOAP does not exist", where=str(path),
                remedy="run `gateway certs init`, or install the bank's",
            )  # fmt: skip
    return SigningIdentity(config.soap_key.read_bytes(), config.soap_cert.read_bytes())


def build_house(config: Config, *, threads: int | None = None) -> House:
    """Everything one process needs. Opens no connection yet, except that an embedded server is started when needed.

    `threads`: how many answer requests in a web process (`gateway.guarding.guarded`).
    """
    dsns = open_databases(config)
    neighbours = read_neighbours(config.neighbours_file)
    house = House(
        config=config,
        db=Database(dsns.app, size=config.database_pool),
        audit_db=Database(dsns.audit, size=2, options="-c default_transaction_read_only=on"),
        keys=load_keys(config.keys_file),
        readers=registry.create_readers(mode=config.mode),
        clients=registry.create_clients(neighbours, mode=config.mode),
        bank=registry.create_bank(neighbours, mode=config.mode),
        soap_towns=registry.create_soap_towns(lambda: read_signing(config), mode=config.mode),
        sign_receipt=receipt_signer(config.receipt_key),
        clock=lambda: datetime.now(UTC),
        new_id=uuid7,
        identity=registry.create_identity(neighbours, mode=config.mode),
        witnesses=registry.create_witnesses(read_neighbours(config.witnesses_file), mode=config.mode),
        feeds=registry.create_feeds(neighbours, mode=config.mode),
        linkings=registry.create_linkings(neighbours, mode=config.mode),
        day_files=registry.create_day_files(neighbours, mode=config.mode),
        hook_secrets=registry.list_hook_secrets(neighbours, mode=config.mode),
        certificate_files={name: _certificate_files(table) for name, table in neighbours.items()},
    )
    return guarded(house, threads=threads)


def _certificate_files(table: Mapping[str, Any]) -> tuple[Path, ...]:
    """Files of certificates that a neighbour's settings name; keys are no certificates."""
    names = [
        name for name in table if name.endswith(("cert", "certs", "ca_file", "certificate", "certificates"))
    ]
    values = [v for name in names for v in (table[name] if isinstance(table[name], list) else [table[name]])]
    return tuple(Path(value) for value in values if isinstance(value, str))
