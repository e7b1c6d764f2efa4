"""Entries of lists that wait in quarantine, read again: the inner piece of `read_again` for towns that post lists.

An entry is one household of a quarter, so it is applied by difference, as a further reading of its list, and only while nothing
newer stands in the quarter. If something does, that counts, and the entry has nothing left to say.
"""

from __future__ import annotations

import logging
import zlib
from collections import Counter
from datetime import datetime

import orjson

from gateway import contributions
from gateway.contributions import LIST, Quarter
from gateway.db import Row, Transaction
from gateway.flows._applying_lists import apply_list
from gateway.flows._readiness import town_codes
from gateway.flows._receiving import RAW_PURPOSE
from gateway.flows._scoreboards import tried_again
from gateway.house import House
from schemas.contributions import ItemAnswer
from schemas.errors import GatewayError
from schemas.scoreboards import Document, Scoreboard, ScoreboardReader
from schemas.values import ItemStatus, TownCode

log = logging.getLogger(__name__)

LISTS = 200
BY = "gateway"  # the client of batches that were read again


def lists_again(house: House, town: TownCode, now: datetime) -> Counter[str]:
    """Read what waits of this town's lists again; entries posted, settled by something newer, and unreadable, counted."""
    counts: Counter[str] = Counter()
    reader = house.readers[town]
    if not isinstance(reader, ScoreboardReader):
        return counts
    codes = town_codes(house, town, now)
    with house.db.transaction(read_only=True) as tx:
        waiting = contributions.list_waiting_lists(tx, town, LISTS, now=now)
        raw = contributions.list_raw(tx, [row.batch_id for row in waiting])
    for row in waiting:
        try:
            body = zlib.decompress(house.keys.open(raw[row.batch_id], RAW_PURPOSE))
            board = reader.read_scoreboard(body, codes)
        except (GatewayError, KeyError, zlib.error) as exc:
            log.error("list of batch %s cannot be read again: %s", row.batch_id, type(exc).__name__)
            counts["unreadable"] += len(row.item_nos)
            continue
        counts += tried_again(lambda row=row, board=board: _again(house, town, row, board, now))  # type: ignore[misc]
    return counts


def _again(house: House, town: TownCode, row: Row, board: Scoreboard, now: datetime) -> Counter[str]:
    with house.db.transaction() as tx:
        return _again_in(house, tx, town, row, board, now)


def _again_in(
    house: House, tx: Transaction, town: TownCode, row: Row, board: Scoreboard, now: datetime
) -> Counter[str]:
    quarter = Quarter(town, row.village, row.period)
    contributions.lock_quarter(tx, quarter)
    still = contributions.lock_open(tx, [(row.batch_id, no) for no in row.item_nos])
    if not still:
        return Counter()
    newer = contributions.find_newer(tx, quarter, row.document_no, row.posted_at, row.batch_id)
    if newer is not None:
        contributions.mark_released(tx, dict.fromkeys(still, newer), now=now)
        return Counter(settled=len(still))
    latest = contributions.find_scoreboard(tx, town, LIST, row.document_no)
    assert latest is not None, "an entry waits under a reading of its list"
    answers = [ItemAnswer(e[0], e[1], ItemStatus(e[2]), *e[3:]) for e in latest.answers[0]]
    waits = {no for _, no in still}
    before = {answer.item_no: answer for answer in answers if answer.item_no not in waits}
    body = orjson.dumps({"readAgain": str(row.batch_id), "entries": sorted(waits)})
    document = Document(town, BY, body, now, house.new_id())
    answer = apply_list(
        house, tx, document, board, bytes(row.content_digest), reading=latest.reading + 1, before=before,
        whole=not latest.applied, now=now,
    )  # fmt: skip
    if answer is None:
        return Counter()
    left = {item.item_no for item in answer.items if item.status == ItemStatus.QUARANTINED}
    done = {place: document.batch_id for place in still if place[1] not in left}
    contributions.mark_released(tx, done, now=now)
    settled = {item.item_no for item in answer.items if item.status == ItemStatus.CONFLICT} & waits
    return Counter(posted=len(done) - len(settled), settled=len(settled))
