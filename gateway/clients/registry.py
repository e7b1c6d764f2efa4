"""The rows: clients, their changes, and assertions that were used."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from authlib.oauth2.rfc6749 import ClientMixin
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey, import_key

from gateway.db import Row, Transaction, load_queries
from schemas.canonical import canonical_sha256
from schemas.errors import InvalidError, NotFoundError
from schemas.oauth import SCOPES, ClientRegistration
from schemas.records import RecordDraft
from schemas.values import TownCode, instant_text

queries = load_queries(__file__)
RECORD_KIND = "client_changed"
_CLIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PRIVATE_PARTS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


@dataclass(frozen=True, slots=True)
class RegisteredClient(ClientMixin):  # type: ignore[misc]
    """A client of the token endpoint; the methods are the questions Authlib asks of one."""

    client_id: str
    town: TownCode
    scopes: frozenset[str]
    jwks: Mapping[str, Any]
    certificates: frozenset[str]  # x5t#S256
    enabled: bool
    created_at: datetime

    def get_client_id(self) -> str:
        return self.client_id

    def get_allowed_scope(self, scope: str | None) -> str:
        """Nothing asked: everything the client may. Asking for more is refused by the grant before this."""
        return " ".join(sorted(set(scope.split()) if scope else self.scopes))

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "client_credentials"

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "private_key_jwt" and endpoint == "token"


def find_client(tx: Transaction, client_id: str) -> RegisteredClient | None:
    """The client, enabled or not, or None."""
    row = tx.find(queries.find_client, {"client_id": client_id})
    return None if row is None else _client(row)


def list_clients(tx: Transaction, limit: int = 1000) -> list[RegisteredClient]:
    """Clients by id."""
    return [_client(row) for row in tx.all(queries.list_clients, {"limit": limit})]


def insert_client(
    tx: Transaction, asked: ClientRegistration, *, now: datetime, change_id: UUID
) -> RecordDraft | None:
    """Register or replace a client; the record for the log, or None when nothing differs.

    Raises InvalidError for an unknown scope, a private or unusable key, or no certificate."""
    client_id, town = asked.client_id, asked.town
    if not _CLIENT_ID.fullmatch(client_id):
        raise InvalidError(
            "a client id is 1 to 64 letters, digits, dots, dashes or underscores",
            where="client_id",
            value=client_id,
        )
    keys = check_jwks(asked.jwks)
    wanted = sorted(set(asked.scopes))
    unknown = [scope for scope in wanted if scope not in SCOPES]
    if unknown or not wanted:
        raise InvalidError(
            "a scope is unknown" if unknown else "a client needs at least one scope",
            where="scope",
            value=" ".join(unknown),
            remedy=f"use {', '.join(SCOPES)}",
        )
    thumbprints = sorted(set(asked.certificates))
    if not 1 <= len(thumbprints) <= 4:
        raise InvalidError("a client has one to four certificates", where="cert", value=len(thumbprints))
    before = find_client(tx, client_id)
    new = RegisteredClient(client_id, town, frozenset(wanted), keys, frozenset(thumbprints), True, now)
    if before is not None and _state(before) == _state(new):
        return None
    tx.run(
        queries.insert_client,
        {
            "client_id": client_id,
            "town": town,
            "scopes": wanted,
            "jwks": orjson.dumps(keys).decode(),
            "cert_sha256": thumbprints,
            "now": now,
        },
    )
    return _record(tx, new, "registered" if before is None else "replaced", now=now, change_id=change_id)


def mark_client_enabled(
    tx: Transaction, client_id: str, enabled: bool, *, now: datetime, change_id: UUID
) -> RecordDraft | None:
    """Switch a client on or off; None when it already is. Raises NotFoundError."""
    client = find_client(tx, client_id)
    if client is None:
        raise NotFoundError("there is no such client", where="client_id", value=client_id)
    if client.enabled == enabled:
        return None
    tx.run(queries.mark_client_enabled, {"client_id": client_id, "enabled": enabled, "now": now})
    changed = RegisteredClient(
        client.client_id,
        client.town,
        client.scopes,
        client.jwks,
        client.certificates,
        enabled,
        client.created_at,
    )
    return _record(tx, changed, "enabled" if enabled else "disabled", now=now, change_id=change_id)


def insert_assertion(tx: Transaction, client_id: str, jti: str, expires_at: datetime) -> bool:
    """Remember that an assertion was used; False when it was used before. Atomic across processes."""
    params = {"client_id": client_id, "jti": jti, "expires_at": expires_at}
    return tx.run(queries.insert_assertion, params) == 1


def delete_expired_assertions(tx: Transaction, before: datetime) -> int:
    """Forget assertions that ended before `before`: they are refused by their own expiry. Returns how
    many."""
    return tx.run(queries.delete_expired_assertions, {"before": before})


def list_last_pushes(tx: Transaction) -> list[Row]:
    """town, received_at, item_count of each town's latest push, among the 2 000 most recent pushes of all."""
    return tx.all(queries.list_last_pushes)


