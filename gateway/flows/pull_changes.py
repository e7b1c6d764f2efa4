"""Points arrive by asking: a town's change feed is read page by page. ‖ a page is fetched ‖ stored, with the cursor.

A page is a push. Its numbers tell what is missing: what was passed and did not come stays recorded, is asked for by number in
every run, and is raised while it stands. Everything after a gap is received all the same.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial

from gateway import feeds
from gateway.db import Transaction
from gateway.feeds import Feed
from gateway.flows._readiness import refuse_if_sealing_lags
from gateway.flows._receiving import read, store
from gateway.house import House
from gateway.observe.metrics import count_push
from schemas.contributions import Push, PushAnswer
from schemas.errors import ConflictError, GatewayError, UnavailableError
from schemas.feeds import FeedPage, TownFeed
from schemas.values import TownCode

MOST_PAGES = 2000  # in one run; the next goes on
TOGETHER = 6  # pages in one transaction, when so many wait
POLL = timedelta(seconds=60)  # without an event the town is asked this often
PAGE = 500  # numbers asked for at once
GAPS_ASKED, CHUNKS_ASKED = 50, 20  # ranges in one run, and pages of each
MOVED = "feed-moved"


def pull_changes(house: House, *, now: datetime, unasked: bool = False) -> dict[str, int]:
    """Read every feed that is due, to its end; items by answer, pages, and numbers still missing.

    A feed is due when the town said that something changed, or POLL after the last time; `unasked` reads it at once. A town that
    asked us to wait is not asked before. Killed anywhere: the cursor stands where the last stored page ended.

    Errors: UnavailableError `feed-gap` after everything else was done, when a number is missing for longer than
    `feed_gap_raise_s`: it was not skipped, and is asked for again in the next run.
    """
    counts: Counter[str] = Counter()
    failed: list[GatewayError] = []
    begun, due = time.monotonic(), False
    for town, feed in house.feeds.items():
        with house.db.transaction(read_only=True) as tx:
            standing = feeds.find_feed(tx, town)
        if not _due(standing, now, unasked=unasked):
            continue
        due = True
        refuse_if_sealing_lags(house, now)
        try:
            _pull(house, town, feed, standing.cursor, now, counts)
            _ask_missing(house, town, feed, now, counts)
        except GatewayError as exc:  # one town's trouble is not another's
            if exc.code == MOVED:
                counts["elsewhere"] += 1
            elif exc.code == "neighbour-busy":
                counts["busy"] += 1
                waits = timedelta(seconds=time.monotonic() - begun + (exc.retry_after_s or 5))
                with house.db.transaction() as tx:
                    feeds.mark_asked_to_wait(tx, town, now + waits)
            else:
                failed.append(exc)
    if failed:
        raise failed[0]
    if due:
        _raise_old_gaps(house, now)
    return dict(counts)


def _due(feed: Feed, now: datetime, *, unasked: bool) -> bool:
    if feed.wait_until is not None and feed.wait_until > now:
        return False
    if unasked or feed.fetched_at is None:
        return True
    return now - feed.fetched_at >= POLL or (feed.wanted_at is not None and feed.wanted_at >= feed.fetched_at)


def _pull(
    house: House, town: TownCode, feed: TownFeed, cursor: str, now: datetime, counts: Counter[str]
) -> None:
    """Pages to the end of the feed. While some are stored, the next is fetched; a transaction takes what has come by then."""
    fetched = 0
    with ThreadPoolExecutor(1, thread_name_prefix="feed") as pool:
        asked: Future[FeedPage] | None = pool.submit(feed.fetch_changes, cursor)
        while asked is not None:
            pages: list[FeedPage] = []
            failure: GatewayError | None = None
            while asked is not None and len(pages) < TOGETHER and (not pages or asked.done()):
                try:
                    pages.append(asked.result())
                except GatewayError as exc:
                    failure, asked = exc, None
                    break
                fetched += 1
                more = pages[-1].has_more and fetched < MOST_PAGES
                asked = pool.submit(feed.fetch_changes, pages[-1].next_cursor) if more else None
            if pages:  # what came before the failure is stored
                _store_pages(house, town, cursor, pages, now, counts)
                cursor = pages[-1].next_cursor
            if failure is not None:
                raise failure


def _store_pages(
    house: House,
    town: TownCode,
    cursor: str,
    pages: Sequence[FeedPage],
    now: datetime,
    counts: Counter[str],
) -> None:
    """Store pages and move the cursor past them, together. Raises ConflictError MOVED when somebody else moved it meanwhile."""
    readings = [read(house, _push(house, town, page), now) for page in pages if page.item_count]
    outcomes = store(house, town, readings, now, beside=partial(_move, town, cursor, pages, now))
    _count(town, outcomes, len(pages), counts)


def _move(town: TownCode, cursor: str, pages: Sequence[FeedPage], now: datetime, tx: Transaction) -> None:
    """The feed's own rows, in the transaction of what was fetched."""
    feed = feeds.lock_feed(tx, town)
    if feed.cursor != cursor:
        raise ConflictError("another run read this feed meanwhile", code=MOVED, where=MOVED, value=town)
    before = feeds.list_gaps(tx, town)
    if len(before) > feeds.MOST_GAPS:
        raise UnavailableError(
            f"too many numbers of {town}'s feed are missing to go on", code="feed-disordered", value=len(before),
            remedy="ask the town why its numbers have holes; nothing was skipped",
        )  # fmt: skip
    high = feed.high_seq if feed.cursor else max(feed.high_seq, pages[0].oldest_seq - 1)
    seqs = [seq for page in pages for seq in page.seqs if seq > high or before]
    void = [pair for page in pages for pair in page.void]
    passed = feeds.pass_page(high, before, seqs, void, now=now)
    feeds.write_feed(tx, town, pages[-1].next_cursor, passed.high_seq, before, passed.gaps, now=now)


