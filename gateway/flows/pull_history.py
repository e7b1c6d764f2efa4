"""What a town's feed held before a resident linked the account: fetched again by account ‖ and stored, with how far it came.

Before the consent nothing of it was kept. What the feed gives besides arrives there; what comes twice is a duplicate.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from functools import partial

from gateway import feeds, links
from gateway.db import Transaction
from gateway.flows._readiness import refuse_if_sealing_lags
from gateway.flows._receiving import read, store
from gateway.house import House
from gateway.links import Held
from gateway.observe.metrics import count_push
from schemas.contributions import Push
from schemas.errors import ConflictError, ForbiddenError, GatewayError, UnavailableError
from schemas.feeds import FeedPage, TownFeed
from schemas.values import TownCode

MOST = 50  # residents in one run
MOST_PAGES = 400  # of one resident
GONE = "link-gone"


def pull_history(house: House, *, now: datetime) -> dict[str, int]:
    """Fetch the earlier changes of residents who linked; items by answer, and how many residents are complete.

    Killed anywhere: it goes on after the last page stored. A resident who took the grant back meanwhile is left to
    `renew_links`. Errors: UnavailableError of a town that is away, after the others were served.
    """
    counts: Counter[str] = Counter()
    failed: list[GatewayError] = []
    for town, feed in house.feeds.items():
        if town not in house.linkings:
            continue
        with house.db.transaction(read_only=True) as tx:
            wait_until = feeds.find_feed(tx, town).wait_until
            waiting = links.list_histories(tx, house.keys, town, MOST)
        if not waiting or (wait_until is not None and wait_until > now):
            continue
        refuse_if_sealing_lags(house, now)
        try:
            for grant in waiting:
                _pull(house, town, feed, grant, now, counts)
        except UnavailableError as exc:
            failed.append(exc)
    if failed:
        raise failed[0]
    return dict(counts)


def _pull(
    house: House, town: TownCode, feed: TownFeed, grant: Held, now: datetime, counts: Counter[str]
) -> None:
    cursor = grant.history_cursor
    for _ in range(MOST_PAGES):
        try:
            page = feed.fetch_history(grant.account, cursor)  # ‖ no transaction is open here
        except ForbiddenError:
            counts["not_granted"] += 1
            return
        try:
            _store(house, town, grant, page, now, counts)
        except ConflictError as exc:
            if exc.code != GONE:
                raise
            return
        if not page.has_more:
            counts["residents"] += 1
            return
        cursor = page.next_cursor


def _store(
    house: House, town: TownCode, grant: Held, page: FeedPage, now: datetime, counts: Counter[str]
) -> None:
    batch_id = house.new_id()
    push = Push(town, f"{town}-history", str(batch_id), page.body, house.clock(), batch_id)
    readings = [read(house, push, now)] if page.item_count else []
    for outcome in store(house, town, readings, now, beside=partial(_move, house, grant, page, now)):
        if isinstance(outcome, GatewayError):
            raise outcome
        count_push(town, outcome.counts())
        counts.update(outcome.counts())


def _move(house: House, grant: Held, page: FeedPage, now: datetime, tx: Transaction) -> None:
    if links.lock_grant(tx, house.keys, grant.link_id) is None:
        raise ConflictError("the link ended meanwhile", code=GONE, where=GONE)
    links.write_history(tx, grant.link_id, page.next_cursor, None if page.has_more else now)
