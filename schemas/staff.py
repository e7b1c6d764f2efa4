"""Staff of the bank: who they are, what they may do, and what signing in asks and gives."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID


class Role(StrEnum):
    """What a member of staff may do. One person may hold several; nobody approves their own."""

    CLERK = "clerk"  # 大堂经理、柜员
    SUPERVISOR = "supervisor"  # 授权主管
    POLICY_AUTHOR = "policy_author"
    POLICY_APPROVER = "policy_approver"
    AUDITOR = "auditor"
    OPERATOR = "operator"


BRANCH_NO: Final = re.compile(r"[0-9]{1,12}")  # 机构号
TELLER_NO: Final = re.compile(r"[0-9A-Za-z]{1,16}")  # 柜员号

DIRECTORY, PROVIDER = (
    "directory",
    "provider",
)  # who vouches for a person: our own list, or the bank's provider


@dataclass(frozen=True, slots=True)
class StaffAccount:
    """One person, one teller number (domain.md, The counter)."""

    staff_id: UUID
    name: str = field(repr=False)
    branch_no: str
    teller_no: str
    roles: frozenset[Role]
    source: str  # DIRECTORY | PROVIDER
    subject: str = field(repr=False)  # '' or the provider's iss and sub, one space between
    enabled: bool


class NewStaff(NamedTuple):
    """Who shall have an account, or what of it shall change. `subject` only for those a provider vouches for."""

    name: str
    branch_no: str
    teller_no: str
    roles: frozenset[Role]
    source: str = DIRECTORY
    subject: str = ""


class Credentials(NamedTuple):
    """What a person of the directory signs in with. Shown once, never kept in the clear."""

    password: str
    totp_secret: str  # base32 (RFC 4648), for an authenticator app (RFC 6238)


class SignIn(NamedTuple):
    """What the form says."""

    teller_no: str
    password: str
    code: str  # six digits of the second factor


class ProviderClaims(NamedTuple):
    """What the bank's provider says of a person, after everything about its token was checked."""

    subject: str  # iss and sub, one space between
    name: str
    branch_no: str
    teller_no: str
    roles: frozenset[Role]
    id_token: str  # shown again when signing out


class SignedIn(NamedTuple):
    """A session was made. `token` goes into a cookie and is kept nowhere else."""

    token: str
    account: StaffAccount
    ended_others: int  # one session a person: how many others ended by this


@dataclass(frozen=True, slots=True)
class StaffCaller:
    """Who is calling, on a request with a live session. The session is bound to branch and teller number."""

    staff_id: UUID
    session_id: UUID
    name: str = field(repr=False)
    branch_no: str
    teller_no: str
    roles: frozenset[Role]
    source: str
    signed_in_at: datetime
    idle_until: datetime

    def may(self, *roles: Role) -> bool:
        """Whether one of these roles is held."""
        return bool(self.roles & set(roles))


class ProviderAsk(NamedTuple):
    """One sign-in at the provider, from its beginning to its end: what only we and the browser's sealed cookie know."""

    state: str
    nonce: str
    code_verifier: str  # RFC 7636
    redirect_uri: str


class ProviderReturn(NamedTuple):
    """What the browser brought back from the provider."""

    state: str
    code: str
    issuer: str  # RFC 9207, '' when it was not said
    error: str
