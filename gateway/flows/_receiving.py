"""Receiving pushes: reading before the transaction, and storing in one. The inner piece of both ways points arrive.

A push of one is a batch of one, and several pushes of one town may share a transaction. No statement per item.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from gateway import contributions, ledger, subjects, translog
from gateway.contributions.restate import batch_record
from gateway.db import Transaction
from gateway.flows._judging import Ground, Judged, Marks, judge_items, micros_of
from gateway.flows._readiness import refuse_if_sealing_lags, town_codes
from gateway.house import House
from schemas.contributions import Contribution, ItemAnswer, Push, PushAnswer, ReadPush
from schemas.errors import ConflictError, GatewayError, InvalidError, RefusedError, UnavailableError
from schemas.values import ItemStatus, TownCode, instant_text

ATTEMPTS = 4
#: Two pushes with the same reference or key at the same moment: the later one looks again and finds the first.
RACES = frozenset(
    {
        "contribution_pkey",
        "contribution_reversed_once",
        "contribution_batch_client_id_idempotency_key_key",
        "transfer_pkey",
    }
)
RAW_PURPOSE = "raw_push"


class Reading(NamedTuple):
    """A push as read before the transaction: everything that needs no database."""

    push: Push
    read: ReadPush
    payload_sha256: bytes
    marks: list[Marks]


def receive_together(house: House, pushes: Sequence[Push], now: datetime) -> list[PushAnswer | GatewayError]:
    """Receive several pushes of one town in one transaction; an answer or an error for each, in order."""
    town = pushes[0].town
    refuse_if_sealing_lags(house, now)
    outcomes: list[PushAnswer | GatewayError | None] = [None] * len(pushes)
    readings: list[tuple[int, Reading]] = []
    for index, push in enumerate(pushes):
        try:
            readings.append((index, read(house, push, now)))
        except InvalidError as exc:
            outcomes[index] = exc
    found = store(house, town, [r for _, r in readings], now)
    for (index, _), outcome in zip(readings, found, strict=True):
        outcomes[index] = outcome
    return [o for o in outcomes if o is not None]


def store(
    house: House,
    town: TownCode,
    readings: list[Reading],
    now: datetime,
    *,
    beside: Callable[[Transaction], None] | None = None,
) -> list[PushAnswer | GatewayError]:
    """Store what was read, in one transaction; again when two transactions met. `beside` commits with it, or not at all."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with house.db.transaction() as tx:
                if beside is not None:
                    beside(tx)
                return _store(house, tx, town, readings, now)
        except ConflictError as exc:
            if exc.where not in RACES or attempt == ATTEMPTS:
                raise
        except UnavailableError as exc:
            if exc.code != "transaction-rolled-back" or attempt == ATTEMPTS:
                raise
    raise AssertionError("the last attempt answers or raises")


def read(house: House, push: Push, now: datetime) -> Reading:
    """Everything of a push that needs no transaction. Raises InvalidError when the document cannot be read."""
    reader = house.readers[push.town]
    codes = town_codes(house, push.town, now)
    read = reader.read_lines(push.body, codes) if push.as_lines else reader.read_push(push.body, codes)
    return Reading(push, read, hashlib.sha256(push.body).digest(), marks_of(house, read.items))


def marks_of(house: House, items: Sequence[Contribution]) -> list[Marks]:
    """The keyed digests of items: of the content, and of whom it names."""
    content, person = house.keys.digester("content"), house.keys.digester("lookup:id_no")
    openid = house.keys.digester("lookup:openid")
    known: dict[str, str] = {}
    marks: list[Marks] = []
    for item in items:
        named = item.id_no or item.openid
        lookup = known.get(named) if named else None
        if named and lookup is None:
            lookup = known[named] = (person if item.id_no else openid)(named.encode()).hex()
        micros = micros_of(item.occurred_at)
        text = (
            f"{item.reference}\x1f{item.kind}\x1f{item.activity}\x1f{item.points_centi}\x1f{micros}"
            f"\x1f{item.household_code}\x1f{named}\x1f{item.reverses}\x1f{item.period}"
        )
        marks.append(Marks(content(text.encode()), lookup, micros))
    return marks


