"""Sessions: the browser holds a random token, we its digest; one open session a person."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from gateway.db import Transaction
from gateway.staff.accounts import account_of, queries
from schemas.crypto import KeyRing, Sealed
from schemas.staff import StaffAccount

PROOF_PURPOSE = "staff_id_token"


@dataclass(frozen=True, slots=True)
class Session:
    """An open session with the account as it is now; whether it still counts is the corridor's to say."""

    session_id: UUID
    account: StaffAccount
    branch_no: str  # where it was begun
    teller_no: str
    started_at: datetime
    seen_at: datetime
    expires_at: datetime
    proof: Sealed | None = field(repr=False)


def token_digest(token: str) -> bytes:
    """SHA-256 of a session token: 256 random bits need no salt."""
    return hashlib.sha256(token.encode()).digest()


def insert_session(
    tx: Transaction,
    keys: KeyRing,
    account: StaffAccount,
    token: str,
    *,
    session_id: UUID,
    now: datetime,
    expires_at: datetime,
    id_token: str = "",
) -> int:
    """Begin a session; the person's others end. How many ended."""
    ended = end_sessions_of(tx, account.staff_id, code="signed-in-elsewhere", now=now)
    proof = keys.seal(id_token.encode(), PROOF_PURPOSE) if id_token else Sealed("", b"")
    params = {
        "session_id": session_id,
        "token_sha256": token_digest(token),
        "staff_id": account.staff_id,
        "branch_no": account.branch_no,
        "teller_no": account.teller_no,
        "now": now,
        "expires_at": expires_at,
        "proof_key_id": proof.key_id,
        "proof_box": proof.box,
    }
    tx.run(queries.insert_session, params)
    return ended


def find_session(tx: Transaction, token: str) -> Session | None:
    """The open session of this token."""
    row = tx.find(queries.find_session, {"token_sha256": token_digest(token)})
    if row is None:
        return None
    return Session(
        row.session_id,
        account_of(row),
        row.session_branch_no,
        row.session_teller_no,
        row.started_at,
        row.seen_at,
        row.expires_at,
        Sealed(row.proof_key_id, bytes(row.proof_box)) if row.proof_key_id else None,
    )


def open_proof(keys: KeyRing, session: Session) -> str:
    """The provider's id_token, or ''."""
    return keys.open(session.proof, PROOF_PURPOSE).decode() if session.proof else ""


def mark_seen(tx: Transaction, session_id: UUID, *, now: datetime) -> None:
    """The person did something."""
    tx.run(queries.mark_seen, {"session_id": session_id, "now": now})


def end_session(tx: Transaction, session_id: UUID, *, code: str, now: datetime) -> bool:
    """End one; False when it had ended."""
    return tx.run(queries.end_session, {"session_id": session_id, "code": code, "now": now}) == 1


def end_sessions_of(tx: Transaction, staff_id: UUID, *, code: str, now: datetime) -> int:
    """End all of a person's; how many."""
    return tx.run(queries.end_sessions_of, {"staff_id": staff_id, "code": code, "now": now})


def delete_ended_sessions(tx: Transaction, before: datetime) -> int:
    """Forget sessions that ended before then; how many. What they were is in staff_event."""
    return tx.run(queries.delete_ended_sessions, {"before": before})
