"""A resident agrees and is sent to the town: what they agreed to is kept for minutes, until they come back."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from gateway import links
from gateway.flows._linking import (
    check_form,
    linking_of,
    open_entry,
    read_purposes,
    redirect_uri,
    secret_digest,
)
from gateway.house import House
from gateway.links import Attempt
from schemas.errors import InvalidError, RefusedError
from schemas.values import TownCode

MOST_ATTEMPTS = 5  # of one entry link
ATTEMPT_LIVES = timedelta(minutes=10)


def begin_link(
    house: House,
    town: TownCode,
    entry_text: str,
    *,
    session: str,
    form_token: str,
    purposes: Sequence[str],
    language: str,
    now: datetime,
) -> str:
    """The town's address for this browser, with a `state`, a `nonce` and a PKCE challenge of its own (RFC 7636).

    Errors: RefusedError for an entry or a form that is not good, used or tried too often; InvalidError `purpose-none`.
    """
    linking = linking_of(house, town)
    entry = open_entry(house, town, entry_text, now=now)
    check_form(house, session, entry, form_token)
    agreed = read_purposes(purposes)
    if not agreed:
        raise InvalidError("nothing was agreed to; nothing was kept", code="purpose-none", where="purpose")
    state, nonce, verifier = (secrets.token_urlsafe(size) for size in (32, 32, 48))
    attempt = Attempt(
        house.new_id(), town, entry.entry_id, entry.identity, agreed, verifier, nonce, language, now, now + ATTEMPT_LIVES
    )  # fmt: skip
    with house.db.transaction() as tx:
        if (
            links.is_entry_used(tx, entry.entry_id)
            or links.count_attempts(tx, entry.entry_id) >= MOST_ATTEMPTS
        ):
            raise RefusedError(
                "this link was used", code="entry-used", where="entry",
                remedy="ask for a new link in the bank's app or at the counter",
            )  # fmt: skip
        links.insert_attempt(
            tx, house.keys, attempt, state_digest=secret_digest(house, "state", state),
            session_digest=secret_digest(house, "session", session),
        )  # fmt: skip
    return linking.begin(
        state=state,
        nonce=nonce,
        code_verifier=verifier,
        redirect_uri=redirect_uri(house, town),
        language=language,
    )