def _store(
    house: House, tx: Transaction, town: TownCode, readings: list[Reading], now: datetime
) -> list[PushAnswer | GatewayError]:
    """One transaction over all readings. First claims, then judging, then every write once for all."""
    claims = contributions.claim_keys(tx, [(r.push.client_id, r.push.idempotency_key) for r in readings])
    outcomes: list[PushAnswer | GatewayError | None] = []
    fresh: list[int] = []
    for index, (reading, claim) in enumerate(zip(readings, claims, strict=True)):
        outcome = _claimed(tx, town, reading, claim)
        outcomes.append(outcome)
        if outcome is None:
            fresh.append(index)
    if fresh:
        new = [readings[i] for i in fresh]
        judged = judge_all(tx, town, new, now)
        for index, answer in zip(fresh, write_all(house, tx, town, new, judged, now), strict=True):
            outcomes[index] = answer
    return [o for o in outcomes if o is not None]


def _claimed(
    tx: Transaction, town: TownCode, reading: Reading, claim: contributions.Claim
) -> PushAnswer | GatewayError | None:
    """None: the key is new and ours. Otherwise the first answer again, or why not."""
    key = reading.push.idempotency_key
    if claim.batch_id is None:
        if claim.mine:
            return None
        return ConflictError(
            "a request with this Idempotency-Key is being worked on", code="idempotency-in-progress", where="Idempotency-Key",
            value=key, remedy="wait a moment, then send it again to get its answer", retry_after_s=1,
        )  # fmt: skip
    if claim.payload_sha256 != reading.payload_sha256:
        return RefusedError(
            "this Idempotency-Key was used with another payload", code="idempotency-key-reused", where="Idempotency-Key",
            value=key, remedy="use a new key for a new payload",
        )  # fmt: skip
    accepted = contributions.list_batch_items(tx, claim.batch_id)
    items = [ItemAnswer(no, reference, ItemStatus.ACCEPTED) for no, reference in accepted]
    items += [_from_exception(entry) for entry in claim.exceptions or []]
    items.sort(key=lambda i: i.item_no)
    assert claim.received_at is not None
    return PushAnswer(claim.batch_id, town, claim.received_at, items, claim.receipt or "", replayed=True)


class JudgedPush(NamedTuple):
    accepted: list[Judged]
    exceptions: list[ItemAnswer]


def judge_all(tx: Transaction, town: TownCode, readings: list[Reading], now: datetime) -> list[JudgedPush]:
    """Three statements fetch what all items meet; then each push is judged in order."""
    items = [item for r in readings for item in r.read.items]
    resolution = subjects.resolve(
        tx,
        town,
        subjects.Asked(
            {i.household_code for i in items if i.household_code},
            {d for r in readings for _, d, _ in r.marks if d is not None},
            "openid" if any(i.openid for i in items) else "id_no",
        ),
    )
    reversing = [i.reverses for i in items if i.reverses]
    found, reversed_already = contributions.find_earlier(tx, town, {i.reference for i in items}, reversing)
    ground = Ground(
        resolution.household,
        resolution.people,
        found,
        reversed_already,
        now,
    )
    judged: list[JudgedPush] = []
    for reading in readings:
        accepted: list[Judged] = []
        exceptions = [
            ItemAnswer(f.item_no, f.reference, ItemStatus.REJECTED, f.code, f.where, f.detail)
            for f in reading.read.faults
        ]
        judge_items(reading.read.items, reading.marks, ground, accepted, exceptions)
        exceptions.sort(key=lambda a: a.item_no)
        judged.append(JudgedPush(accepted, exceptions))
    return judged


