"""Grants are kept alive, ended ones are ended at the town. A grant at a time: ‖ the town ‖ what it said.

A refresh token is replaced at each use. Killed between the town's answer and our writing it down, the old token is still good
there until the new one was used. A resident who took the grant back at the town has withdrawn: both end here too.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from gateway import feeds, links, subjects
from gateway.flows._linking import withdraw_purposes
from gateway.house import House
from gateway.links import Held
from schemas.errors import GatewayError, RefusedError, UnavailableError
from schemas.feeds import TownLinking
from schemas.values import Purpose, TownCode

RENEW_AFTER = timedelta(days=1)
ATTEMPTS_KEPT = timedelta(days=1)
EVENTS_KEPT = timedelta(days=30)  # longer than any sender repeats one
MOST = 200  # grants in one run


def renew_links(house: House, *, now: datetime) -> dict[str, int]:
    """Renew what was not renewed for a day, revoke what ended, forget old attempts and events; counts.

    Errors: what the first town said that is away, after the others were served.
    """
    counts: Counter[str] = Counter()
    failed: list[GatewayError] = []
    with house.db.transaction() as tx:
        counts["expired"] += links.expire_attempts(tx, now=now)
        counts["forgotten"] += links.delete_old_attempts(tx, now - ATTEMPTS_KEPT)
        counts["forgotten"] += feeds.delete_old_events(tx, now - EVENTS_KEPT)
    for town, linking in house.linkings.items():
        try:
            _revoke_ended(house, town, linking, counts)
            _renew(house, town, linking, now, counts)
        except UnavailableError as exc:
            failed.append(exc)
    if failed:
        raise failed[0]
    return {name: count for name, count in counts.items() if count}


def _revoke_ended(house: House, town: TownCode, linking: TownLinking, counts: Counter[str]) -> None:
    with house.db.transaction(read_only=True) as tx:
        ended = links.list_ended_grants(tx, house.keys, town, MOST)
    for grant in ended:
        linking.revoke(grant.refresh_token)  # ‖ no transaction is open here
        with house.db.transaction() as tx:
            links.delete_grant(tx, grant.link_id)
        counts["revoked"] += 1


def _renew(house: House, town: TownCode, linking: TownLinking, now: datetime, counts: Counter[str]) -> None:
    with house.db.transaction(read_only=True) as tx:
        due = links.list_grants_to_renew(tx, house.keys, town, now - RENEW_AFTER, MOST)
    for grant in due:
        try:
            new = linking.renew(grant.refresh_token, grant.account)  # ‖ no transaction is open here
        except RefusedError:
            counts["ended"] += _end(house, town, grant, now)
            continue
        with house.db.transaction() as tx:
            standing = links.lock_grant(tx, house.keys, grant.link_id)
            if standing is not None and standing.refresh_token == grant.refresh_token:
                renewed = Held(grant.link_id, town, grant.person_id, grant.account, new.refresh_token)
                links.write_renewed(tx, house.keys, renewed, now=now)
                counts["renewed"] += 1


def _end(house: House, town: TownCode, grant: Held, now: datetime) -> int:
    """The resident took the grant back at the town."""
    with house.db.transaction() as tx:
        standing = links.lock_grant(tx, house.keys, grant.link_id)
        if standing is None or standing.refresh_token != grant.refresh_token:
            return 0  # linked anew meanwhile
        identity = subjects.get_identity(tx, house.keys, grant.person_id)
        withdraw_purposes(house, tx, town, grant.person_id, identity.id_no, tuple(Purpose), "town", now=now)
    return 1
