"""Accounts and their changes; each change is a record in the log."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from gateway.db import Transaction, load_queries
from schemas.errors import InvalidError
from schemas.records import RecordBody, RecordDraft
from schemas.staff import BRANCH_NO, DIRECTORY, PROVIDER, TELLER_NO, NewStaff, Role, StaffAccount
from schemas.values import instant_text

queries = load_queries(__file__)
CHANGED = "staff_changed"
LONGEST_NAME = 64


def find_by_teller(tx: Transaction, teller_no: str) -> StaffAccount | None:
    """The account with this teller number, enabled or not."""
    row = tx.find(queries.find_by_teller, {"teller_no": teller_no})
    return None if row is None else account_of(row)


def find_by_subject(tx: Transaction, subject: str) -> StaffAccount | None:
    """The account the provider knows by this subject."""
    row = tx.find(queries.find_by_subject, {"subject": subject})
    return None if row is None else account_of(row)


def list_staff(tx: Transaction, limit: int = 2000) -> list[StaffAccount]:
    """Accounts by branch and teller number."""
    return [account_of(row) for row in tx.all(queries.list_staff, {"limit": limit})]


def insert_staff(
    tx: Transaction, new: NewStaff, *, by: str, now: datetime, staff_id: UUID, change_id: UUID
) -> tuple[StaffAccount, RecordDraft]:
    """A new account, without credentials yet. Raises InvalidError; ConflictError (from the session) for a taken teller number."""
    _check(new)
    account = StaffAccount(
        staff_id, new.name, new.branch_no, new.teller_no, new.roles, new.source, new.subject, True
    )
    params = {**_columns(account), "name": new.name, "source": new.source, "subject": new.subject, "now": now}
    tx.run(queries.insert_staff, params)
    return account, change_record(tx, account, "added", by=by, now=now, change_id=change_id)


def replace_staff(
    tx: Transaction, account: StaffAccount, new: NewStaff, *, by: str, now: datetime, change_id: UUID
) -> tuple[StaffAccount, RecordDraft | None]:
    """The account with another name, branch, teller number or roles; no record when nothing differs. Raises InvalidError."""
    _check(new)
    if (new.source, new.subject) != (account.source, account.subject):
        raise InvalidError(
            "who vouches for a person does not change",
            where="source",
            value=account.source,
            remedy="disable this account and add another",
        )
    changed = replace(
        account, name=new.name, branch_no=new.branch_no, teller_no=new.teller_no, roles=new.roles
    )
    if changed == account:
        return account, None
    tx.run(queries.replace_staff, {**_columns(changed), "name": new.name, "now": now})
    return changed, change_record(tx, changed, "replaced", by=by, now=now, change_id=change_id)


def mark_enabled(
    tx: Transaction, account: StaffAccount, enabled: bool, *, by: str, now: datetime, change_id: UUID
) -> RecordDraft | None:
    """Switch an account on or off; None when it is so already."""
    if account.enabled == enabled:
        return None
    tx.run(queries.mark_enabled, {"staff_id": account.staff_id, "enabled": enabled, "now": now})
    changed = replace(account, enabled=enabled)
    change = "enabled" if enabled else "disabled"
    return change_record(tx, changed, change, by=by, now=now, change_id=change_id)


def change_record(
    tx: Transaction, account: StaffAccount, change: str, *, by: str, now: datetime, change_id: UUID
) -> RecordDraft:
    """Write the change and say it."""
    subject_sha256 = subject_digest(account.subject)
    params = {
        **_columns(account),
        "change_id": change_id,
        "change": change,
        "source": account.source,
        "subject_sha256": subject_sha256,
        "enabled": account.enabled,
        "changed_by": by,
        "now": now,
    }
    if change == "credentials":
        tx.run(queries.touch_staff, {"staff_id": account.staff_id, "now": now})
    secret_sha256 = tx.one(queries.insert_change, params).secret_sha256
    body = change_body(
        staff_id=str(account.staff_id),
        change=change,
        branch_no=account.branch_no,
        teller_no=account.teller_no,
        roles=params["roles"],
        source=account.source,
        subject_sha256=subject_sha256,
        enabled=account.enabled,
        secret_sha256=secret_sha256,
        changed_by=by,
        changed_at=now,
    )
    return RecordDraft(CHANGED, str(change_id), body)


def change_body(
    *,
    staff_id: str,
    change: str,
    branch_no: str,
    teller_no: str,
    roles: Iterable[str],
    source: str,
    subject_sha256: str,
    enabled: bool,
    secret_sha256: str,
    changed_by: str,
    changed_at: datetime,
) -> RecordBody:
    """The body of a staff_changed record, from the columns of staff_change. No name: a person's name is not evidence."""
    return {
        "staff_id": staff_id,
        "change": change,
        "branch_no": branch_no,
        "teller_no": teller_no,
        "roles": list(roles),
        "source": source,
        "subject_sha256": subject_sha256,
        "enabled": enabled,
        "secret_sha256": secret_sha256,
        "changed_by": changed_by,
        "changed_at": instant_text(changed_at),
    }


def subject_digest(subject: str) -> str:
    """'' or the hex SHA-256 of the provider's subject."""
    return hashlib.sha256(subject.encode()).hexdigest() if subject else ""


def account_of(row: Any) -> StaffAccount:
    """A row of `staff` as the value."""
    return StaffAccount(
        row.staff_id,
        row.name,
        row.branch_no,
        row.teller_no,
        frozenset(Role(role) for role in row.roles),
        row.source,
        row.subject,
        row.enabled,
    )


def _columns(account: StaffAccount) -> dict[str, Any]:
    return {
        "staff_id": account.staff_id,
        "branch_no": account.branch_no,
        "teller_no": account.teller_no,
        "roles": sorted(role.value for role in account.roles),
    }


def _check(new: NewStaff) -> None:
    if not new.name.strip() or len(new.name) > LONGEST_NAME or not new.name.isprintable():
        raise InvalidError(f"a name has 1 to {LONGEST_NAME} characters", where="name")
    if not BRANCH_NO.fullmatch(new.branch_no):
        raise InvalidError("a branch number has 1 to 12 digits", where="branch_no", value=new.branch_no)
    if not TELLER_NO.fullmatch(new.teller_no):
        raise InvalidError(
            "a teller number has 1 to 16 letters and digits", where="teller_no", value=new.teller_no
        )
    if not new.roles:
        raise InvalidError("an account has at least one role", where="roles", remedy=f"use {', '.join(Role)}")
    if Role.AUDITOR in new.roles and len(new.roles) > 1:
        raise InvalidError(
            "an auditor does nothing else here: who checks does not act",
            where="roles",
            value=" ".join(sorted(new.roles)),
            remedy="make another account, of another person",
        )
    if new.source not in (DIRECTORY, PROVIDER) or (new.source == PROVIDER) != bool(new.subject):
        raise InvalidError("a provider's account has a subject, ours has none", where="subject")
