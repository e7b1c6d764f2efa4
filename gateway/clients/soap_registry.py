"""Who may speak for a town over SOAP, and messages that were used. Each change is a row of its own; nothing is edited."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from gateway.db import Transaction, load_queries
from schemas.crypto import KeyRing, Sealed
from schemas.errors import InvalidError, NotFoundError
from schemas.oauth import SCOPES
from schemas.records import RecordDraft
from schemas.soap import SoapParty, SoapRegistration, SoapSecurity
from schemas.values import TownCode, instant_text

queries = load_queries(__file__)
SOAP_RECORD_KIND: Final = "soap_client_changed"
MOST_CERTIFICATES: Final = 4
PASSWORD_CHARACTERS: Final = (20, 200)  # a secret between machines: made, not thought up
_CLIENT_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_USERNAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_X5T: Final = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class SoapClient:
    """How a client stands after its latest change."""

    client_id: str
    town: TownCode
    scopes: tuple[str, ...]
    signing_certificates: tuple[bytes, ...]  # DER
    tls_certificates: tuple[str, ...]
    username: str | None
    password: Sealed | None = field(repr=False)
    enabled: bool
    changed_at: datetime


def list_soap_clients(
    tx: Transaction, town: TownCode | None = None, client_id: str | None = None, limit: int = 1000
) -> list[SoapClient]:
    """Clients by id, enabled or not."""
    found = tx.all(queries.list_soap_clients, {"town": town, "client_id": client_id, "limit": limit})
    return [_client(row) for row in found]


def party_of(client: SoapClient, keys: KeyRing) -> SoapParty:
    """What a town's adapter proves messages with. Raises TamperedError when the sealed password does not open."""
    password = None
    if client.password is not None:
        password = keys.open(client.password, _purpose(client.client_id)).decode()
    return SoapParty(
        client.client_id, frozenset(client.scopes), client.signing_certificates, frozenset(client.tls_certificates),
        client.username, password,
    )  # fmt: skip


def insert_soap_client(
    tx: Transaction,
    keys: KeyRing,
    asked: SoapRegistration,
    security: SoapSecurity,
    *,
    now: datetime,
    change_id: UUID,
) -> RecordDraft | None:
    """Register or replace; the record for the log, or None when it stands exactly so already. Raises InvalidError."""
    check_registration(asked, security)
    tx.run(queries.lock_soap_clients)
    before = next(iter(list_soap_clients(tx, client_id=asked.client_id)), None)
    for other in list_soap_clients(tx, asked.town):
        if other.client_id != asked.client_id and (
            (asked.username is not None and other.username == asked.username)
            or set(other.signing_certificates) & set(asked.signing_certificates)
        ):
            raise InvalidError(
                "another client of this town has that username or signing certificate", where="client_id",
                value=other.client_id, remedy="one name and one key for each client",
            )  # fmt: skip
    if before is not None and before.enabled and _same(before, asked, keys):
        return None
    password = None
    if asked.password is not None:
        password = keys.seal(asked.password.encode(), _purpose(asked.client_id))
    new = SoapClient(
        asked.client_id, asked.town, tuple(sorted(set(asked.scopes))), tuple(sorted(set(asked.signing_certificates))),
        tuple(sorted(set(asked.tls_certificates))), asked.username, password, True, now,
    )  # fmt: skip
    return _insert(tx, new, "registered" if before is None else "replaced", change_id)


def mark_soap_client_enabled(
    tx: Transaction, client_id: str, enabled: bool, *, now: datetime, change_id: UUID
) -> RecordDraft | None:
    """Switch a client on or off; None when it already is. Raises NotFoundError."""
    tx.run(queries.lock_soap_clients)
    known = next(iter(list_soap_clients(tx, client_id=client_id)), None)
    if known is None:
        raise NotFoundError("there is no such client", where="client_id", value=client_id)
    if known.enabled == enabled:
        return None
    changed = SoapClient(
        known.client_id, known.town, known.scopes, known.signing_certificates, known.tls_certificates,
        known.username, known.password, enabled, now,
    )  # fmt: skip
    return _insert(tx, changed, "enabled" if enabled else "disabled", change_id)


def insert_soap_message(tx: Transaction, message_id: bytes, client_id: str, expires_at: datetime) -> bool:
    """Remember that a message was used; False when it was used before. Atomic across processes."""
    params = {"message_id": message_id, "client_id": client_id, "expires_at": expires_at}
    return tx.run(queries.insert_soap_message, params) == 1


def delete_expired_soap_messages(tx: Transaction, before: datetime) -> int:
    """Forget messages that are refused by their own age. Returns how many."""
    return tx.run(queries.delete_expired_soap_messages, {"before": before})


