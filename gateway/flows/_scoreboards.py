"""Writing a list or a correction: rows, ledger, month sums, the answer, the receipt and two records. The inner piece of both.

Set-based: a list of 681 households with 60 lines each is the same dozen statements as a correction of one.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

import orjson

from gateway import contributions, ledger, translog
from gateway.contributions import NewBatch, NewScoreboard, Quarter
from gateway.contributions.restate import batch_record
from gateway.db import Row, Transaction
from gateway.flows._differing import Moves, movements, posted_rows
from gateway.flows._receiving import ATTEMPTS, RAW_PURPOSE, named_batch
from gateway.house import House
from schemas.contributions import ItemAnswer
from schemas.errors import ConflictError, InvalidError, UnavailableError
from schemas.scoreboards import Document, ScoreAnswer, Scoreboard, ScoreboardReader, ScoreCorrection, Stand
from schemas.values import ItemStatus, TownCode, instant_text

#: Two documents met: the later one looks again and finds the first.
RACES = frozenset(
    {
        "scoreboard_said_once",
        "contribution_batch_client_id_idempotency_key_key",
        "contribution_pkey",
        "contribution_reversed_once",
    }
)
FUTURE_SLACK = timedelta(minutes=5)  # clocks differ
OLDEST = timedelta(days=3 * 366)  # a quarter older than this is for people to look at

Answer = TypeVar("Answer")


class Telling(NamedTuple):
    """What a document is and what the town is told about it."""

    quarter: Quarter
    kind: str  # 'list' or 'correction'
    document_no: str
    reading: int
    rule_book: str
    objection_no: str
    posted_at: datetime
    applied: bool
    items: list[ItemAnswer]
    stand: Stand


def scoreboard_reader(house: House, town: TownCode) -> ScoreboardReader:
    """The town's reader. Raises InvalidError for a town that posts no lists."""
    reader = house.readers[town]
    if not isinstance(reader, ScoreboardReader):
        raise InvalidError("this town posts no lists", code="no-scoreboards", where="town", value=town)
    return reader


def tried_again(attempt: Callable[[], Answer]) -> Answer:
    """Run a transaction again when two of them met."""
    for count in range(1, ATTEMPTS + 1):
        try:
            return attempt()
        except ConflictError as exc:
            if exc.where not in RACES or count == ATTEMPTS:
                raise
        except UnavailableError as exc:
            if exc.code != "transaction-rolled-back" or count == ATTEMPTS:
                raise
    raise AssertionError("the last attempt answers or raises")


def refuse_wrong_time(posted_at: datetime, quarter_ends_on: datetime, now: datetime, where: str) -> None:
    """A list is posted after its quarter, and not tomorrow. Raises InvalidError."""
    if posted_at > now + FUTURE_SLACK:
        raise InvalidError("this instant is in the future", code="date-out-of-range", where=where,
                           value=instant_text(posted_at), remedy="check the clock and the offset")  # fmt: skip
    if posted_at < quarter_ends_on:
        raise InvalidError("the quarter is not over at that instant", code="quarter-not-over", where=where,
                           value=instant_text(posted_at), remedy="post the list when the quarter has ended")  # fmt: skip
    if quarter_ends_on < now - OLDEST:
        raise InvalidError("so old a quarter needs a person", code="date-out-of-range", where=where,
                           value=instant_text(quarter_ends_on), remedy="call the gateway's operator")  # fmt: skip


def content_of_list(board: Scoreboard) -> bytes:
    """What a list says, whatever codes are known today: equal bytes are the same list."""
    said = [
        [
            h.item_no,
            h.household_code,
            h.score_centi,
            [[line.item_code, line.points_centi] for line in h.lines],
        ]
        for h in board.households
    ]
    faults = [[f.item_no, f.reference, f.code] for f in board.faults]
    head = [board.list_no, board.village, board.period, board.rule_book, instant_text(board.posted_at)]
    return orjson.dumps([head, said, faults])


def content_of_correction(said: ScoreCorrection) -> bytes:
    """What a correction says."""
    line = [said.line.item_code, said.posted_points_centi, said.line.points_centi]
    whose = [said.list_no, said.village, said.period, said.household_code]
    return orjson.dumps([said.correction_no, said.objection_no, *whose, *line, instant_text(said.decided_at)])