def write_all(
    house: House,
    tx: Transaction,
    town: TownCode,
    readings: list[Reading],
    judged: list[JudgedPush],
    now: datetime,
) -> list[PushAnswer]:
    holders = {j.holder_id for push in judged for j in push.accepted}
    taking = any(j.spend_effect_centi < 0 for push in judged for j in push.accepted)
    locked = ledger.lock_accounts(tx, town, holders, taking=taking) if holders else {}
    batches = [
        (r.push.batch_id, [contributions.Posted(*j[:10]) for j in p.accepted])
        for r, p in zip(readings, judged, strict=True)
    ]
    digests = contributions.insert_contributions(tx, town, batches)
    movements = [
        ledger.Movement(cause, j.item.item_no, j.holder_id, j.spend_effect_centi, j.spend_other)
        for cause, p in zip([str(r.push.batch_id) for r in readings], judged, strict=True)
        for j in p.accepted
        if j.spend_effect_centi
    ]
    ledger.post(tx, town, movements, locked, now=now)
    rows = [_batch(house, town, r, p, d) for r, p, d in zip(readings, judged, digests, strict=True)]
    keep_until = now + timedelta(days=house.config.quarantine_days)
    contributions.insert_batches(tx, town, rows, now=now, keep_until=keep_until)
    records = [batch_record(named_batch(town, row), row.item_digests) for row in rows]
    translog.append_records(tx, records, now=now, new_id=house.new_id)
    return [_answer_of(town, r, p, row) for r, p, row in zip(readings, judged, rows, strict=True)]


def named_batch(town: TownCode, batch: contributions.NewBatch) -> Any:
    """A new batch with its town, as `batch_record` wants a row."""
    return _Named(town, batch)


class _Named:
    """A NewBatch with its town, as `batch_record` wants a row."""

    def __init__(self, town: TownCode, batch: contributions.NewBatch) -> None:
        self.town = town
        self._batch = batch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)


def _batch(
    house: House, town: TownCode, reading: Reading, judged: JudgedPush, item_digests: bytes
) -> contributions.NewBatch:
    push = reading.push
    count = len(reading.read.items) + len(reading.read.faults)
    refused = {a.item_no for a in judged.exceptions if a.status == ItemStatus.REJECTED}
    kept = push.body
    if refused:  # nothing personal of rejected items is kept (towns.md)
        kept = house.readers[town].without_items(push.body, refused, as_lines=push.as_lines)
    sealed = house.keys.seal(zlib.compress(kept, 1), RAW_PURPOSE)
    claims = {
        "iss": house.config.public_url,
        "sub": push.client_id,
        "batch_id": str(push.batch_id),
        "town": town,
        "received_at": instant_text(push.received_at),
        "payload_sha256": reading.payload_sha256.hex(),
        "items_sha256": hashlib.sha256(item_digests).hexdigest(),
        "item_count": count,
        "accepted_count": len(judged.accepted),
        "log": house.config.log_origin,
        "record": f"contribution_batch/{push.batch_id}",
        "sealed_by": instant_text(push.received_at + timedelta(seconds=house.config.seal_lag_refuse_s)),
    }
    return contributions.NewBatch(
        push.batch_id, push.client_id, push.idempotency_key, reading.payload_sha256, house.readers[town].version,
        push.received_at, count, len(judged.accepted), [list(a) for a in judged.exceptions], item_digests,
        house.sign_receipt(claims), sealed.key_id, sealed.box, not refused,
        [(a.item_no, a.reference or "", a.code or "", a.detail or "")
         for a in judged.exceptions if a.status == ItemStatus.QUARANTINED],
    )  # fmt: skip


def _answer_of(
    town: TownCode, reading: Reading, judged: JudgedPush, row: contributions.NewBatch
) -> PushAnswer:
    accepted = ItemStatus.ACCEPTED
    items = [ItemAnswer(j.item.item_no, j.item.reference, accepted) for j in judged.accepted]
    if judged.exceptions:
        items += judged.exceptions
        items.sort(key=lambda i: i.item_no)
    return PushAnswer(row.batch_id, town, row.received_at, items, row.receipt)


def _from_exception(entry: list[Any]) -> ItemAnswer:
    return ItemAnswer(entry[0], entry[1], ItemStatus(entry[2]), *entry[3:])