def check_registration(asked: SoapRegistration, security: SoapSecurity) -> None:
    """Raises InvalidError for what this town's security does not let in."""
    if not _CLIENT_ID.fullmatch(asked.client_id):
        raise InvalidError(
            "a client id is 1 to 64 letters, digits, dots, dashes or underscores",
            where="client_id",
            value=asked.client_id,
        )
    unknown = [scope for scope in asked.scopes if scope not in SCOPES]
    if unknown or not asked.scopes:
        raise InvalidError(
            "a scope is unknown" if unknown else "a client needs at least one scope", where="scope",
            value=" ".join(unknown), remedy=f"use {', '.join(SCOPES)}",
        )  # fmt: skip
    if any(not _X5T.fullmatch(text) for text in asked.tls_certificates):
        raise InvalidError("a certificate is named by its x5t#S256: 43 characters", where="tls_cert")
    signing, tls = len(set(asked.signing_certificates)), len(set(asked.tls_certificates))
    if signing > MOST_CERTIFICATES or tls > MOST_CERTIFICATES:
        raise InvalidError(f"a client has at most {MOST_CERTIFICATES} certificates of a kind", where="cert")
    if security is SoapSecurity.X509:
        if not signing or asked.username is not None:
            raise InvalidError(
                "this town signs its messages: a signing certificate and no username", where="signing_cert"
            )
        for der in asked.signing_certificates:
            _check_certificate(der)
        return
    if signing or not tls or asked.username is None or not _USERNAME.fullmatch(asked.username):
        raise InvalidError(
            "this town proves itself by username and password on a connection with its certificate", where="username",
            remedy="give a username, a password and the connection's certificate, and no signing certificate",
        )  # fmt: skip
    if asked.password is None or not PASSWORD_CHARACTERS[0] <= len(asked.password) <= PASSWORD_CHARACTERS[1]:
        raise InvalidError(
            f"a password between machines has {PASSWORD_CHARACTERS[0]} to {PASSWORD_CHARACTERS[1]} characters",
            where="password", remedy="let the command make one",
        )  # fmt: skip


def change_body(row: Any) -> dict[str, Any]:
    """The body of a soap_client_changed record from the columns of soap_client."""
    box = row.password_box
    return {
        "client_id": row.client_id,
        "change": row.change,
        "town": row.town,
        "scopes": list(row.scopes),
        "signing_sha256": [hashlib.sha256(text.encode()).hexdigest() for text in row.signing_certs],
        "tls_sha256": list(row.tls_sha256),
        "username": row.username,
        "password_key_id": row.password_key_id,
        "password_sha256": None
        if box is None
        else hashlib.sha256(bytes(box)).hexdigest(),  # of the sealed box
        "enabled": row.enabled,
        "changed_at": instant_text(row.changed_at),
    }


class _Columns:
    """Parameters of an insert, as `change_body` wants a row."""

    def __init__(self, columns: dict[str, Any]) -> None:
        self.__dict__.update(columns)


def _insert(tx: Transaction, client: SoapClient, change: str, change_id: UUID) -> RecordDraft:
    columns: dict[str, Any] = {
        "change_id": change_id,
        "client_id": client.client_id,
        "change": change,
        "town": client.town,
        "scopes": list(client.scopes),
        "signing_certs": [base64.b64encode(der).decode() for der in client.signing_certificates],
        "tls_sha256": list(client.tls_certificates),
        "username": client.username,
        "password_key_id": None if client.password is None else client.password.key_id,
        "password_box": None if client.password is None else client.password.box,
        "enabled": client.enabled,
    }
    tx.run(queries.insert_soap_client, {**columns, "now": client.changed_at})
    body = change_body(_Columns({**columns, "changed_at": client.changed_at}))
    return RecordDraft(SOAP_RECORD_KIND, str(change_id), body)


def _client(row: Any) -> SoapClient:
    password = None
    if row.password_box is not None:
        password = Sealed(row.password_key_id, bytes(row.password_box))
    return SoapClient(
        row.client_id, TownCode(row.town), tuple(row.scopes),
        tuple(base64.b64decode(text) for text in row.signing_certs), tuple(row.tls_sha256), row.username, password,
        row.enabled, row.changed_at,
    )  # fmt: skip


def _same(before: SoapClient, asked: SoapRegistration, keys: KeyRing) -> bool:
    party = party_of(before, keys)
    return (
        before.town == asked.town
        and party.scopes == frozenset(asked.scopes)
        and set(party.signing_certificates) == set(asked.signing_certificates)
        and party.tls_certificates == frozenset(asked.tls_certificates)
        and (party.username, party.password) == (asked.username, asked.password)
    )


def _check_certificate(der: bytes) -> None:
    try:
        key = x509.load_der_x509_certificate(der).public_key()
    except ValueError as exc:
        raise InvalidError(
            "a signing certificate cannot be read", where="signing_cert", remedy="give PEM"
        ) from exc
    usable = (isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048) or (
        isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
    )
    if not usable:
        raise InvalidError(
            "a signing certificate cannot be used",
            where="signing_cert",
            remedy="use RSA of 2048 bits or more, or P-256",
        )


def _purpose(client_id: str) -> str:
    """Each client's password is sealed for this client alone: one put into another's row does not open."""
    return f"soap_password:{client_id}"
