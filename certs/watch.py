"""Watching certificates: what expires when, and what is close to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from certs.authority import AUTHORITY_NAME

WARN_DAYS = 30


@dataclass(frozen=True, slots=True)
class WatchedCertificate:
    """One certificate file: who it is for and how many days it has left (negative: expired)."""

    path: Path
    subject: str
    issuer: str
    expires_at: datetime
    days_left: int
    sha256: str  # hex, over the DER: what a client registration lists

    @property
    def warning(self) -> str:
        """'' when there is time, otherwise what to do."""
        if self.days_left < 0:
            return "EXPIRED: issue a new one now"
        return f"expires in {self.days_left} days: issue a new one" if self.days_left < WARN_DAYS else ""

    @property
    def development(self) -> bool:
        """Made by the development authority: refused in production."""
        return self.issuer == AUTHORITY_NAME


def list_certificates(files: list[Path], now: datetime | None = None) -> list[WatchedCertificate]:
    """Every certificate in these PEM files and directories of `*.crt`; the first of each file, soonest end
    first."""
    now = now or datetime.now(UTC)
    paths: list[Path] = []
    for path in files:
        paths.extend(sorted(path.glob("*.crt")) if path.is_dir() else [path] if path.exists() else [])
    found = []
    for path in dict.fromkeys(paths):
        certificate = x509.load_pem_x509_certificates(path.read_bytes())[0]
        left = certificate.not_valid_after_utc - now
        found.append(
            WatchedCertificate(
                path,
                _name(certificate.subject),
                _name(certificate.issuer),
                certificate.not_valid_after_utc,
                left.days,
                certificate.fingerprint(hashes.SHA256()).hex(),
            )
        )
    return sorted(found, key=lambda c: c.expires_at)


def _name(name: x509.Name) -> str:
    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(common[0].value) if common else name.rfc4514_string()
