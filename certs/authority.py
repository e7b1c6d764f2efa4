"""The development authority: one P-256 root, and leaves for the server, the towns, the bank and the
simulators.

Refused in production mode. Everything here is idempotent: what exists and is still good is left as it is.
"""

from __future__ import annotations

import ipaddress
import json
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from certs.assertion import public_jwks
from certs.files import (
    key_pem,
    new_ec_key,
    new_ed25519_key,
    new_rsa_key,
    read_certificate,
    read_ec_key,
    write_private,
    write_public,
)
from schemas.errors import InvalidError, RefusedError

AUTHORITY_NAME = "Gateway development authority"
AUTHORITY_DAYS = 5 * 365 + 1
LEAF_DAYS = 397  # what browsers accept at most
REISSUE_DAYS = 7  # `ensure` replaces a development leaf this close to its end
BANK = "bank_core"


def neighbours() -> tuple[str, ...]:
    """Everybody the development authority makes certificates for: each folder of `adapters` with a contract in it."""
    folders = files("adapters").iterdir()
    return tuple(sorted(f.name for f in folders if f.is_dir() and (f / "contract").is_dir()))


def towns() -> tuple[str, ...]:
    """The neighbours that are towns."""
    return tuple(name for name in neighbours() if name != BANK)


def soap_towns() -> tuple[str, ...]:
    """The towns with a WSDL in their contract: they sign messages, or their answers."""
    folder = files("adapters")
    return tuple(
        town
        for town in towns()
        if any(f.name.endswith(".wsdl") for f in (folder / town / "contract").iterdir())
    )


class Paths(Protocol):
    """What of the configuration is needed here; `gateway.config.Config` has it all."""

    @property
    def mode(self) -> str: ...
    @property
    def public_url(self) -> str: ...
    @property
    def keys_file(self) -> Path: ...
    @property
    def tls_cert(self) -> Path: ...
    @property
    def tls_key(self) -> Path: ...
    @property
    def tls_client_ca(self) -> Path: ...
    @property
    def log_key(self) -> Path: ...
    @property
    def receipt_key(self) -> Path: ...
    @property
    def soap_key(self) -> Path: ...
    @property
    def soap_cert(self) -> Path: ...
    @property
    def token_keys(self) -> Path: ...


@dataclass(frozen=True, slots=True)
class Development:
    """Where the development certificates and keys stand."""

    ca_cert: Path
    ca_key: Path
    folder: Path

    def client(self, town: str) -> tuple[Path, Path]:
        """The client certificate and key of a town, of 'bank', or of 'gateway' (what we present to
        neighbours)."""
        return self.folder / f"client-{town}.crt", self.folder / f"client-{town}.key"

    def simulator(self, name: str) -> tuple[Path, Path]:
        """The server certificate and key of a simulated neighbour: a town, or 'bank_core'."""
        return self.folder / f"simulator-{name}.crt", self.folder / f"simulator-{name}.key"

    def signing(self, town: str) -> tuple[Path, Path]:
        """The certificate and key a SOAP town signs its messages with."""
        return self.folder / f"signing-{town}.crt", self.folder / f"signing-{town}.key"

    def assertion(self, town: str) -> tuple[Path, Path]:
        """A town's private_key_jwt key (PEM) and the JWKS file with its public half."""
        return self.folder / f"assertion-{town}.key", self.folder / f"assertion-{town}.jwks.json"


def ensure_development(paths: Paths) -> Development:
    """Make what is missing: authority, leaves, key ring, log, receipt and token keys, the towns' assertion
    keys.

    Raises RefusedError in production mode: there the bank's own files are used."""
    if paths.mode == "production":
        raise RefusedError(
            "development certificates and keys are not made in production mode",
            code="development-authority-refused",
            remedy="install the bank's certificates and keys at the configured paths",
        )
    made = development(paths)
    _ensure_authority(made)
    _ensure_leaf(
        made, paths.tls_cert, paths.tls_key, "gateway", _server_names(paths.public_url), use="server"
    )
    for town in (*towns(), "bank", "gateway"):
        _ensure_leaf(made, *made.client(town), town, [f"{_label(town)}.client.gateway.example"], use="client")
    for name in (*neighbours(), "witness"):
        names = ["localhost", "127.0.0.1", "::1", f"{_label(name)}.simulator.gateway.example"]
        _ensure_leaf(made, *made.simulator(name), f"simulator {name}", names, use="server")
    for town in towns():
        _ensure_assertion_key(made, town)
    _ensure_leaf(made, paths.soap_cert, paths.soap_key, "gateway signing", [], use="signing")
    for town in soap_towns():
        _ensure_leaf(made, *made.signing(town), f"{town} signing", [], use="signing")
    _ensure_key_ring(paths.keys_file)
    if not paths.log_key.exists():
        write_private(paths.log_key, key_pem(new_ed25519_key()))
    if not paths.receipt_key.exists():
        write_private(paths.receipt_key, key_pem(new_ec_key()))
    if not any(paths.token_keys.glob("*.key")):
        rotate_token_key(paths)
    return made


