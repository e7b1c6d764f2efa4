"""Passwords (argon2id, RFC 9106) and the second factor (TOTP, RFC 6238), with lockout.

An attempt is counted before the password is looked at, so guesses made side by side are counted too; a right one
sets the count back. Looking at a password takes tens of milliseconds on purpose and happens outside any transaction.
"""

from __future__ import annotations

import secrets
import threading
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from gateway.db import Transaction
from gateway.staff.accounts import change_record, queries
from schemas.crypto import KeyRing, Sealed
from schemas.errors import InvalidError
from schemas.records import RecordDraft
from schemas.staff import Credentials, StaffAccount

SEAL_PURPOSE = "staff_totp"
STEP_S = 30
DRIFT_STEPS = 1  # one step early or late: a clock may be half a minute off
SHORTEST, LONGEST = 12, 128
_ALPHABET = (
    "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # nothing that looks like something else
)
_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
_at_once = threading.BoundedSemaphore(2)  # each look takes 64 MiB
_nobody: list[str] = []  # a hash that fits no password, made when first needed


class Tried(NamedTuple):
    """What an attempt may be compared with, and its number since the last success."""

    password_hash: str
    totp: Sealed
    failed_count: int


def make_credentials() -> Credentials:
    """A random password (about 92 bits) and a second factor."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))
    return Credentials("-".join(groups), pyotp.random_base32())


def set_credentials(
    tx: Transaction,
    keys: KeyRing,
    account: StaffAccount,
    credentials: Credentials,
    *,
    by: str,
    now: datetime,
    change_id: UUID,
) -> RecordDraft:
    """Store them; failures are forgiven. Raises InvalidError for a password that is too short or holds the teller number."""
    check_password(credentials.password, account.teller_no)
    sealed = keys.seal(credentials.totp_secret.encode(), SEAL_PURPOSE)
    params = {
        "staff_id": account.staff_id,
        "password_hash": _hasher.hash(credentials.password),
        "totp_key_id": sealed.key_id,
        "totp_box": sealed.box,
    }
    tx.run(queries.set_secret, params)
    return change_record(tx, account, "credentials", by=by, now=now, change_id=change_id)


def set_password(
    tx: Transaction, account: StaffAccount, password: str, *, by: str, now: datetime, change_id: UUID
) -> RecordDraft:
    """Another password, the same second factor; failures are forgiven."""
    check_password(password, account.teller_no)
    tx.run(queries.set_password, {"staff_id": account.staff_id, "password_hash": _hasher.hash(password)})
    return change_record(tx, account, "credentials", by=by, now=now, change_id=change_id)


def check_password(password: str, teller_no: str) -> None:
    """NIST SP 800-63B section 3.1.1: long enough, no rule of composition. Raises InvalidError."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise InvalidError(
            f"a password has {SHORTEST} to {LONGEST} characters", code="password-length", where="password"
        )
    if teller_no.lower() in password.lower() or len(set(password)) < 5:
        raise InvalidError(
            "the password is too easy to guess",
            code="password-weak",
            where="password",
            remedy="use a sentence of your own, without your teller number",
        )


def count_attempt(tx: Transaction, staff_id: UUID, *, now: datetime) -> Tried | None:
    """Count an attempt; None when the account is locked or has no credentials of ours."""
    row = tx.find(queries.count_attempt, {"staff_id": staff_id, "now": now})
    if row is None:
        return None
    return Tried(row.password_hash, Sealed(row.totp_key_id, bytes(row.totp_box)), row.failed_count)


def password_fits(password: str, password_hash: str | None) -> bool:
    """Whether the password is the one. Without a hash it takes as long and is never right: who exists is not told by time."""
    with _at_once:
        if password_hash is None and not _nobody:
            _nobody.append(_hasher.hash(secrets.token_hex(16)))
        try:
            fits = _hasher.verify(password_hash or _nobody[0], password[:LONGEST])
        except (VerificationError, InvalidHashError):
            return False
        return fits and password_hash is not None


def open_code(keys: KeyRing, totp: Sealed, code: str, *, now: datetime) -> int | None:
    """The time step the six digits belong to, or None."""
    if len(code) != 6 or not (code.isascii() and code.isdigit()):
        return None
    totp_of = pyotp.TOTP(keys.open(totp, SEAL_PURPOSE).decode(), interval=STEP_S)
    current = int(now.timestamp()) // STEP_S
    for step in range(current - DRIFT_STEPS, current + DRIFT_STEPS + 1):
        if secrets.compare_digest(totp_of.generate_otp(step), code):
            return step
    return None


def accept_code(tx: Transaction, staff_id: UUID, step: int) -> bool:
    """Use up a step; False when it, or a later one, was used before. Atomic across processes."""
    return tx.run(queries.accept_step, {"staff_id": staff_id, "step": step}) == 1


def lock_out(tx: Transaction, staff_id: UUID, *, locked_until: datetime) -> bool:
    """Refuse everything until then; False when it was locked already."""
    return tx.run(queries.lock_out, {"staff_id": staff_id, "locked_until": locked_until}) == 1


def forgive_attempts(tx: Transaction, staff_id: UUID) -> None:
    """The count of failures begins anew."""
    tx.run(queries.forgive_attempts, {"staff_id": staff_id})