def _ask_missing(house: House, town: TownCode, feed: TownFeed, now: datetime, counts: Counter[str]) -> None:
    """Ask for what was passed and has not come: by number, a few ranges a run, lowest numbers first."""
    with house.db.transaction(read_only=True) as tx:
        gaps = feeds.list_gaps(tx, town)[:GAPS_ASKED]
    for gap in gaps:
        for low in range(gap.from_seq, gap.until_seq, PAGE)[:CHUNKS_ASKED]:
            page = feed.fetch_missing(low, min(low + PAGE, gap.until_seq))  # ‖ no transaction is open here
            if page.seqs or page.void or page.item_count:
                _store_missing(house, town, page, now, counts)


def _store_missing(house: House, town: TownCode, page: FeedPage, now: datetime, counts: Counter[str]) -> None:
    def close(tx: Transaction) -> None:
        feed = feeds.lock_feed(tx, town)
        before = feeds.list_gaps(tx, town)
        passed = feeds.pass_page(feed.high_seq, before, page.seqs, page.void, now=now)
        feeds.write_feed(tx, town, feed.cursor, passed.high_seq, before, passed.gaps, now=now)

    readings = [read(house, _push(house, town, page), now)] if page.item_count else []
    _count(town, store(house, town, readings, now, beside=close), 1, counts)


def _push(house: House, town: TownCode, page: FeedPage) -> Push:
    """Each page is a push under a key of its own: that an item comes again is seen by its reference, not by the page."""
    batch_id = house.new_id()
    return Push(town, f"{town}-feed", str(batch_id), page.body, house.clock(), batch_id)


def _count(
    town: TownCode, outcomes: Sequence[PushAnswer | GatewayError], pages: int, counts: Counter[str]
) -> None:
    counts["pages"] += pages
    for outcome in outcomes:
        if isinstance(outcome, GatewayError):
            raise outcome
        found = outcome.counts()
        count_push(town, found)
        counts.update(found)


def _raise_old_gaps(house: House, now: datetime) -> None:
    with house.db.transaction(read_only=True) as tx:
        standing = feeds.count_gaps(tx)
    limit = timedelta(seconds=house.config.feed_gap_raise_s)
    old = {town: (count, at) for town, (count, at) in standing.items() if now - at >= limit}
    if old:
        said = ", ".join(f"{town} {count} since {at:%Y-%m-%d %H:%M}Z" for town, (count, at) in old.items())
        raise UnavailableError(
            "a change feed has numbers that never came", code="feed-gap", where="feed_gap", value=said,
            remedy="ask the town for them (`gateway town feed` lists the numbers); everything after them was received",
        )  # fmt: skip
