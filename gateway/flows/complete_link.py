"""A resident comes back from the town: the attempt is taken ‖ the code is exchanged ‖ account and consents stand.

The state is good once, whatever comes of it. Killed after the first `‖`: nothing stands, the resident begins again. Killed after
the second: the town holds a grant that nobody has; the next linking replaces it there.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import NamedTuple

from gateway import benefits, ledger, links, subjects, translog
from gateway.flows._linking import TEXT_VERSION, linking_of, redirect_uri, secret_digest
from gateway.house import House
from gateway.links import Attempt, Held
from gateway.links.restate import LINKED, link_record
from gateway.subjects.restate import GIVEN, consent_records
from schemas.contributions import ConsentGiven, MemberRegistration
from schemas.errors import GatewayError, RefusedError
from schemas.feeds import Grant, TownLinking
from schemas.values import Purpose, TownCode

log = logging.getLogger(__name__)


class Linked(NamedTuple):
    """What stands now."""

    town: TownCode
    purposes: tuple[Purpose, ...]
    language: str


def complete_link(
    house: House,
    town: TownCode,
    *,
    session: str,
    state: str,
    code: str,
    issuer: str,
    error: str,
    now: datetime,
) -> Linked:
    """Link the account with the consents the resident gave on our page.

    Errors: RefusedError `link-state` (unknown, used, expired, another browser's), `link-issuer` (RFC 9207), `link-denied`,
    `link-other-person`, or the town's proof was not good (then its grant was revoked); ConflictError when the account is
    another's or the resident has another; UnavailableError when the town is away: begin again.
    """
    linking = linking_of(house, town)
    with house.db.transaction() as tx:
        attempt = links.take_attempt(
            tx, house.keys, town, secret_digest(house, "state", state), secret_digest(house, "session", session), now=now,
        )  # fmt: skip
    if attempt is None:
        raise RefusedError(
            "this return from the town is not awaited here", code="link-state", where="state",
            remedy="open your link again and begin anew, in one browser",
        )  # fmt: skip
    grant: Grant | None = None
    try:
        _check_return(linking, issuer, error, code)
        grant = linking.exchange(
            code,
            nonce=attempt.nonce,
            code_verifier=attempt.code_verifier,
            redirect_uri=redirect_uri(house, town),
        )  # ‖ no transaction is open here
        if grant.id_no != attempt.identity.id_no:
            raise RefusedError(
                "the account at the town is another person's", code="link-other-person", where="identity",
                remedy="sign in at the town with your own account",
            )  # fmt: skip
        _store(house, town, attempt, grant, now)
    except GatewayError as exc:
        if grant is not None:
            _revoke_quietly(linking, grant)
        with house.db.transaction() as tx:
            links.mark_outcome(tx, attempt.attempt_id, exc.code)
        raise
    return Linked(town, attempt.purposes, attempt.language)


def _check_return(linking: TownLinking, issuer: str, error: str, code: str) -> None:
    if issuer != linking.issuer:
        raise RefusedError(
            "this return is not from the town that was asked (RFC 9207)", code="link-issuer", where="iss",
            remedy="begin again from your link",
        )  # fmt: skip
    if error or not 0 < len(code) <= 2048:
        denied = error == "access_denied"
        raise RefusedError(
            "the town did not agree", code="link-denied" if denied else "link-town-error", where="error",
            remedy="begin again from your link",
        )  # fmt: skip


def _store(house: House, town: TownCode, attempt: Attempt, grant: Grant, now: datetime) -> None:
    identity = attempt.identity
    consents = tuple(
        ConsentGiven(purpose, attempt.begun_at, TEXT_VERSION, str(attempt.attempt_id))
        for purpose in attempt.purposes
    )
    member = MemberRegistration(identity.id_no, identity.name, identity.phone, False, consents)
    with house.db.transaction() as tx:
        person, given = subjects.register_account(
            tx, house.keys, town, member, grant.account, now=now, new_id=house.new_id
        )
        ledger.open_accounts(tx, town, [int(person)])
        held = Held(house.new_id(), town, person, grant.account, grant.refresh_token)
        link_id, new = links.insert_link(tx, house.keys, held, now=now)
        records = consent_records(tx, GIVEN, [change.consent_id for change in given])
        if new:
            records.append(link_record(tx, LINKED, link_id))
        translog.append_records(tx, records, now=now, new_id=house.new_id)
        affected = [int(person), *map(int, subjects.list_households_of(tx, [int(person)]))]
        benefits.mark_changed(tx, affected, cause="registration", now=now)
        links.mark_outcome(tx, attempt.attempt_id, "linked")


def _revoke_quietly(linking: TownLinking, grant: Grant) -> None:
    """What was not taken must not stay at the town."""
    try:
        linking.revoke(grant.refresh_token)
    except GatewayError as exc:
        log.warning("a grant that was not taken could not be revoked: %s", exc.code)
