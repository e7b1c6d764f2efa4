"""Words between a corridor and a town that is asked for its changes, sends signed events, or lets a resident link an account."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from schemas.values import Purpose


class FeedPage(NamedTuple):
    """One page of a town's change feed. `body` is what `TownReader.read_push` reads.

    Every change carries a sequence number; a number that stands in no page is a change that has not come yet, unless the town
    says that it will never be given (`void`).
    """

    body: bytes
    item_count: int
    next_cursor: str
    has_more: bool
    oldest_seq: int  # the lowest number the town still keeps
    seqs: tuple[int, ...]  # as they stand: unordered, repeated
    void: tuple[tuple[int, int], ...] = ()  # (from, until exclusive)


class TownFeed(Protocol):
    """A town that is asked for its changes. At least once, out of order; nothing is changed there by asking.

    Errors: UnavailableError (with `retry_after_s` when the town said how long)."""

    def fetch_changes(self, cursor: str) -> FeedPage:
        """The page after `cursor`; '' is the beginning."""

    def fetch_missing(self, from_seq: int, until_seq: int) -> FeedPage:
        """The changes with these numbers (`until_seq` exclusive), as far as the town has them."""

    def fetch_history(self, account: str, cursor: str) -> FeedPage:
        """One resident's changes from the beginning. Raises ForbiddenError when the town holds no grant of theirs."""


class Grant(NamedTuple):
    """What the town says after the resident agreed there. Personal: never in a log line."""

    account: str  # the town's name for the resident: its openid
    id_no: str  # upper-case X; '' when only a token was renewed
    refresh_token: str


class TownLinking(Protocol):
    """A town at which a resident links an account: authorization code with PKCE (RFC 7636), OpenID Connect.

    Errors: UnavailableError (nothing happened), OutcomeUnknownError, RefusedError (the town or a check said no)."""

    @property
    def issuer(self) -> str:
        """What `iss` must say (RFC 9207)."""

    @property
    def authorize_origin(self) -> str:
        """Where browsers are sent: scheme, host and port."""

    def begin(self, *, state: str, nonce: str, code_verifier: str, redirect_uri: str, language: str) -> str:
        """The address the resident's browser is sent to."""

    def exchange(self, code: str, *, nonce: str, code_verifier: str, redirect_uri: str) -> Grant:
        """The code for a grant: tokens, the checked ID token, and who the town says it is."""

    def renew(self, refresh_token: str, account: str) -> Grant:
        """A new refresh token for the old. Raises RefusedError `grant-ended` when the resident took the grant back."""

    def revoke(self, refresh_token: str) -> None:
        """End the grant at the town (RFC 7009). Revoking twice is once."""


class HookEvent(NamedTuple):
    """What an event says: that something changed. Its content is asked for, never taken from it."""

    kind: str  # 'changes' | 'freeze_ended'
    subject: str = ""  # our serial, for a freeze


class EventReader(Protocol):
    """A town's reader that reads signed events too."""

    def read_event(self, body: bytes) -> HookEvent:
        """What an event says. Raises InvalidError."""


@dataclass(frozen=True, slots=True)
class HookMessage:
    """A request at the events door: the three headers of Standard Webhooks ('' when missing) and the body's bytes."""

    event_id: str
    timestamp: str
    signature: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class EntryIdentity:
    """Who an entry link was made for: identified by the bank (in its app, or at the counter). Personal."""

    id_no: str = field(repr=False)
    name: str = field(repr=False)
    phone: str | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class LinkView:
    """What the linking page shows."""

    town: str
    name_masked: str = field(repr=False)
    id_no_masked: str = field(repr=False)
    linked: bool
    purposes: frozenset[Purpose]  # consents in force at this town
    form_token: str = field(repr=False)
    expires_at: datetime