def first_answer(row: Row, digest: bytes, document: Document, kind: str, document_no: str) -> ScoreAnswer:
    """The answer to what stands already. Raises ConflictError when the number was used for something else."""
    if bytes(row.content_digest) != digest:
        raise ConflictError(
            f"this number was used for another {kind}", code="document-no-reused", where="document_no", value=document_no,
            remedy="give every list and every correction a number of its own",
        )  # fmt: skip
    entries, added, taken_back, fallen = row.answers
    items = [ItemAnswer(e[0], e[1], ItemStatus(e[2]), *e[3:]) for e in entries]
    return ScoreAnswer(
        row.batch_id,
        document.town,
        document_no,
        row.received_at,
        items,
        Stand(added, taken_back, fallen),
        row.receipt,
        True,
    )


def write_document(
    house: House,
    tx: Transaction,
    document: Document,
    digest: bytes,
    telling: Telling,
    moves: Moves,
    *,
    now: datetime,
    waits_elsewhere: bool = False,
) -> ScoreAnswer:
    """Everything a list or a correction leaves behind, in the corridor's transaction. `waits_elsewhere`: what is in quarantine
    stands there already, under the first reading."""
    town, batch_id = document.town, document.batch_id
    locked = ledger.lock_accounts(tx, town, moves.changed, taking=True) if moves.changed else {}
    content = house.keys.digester("content")
    digests = [content("\x1f".join(map(str, item)).encode()) for item in moves.items]
    joined = contributions.insert_contributions(tx, town, [(batch_id, posted_rows(moves, digests))])[0]
    ledger.post(tx, town, movements(moves, str(batch_id)), locked, now=now)
    batch = _batch(house, document, telling, moves, joined)
    if waits_elsewhere:
        batch = batch._replace(quarantined=[])
    keep_until = now + timedelta(days=house.config.quarantine_days)
    contributions.insert_batches(tx, town, [batch], now=now, keep_until=keep_until)
    stand = telling.stand
    answers: list[Any] = [
        [list(i) for i in telling.items],
        stand.lines_added,
        stand.lines_reversed,
        stand.fallen,
    ]
    row = NewScoreboard(
        batch_id, telling.quarter, telling.kind, telling.document_no, telling.reading, telling.rule_book, telling.objection_no,
        telling.posted_at, document.received_at, telling.applied, digest, answers,
    )  # fmt: skip
    records = [batch_record(named_batch(town, batch), joined), contributions.insert_scoreboard(tx, row)]
    translog.append_records(tx, records, now=now, new_id=house.new_id)
    return ScoreAnswer(
        batch_id, town, telling.document_no, document.received_at, telling.items, stand, batch.receipt
    )


def _batch(house: House, document: Document, telling: Telling, moves: Moves, item_digests: bytes) -> NewBatch:
    """The batch of a document: its items are the rows it wrote. Entries that were rejected are cut out of what is kept."""
    payload_sha256 = hashlib.sha256(document.body).digest()
    rejected = {i.item_no for i in telling.items if i.status == ItemStatus.REJECTED}
    kept = document.body
    if rejected and telling.kind == contributions.LIST and telling.reading == 1:
        kept = house.readers[document.town].without_items(kept, rejected, as_lines=False)
    sealed = house.keys.seal(zlib.compress(kept, 1), RAW_PURPOSE)
    key = f"{telling.kind}/{telling.document_no}" + (f"#{telling.reading}" if telling.reading > 1 else "")
    claims = {
        "iss": house.config.public_url,
        "sub": document.client_id,
        "batch_id": str(document.batch_id),
        "town": document.town,
        "received_at": instant_text(document.received_at),
        "payload_sha256": payload_sha256.hex(),
        "items_sha256": hashlib.sha256(item_digests).hexdigest(),
        "item_count": len(moves.items),
        "accepted_count": len(moves.items),
        "document": key,
        "log": house.config.log_origin,
        "record": f"contribution_batch/{document.batch_id}",
        "sealed_by": instant_text(document.received_at + timedelta(seconds=house.config.seal_lag_refuse_s)),
    }
    quarantined = [
        (i.item_no, i.reference or "", i.code or "", i.detail or "")
        for i in telling.items
        if i.status == ItemStatus.QUARANTINED
    ]
    return NewBatch(
        document.batch_id, document.client_id, key, payload_sha256, house.readers[document.town].version,
        document.received_at, len(moves.items), len(moves.items), [], item_digests, house.sign_receipt(claims),
        sealed.key_id, sealed.box, kept is document.body, quarantined,
    )  # fmt: skip