def list_missing_migrations(tx: Transaction, numbers: Iterable[int]) -> list[int]:
    """Which of these migrations the database lacks."""
    done = {row.number for row in tx.all(queries.list_migration_numbers)}
    return [number for number in numbers if number not in done]


def check_jwks(jwks: Mapping[str, Any]) -> dict[str, Any]:
    """The set with usable public signature keys only, each with a kid. Raises InvalidError."""
    keys = jwks.get("keys")
    if not isinstance(keys, list) or not 1 <= len(keys) <= 4:
        raise InvalidError("a JWK set has one to four keys", where="jwks", remedy='{"keys": [...]}')
    found = []
    for index, raw in enumerate(keys):
        where = f"jwks.keys[{index}]"
        if not isinstance(raw, dict):
            raise InvalidError("a key is a JSON object", where=where)
        if _PRIVATE_PARTS & raw.keys():
            raise InvalidError(
                "a private key was given",
                where=where,
                remedy="register the public half only, and replace this key",
            )
        try:
            key = import_key(raw)
        except (JoseError, ValueError, KeyError, TypeError) as exc:
            raise InvalidError("a key cannot be read", where=where) from exc
        if isinstance(key, ECKey) and raw.get("crv") == "P-256":
            algorithm = "ES256"
        elif isinstance(key, RSAKey) and key.public_key.key_size >= 2048:
            algorithm = "PS256"
        else:
            raise InvalidError(
                "a key cannot be used",
                where=where,
                remedy="use P-256 (ES256) or RSA of 2048 bits or more (PS256)",
            )
        public = {k: v for k, v in raw.items() if k in ("kty", "crv", "x", "y", "n", "e")}
        kid = raw.get("kid") if isinstance(raw.get("kid"), str) else key.thumbprint()
        found.append({**public, "kid": kid, "alg": algorithm, "use": "sig"})
    if len({key["kid"] for key in found}) != len(found):
        raise InvalidError("two keys carry the same kid", where="jwks")
    return {"keys": found}


def change_body(
    *,
    client_id: str,
    change: str,
    town: str,
    scopes: Iterable[str],
    jwks_sha256: str,
    cert_sha256: Iterable[str],
    enabled: bool,
    changed_at: datetime,
) -> dict[str, Any]:
    """The body of a client_changed record, from the columns of client_change."""
    return {
        "client_id": client_id,
        "change": change,
        "town": town,
        "scopes": list(scopes),
        "jwks_sha256": jwks_sha256,
        "cert_sha256": list(cert_sha256),
        "enabled": enabled,
        "changed_at": instant_text(changed_at),
    }


def _client(row: Any) -> RegisteredClient:
    return RegisteredClient(
        row.client_id,
        TownCode(row.town),
        frozenset(row.scopes),
        row.jwks,
        frozenset(row.cert_sha256),
        row.enabled,
        row.created_at,
    )


def _state(client: RegisteredClient) -> tuple[Any, ...]:
    return (
        client.town,
        client.scopes,
        canonical_sha256(dict(client.jwks)),
        client.certificates,
        client.enabled,
    )


def _record(
    tx: Transaction, client: RegisteredClient, change: str, *, now: datetime, change_id: UUID
) -> RecordDraft:
    jwks_sha256 = canonical_sha256(dict(client.jwks)).hex()
    scopes, certificates = sorted(client.scopes), sorted(client.certificates)
    tx.run(
        queries.insert_change,
        {
            "change_id": change_id,
            "client_id": client.client_id,
            "change": change,
            "town": client.town,
            "scopes": scopes,
            "jwks_sha256": jwks_sha256,
            "cert_sha256": certificates,
            "enabled": client.enabled,
            "now": now,
        },
    )
    body = change_body(
        client_id=client.client_id,
        change=change,
        town=client.town,
        scopes=scopes,
        jwks_sha256=jwks_sha256,
        cert_sha256=certificates,
        enabled=client.enabled,
        changed_at=now,
    )
    return RecordDraft(RECORD_KIND, str(change_id), body)
