"""A house with a log key over a scratch database, and a sample room: contribution batches restated from their rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.config import Config
from gateway.db import Transaction
from gateway.db.queries import Query
from gateway.house import House
from gateway.translog import append_records
from schemas.crypto import KeyRing
from schemas.records import RecordBody, RecordDraft, RowFault
from tests.conftest import TestDatabase

NOW = datetime(2026, 11, 23, 4, 5, 6, 789000, tzinfo=UTC)

_INSERT = Query(
    "test.insert_batch",
    "insert into contribution_batch (batch_id, town, client_id, idempotency_key, payload_sha256, adapter, received_at,"
    " item_count, accepted_count, item_digests, receipt) select b, 'lijiayuan', 'town', b::text, sha256(b::text::bytea),"
    " 'lijiayuan/1', %(now)s, 3, 0, '', 'receipt' from unnest(%(ids)s::uuid[]) b",
)
_LIST = Query(
    "test.list_ids",
    "select batch_id::text from contribution_batch"
    " where batch_id > coalesce(nullif(%(after)s, '')::uuid, '00000000-0000-0000-0000-000000000000')"
    " order by batch_id limit %(limit)s",
)
_ROWS = Query(
    "test.rows",
    "select batch_id::text, town, item_count, encode(payload_sha256, 'hex') from contribution_batch"
    " where batch_id = any(%(ids)s::uuid[])",
)


class BatchRestater:
    """A sample of what a room offers."""

    kind = "sample_batch"

    def list_row_ids(self, tx: Transaction, after: str, limit: int) -> list[str]:
        return [row[0] for row in tx.tuples(_LIST, {"after": after, "limit": limit})]

    def restate(self, tx: Transaction, row_ids: Sequence[str]) -> Mapping[str, RecordBody]:
        rows = tx.tuples(_ROWS, {"ids": list(row_ids)})
        return {row[0]: {"town": row[1], "items": row[2], "payload": row[3]} for row in rows}

    def explain(self, tx: Transaction, row_id: str, recorded: RecordBody) -> list[RowFault]:
        found = self.restate(tx, [row_id])[row_id]
        columns = {"town": "town", "items": "item_count", "payload": "payload_sha256"}
        return [
            RowFault(
                "contribution_batch",
                f"batch_id {row_id}",
                columns[name],
                str(recorded[name]),
                str(found[name]),
            )
            for name in columns
            if recorded[name] != found[name]
        ]


RESTATERS: dict[str, Any] = {"sample_batch": BatchRestater()}


def make_house(database: TestDatabase, folder: Path, **settings: Any) -> House:
    """The house a log corridor needs; everything else is absent."""
    key = folder / "log.key"
    if not key.exists():
        pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        key.write_bytes(pem)
        key.chmod(0o600)
    config = replace(Config(), log_key=key, log_verifiers=folder / "log.vkeys", **settings)
    ring = KeyRing("international", "k1", {"k1": bytes(32)}, bytes(32))
    return House(
        config=config,
        db=database.app,
        audit_db=database.auditor,
        keys=ring,
        readers={},
        clients={},
        bank=None,
        sign_receipt=lambda claims: "",
        clock=lambda: NOW,
        new_id=uuid4,
    )


def add_batches(house: House, count: int, *, at: datetime = NOW) -> list[UUID]:
    """`count` sample rows, each with its record, in one transaction; their row ids."""
    ids = [house.new_id() for _ in range(count)]
    with house.db.transaction() as tx:
        tx.run(_INSERT, {"ids": [str(one) for one in ids], "now": at})
        bodies = RESTATERS["sample_batch"].restate(tx, [str(one) for one in ids])
        drafts = [RecordDraft("sample_batch", str(one), bodies[str(one)]) for one in ids]
        append_records(tx, drafts, now=at, new_id=house.new_id)
    return ids


def later(seconds: float) -> datetime:
    """An instant after NOW."""
    return NOW + timedelta(seconds=seconds)