def development(paths: Paths) -> Development:
    """The places only; nothing is written."""
    folder = paths.tls_cert.parent
    return Development(paths.tls_client_ca, folder / "ca.key", folder)


def issue_certificate(paths: Paths, name: str) -> Path:
    """Issue a fresh certificate for NAME ('server', 'client-TOWN', 'simulator-NAME', 'soap', 'signing-TOWN') and keep the one
    before it beside it as
    NAME.previous.crt and .key: two are valid during rollover. Returns the certificate's path. Raises
    InvalidError."""
    made = ensure_development(paths)
    kind, _, who = name.partition("-")
    if name == "server":
        cert, key, names, use = paths.tls_cert, paths.tls_key, _server_names(paths.public_url), "server"
    elif kind == "client" and who and _plain(who):
        (cert, key), names, use = made.client(who), [f"{_label(who)}.client.gateway.example"], "client"
    elif kind == "simulator" and who and _plain(who):
        (cert, key), use = made.simulator(who), "server"
        names = ["localhost", "127.0.0.1", "::1", f"{_label(who)}.simulator.gateway.example"]
    elif name == "soap":
        cert, key, names, use = paths.soap_cert, paths.soap_key, [], "signing"
    elif kind == "signing" and who and _plain(who):
        (cert, key), names, use = made.signing(who), [], "signing"
    else:
        raise InvalidError(
            "there is no certificate of that name",
            where="NAME",
            value=name,
            remedy="use server, client-TOWN, simulator-NAME, soap or signing-TOWN",
        )
    for path in (key, cert):
        if path.exists():
            path.replace(path.with_suffix(".previous" + path.suffix))
    _issue(made, cert, key, who or "gateway", names, use=use)
    return cert


def rotate_token_key(paths: Paths) -> Path:
    """Add a new token signing key; it signs from now on, the one before stays published until it is
    removed by the next
    rotation (tokens live ten minutes). Files are named so that the newest sorts last. Returns the new
    file."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    path = paths.token_keys / f"{stamp}.key"
    write_private(path, key_pem(new_ec_key()))
    for old in sorted(paths.token_keys.glob("*.key"))[:-2]:
        old.unlink()
    return path


def _ensure_authority(made: Development) -> None:
    if made.ca_cert.exists() and made.ca_key.exists():
        return
    key, now = new_ec_key(), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, AUTHORITY_NAME)])
    certificate = (
        _builder(name, name, key.public_key(), now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    write_private(made.ca_key, key_pem(key))
    write_public(made.ca_cert, _pem(certificate))


def _ensure_leaf(made: Development, cert: Path, key: Path, who: str, names: list[str], *, use: str) -> None:
    if cert.exists() and key.exists():
        left = read_certificate(cert).not_valid_after_utc - datetime.now(UTC)
        if left > timedelta(days=REISSUE_DAYS):
            return
    _issue(made, cert, key, who, names, use=use)


def _issue(made: Development, cert: Path, key_path: Path, who: str, names: list[str], *, use: str) -> None:
    authority, signer = read_certificate(made.ca_cert), read_ec_key(made.ca_key)
    key = new_rsa_key() if use == "signing" else new_ec_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, who)])
    builder = (
        _builder(subject, authority.subject, key.public_key(), datetime.now(UTC), LEAF_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if use != "signing":
        usage = ExtendedKeyUsageOID.SERVER_AUTH if use == "server" else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        names_said = x509.SubjectAlternativeName([_general_name(n) for n in names])
        builder = builder.add_extension(names_said, critical=False)
    certificate = builder.sign(signer, hashes.SHA256())
    write_private(key_path, key_pem(key))
    write_public(cert, _pem(certificate) + _pem(authority))


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
    now: datetime,
    days: int,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=days) - timedelta(minutes=5))
    )


def _usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _server_names(public_url: str) -> list[str]:
    names = ["localhost", "127.0.0.1", "::1"]
    host = urlsplit(public_url).hostname
    if host and host not in names:
        names.append(host)
    return names


def _label(name: str) -> str:
    return name.replace("_", "-")


def _plain(name: str) -> bool:
    return name.replace("_", "").replace("-", "").isalnum() and name.isascii() and len(name) <= 60


def _pem(certificate: x509.Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM)


def _ensure_assertion_key(made: Development, town: str) -> None:
    key_path, jwks_path = made.assertion(town)
    if not key_path.exists():
        write_private(key_path, key_pem(new_ec_key()))
        jwks_path.unlink(missing_ok=True)
    if not jwks_path.exists():
        write_public(jwks_path, json.dumps(public_jwks([key_path]), indent=1).encode())


def _ensure_key_ring(path: Path) -> None:
    if path.exists():
        os.chmod(path, 0o600)
        return
    key_id = datetime.now(UTC).strftime("k%Y%m%d")
    ring = {
        "suite": "international",
        "current": key_id,
        "keys": {key_id: secrets.token_hex(32)},
        "digest_key": secrets.token_hex(32),
    }
    write_private(path, json.dumps(ring, indent=1).encode())
