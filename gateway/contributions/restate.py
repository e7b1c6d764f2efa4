"""Says the records of contribution batches and scoreboards again, from the rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from gateway.contributions import scoreboards
from gateway.contributions.codes import KIND as CODE_KIND
from gateway.contributions.codes import CodeRestater
from gateway.contributions.day_files import KIND as DAY_FILE_KIND
from gateway.contributions.day_files import DayFileRestater
from gateway.contributions.digests import item_digest
from gateway.contributions.writing import EPOCH, MICROSECOND
from gateway.db import Row, Transaction, load_queries
from schemas.records import RecordBody, RecordDraft, Restater, RowFault
from schemas.values import instant_text

queries = load_queries(__file__)

KIND = "contribution_batch"


def batch_body(row: Any, items_sha256: str) -> RecordBody:
    """The body of a batch's record; `row` has the columns of contribution_batch (or the fields of NewBatch and `town`)."""
    return {
        "town": row.town,
        "client_id": row.client_id,
        "idempotency_key_sha256": hashlib.sha256(row.idempotency_key.encode()).hexdigest(),
        "payload_sha256": bytes(row.payload_sha256).hex(),
        "adapter": row.adapter,
        "received_at": instant_text(row.received_at),
        "item_count": row.item_count,
        "accepted_count": row.accepted_count,
        "exceptions_sha256": hashlib.sha256(orjson.dumps(row.exceptions)).hexdigest(),
        "items_sha256": items_sha256,
        "receipt_sha256": hashlib.sha256(row.receipt.encode()).hexdigest(),
    }


def batch_record(row: Any, item_digests: bytes) -> RecordDraft:
    """The record a new batch leaves: `items_sha256` is SHA-256 over the joined digests of its contribution rows."""
    return RecordDraft(KIND, str(row.batch_id), batch_body(row, hashlib.sha256(item_digests).hexdigest()))


class BatchRestater:
    """Restater of kind contribution_batch."""

    kind = KIND

    def list_row_ids(self, tx: Transaction, after: str, limit: int) -> list[str]:
        return [r for (r,) in tx.tuples(queries.list_batch_ids, {"after": after, "limit": limit})]

    def restate(self, tx: Transaction, row_ids: Sequence[str]) -> Mapping[str, RecordBody]:
        digests = _digests_of_rows(tx, row_ids)
        return {
            row.row_id: batch_body(row, _items_sha256(row, digests.get(row.row_id, ())))
            for row in tx.all(queries.restate_batches, {"row_ids": list(row_ids)})
        }

    def explain(self, tx: Transaction, row_id: str, recorded: RecordBody) -> list[RowFault]:
        """Compare each contribution row with the digest its batch kept of it; then the batch's own columns."""
        rows: list[Row] = tx.all(queries.restate_batches, {"row_ids": [row_id]})
        if not rows:
            return []
        batch = rows[0]
        kept_blob = bytes(batch.item_digests)
        faults: list[RowFault] = []
        if hashlib.sha256(kept_blob).hexdigest() != recorded.get("items_sha256"):
            faults.append(
                RowFault("contribution_batch", f"batch_id {row_id}", "item_digests",
                         str(recorded.get("items_sha256")), hashlib.sha256(kept_blob).hexdigest())
            )  # fmt: skip
        kept = [kept_blob[i : i + 32] for i in range(0, len(kept_blob), 32)]
        found = _digests_of_rows(tx, [row_id]).get(row_id, [])
        faults += _differences(row_id, kept, found, exceptions=batch.exceptions, item_count=batch.item_count)
        now = batch_body(batch, "")
        faults += [
            RowFault(
                "contribution_batch", f"batch_id {row_id}", column, str(recorded.get(column)), str(value)
            )
            for column, value in now.items()
            if column != "items_sha256" and recorded.get(column) != value
        ]
        return faults


def _items_sha256(batch: Any, found: Sequence[tuple[int, bytes]]) -> str:
    """Of the contribution rows; where the digests kept with the batch are not theirs, of neither."""
    joined = b"".join(digest for _, digest in found)
    kept = bytes(batch.item_digests)
    return hashlib.sha256(joined if joined == kept else b"rows " + joined + b" kept " + kept).hexdigest()


def _differences(
    row_id: str,
    kept: list[bytes],
    found: list[tuple[int, bytes]],
    *,
    exceptions: list[list[Any]],
    item_count: int,
) -> list[RowFault]:
    """Accepted items are all items less the exceptions, so we know which numbers must stand."""
    excepted = {entry[0] for entry in exceptions}
    expected = dict(zip([n for n in range(item_count) if n not in excepted], kept, strict=False))
    faults: list[RowFault] = []
    seen = {}
    for item_no, digest in found:
        where = f"batch_id {row_id}, item_no {item_no}"
        if item_no in seen or item_no not in expected:
            faults.append(RowFault("contribution", where, None, None, digest.hex()))
        elif expected[item_no] != digest:
            faults.append(RowFault("contribution", where, "content", expected[item_no].hex(), digest.hex()))
        seen[item_no] = digest
    for item_no, digest in expected.items():
        if item_no not in seen:
            faults.append(
                RowFault("contribution", f"batch_id {row_id}, item_no {item_no}", None, digest.hex(), None)
            )
    return faults


def _digests_of_rows(tx: Transaction, row_ids: Sequence[str]) -> dict[str, list[tuple[int, bytes]]]:
    """(item_no, digest) of every contribution row of the batches, in item order."""
    found: dict[str, list[tuple[int, bytes]]] = {}
    for (batch_id, item_no, town, reference, kind, activity, category, holder_id, person_id, points, at, on, reverses,
         period, content) in tx.tuples(queries.list_rows_of_batches, {"row_ids": list(row_ids)}):  # fmt: skip
        digest = item_digest(
            town,
            batch_id,
            (item_no, reference, kind, activity, category, holder_id, person_id, points, (at - EPOCH) // MICROSECOND,
             on.isoformat(), reverses or "", period or "", bytes(content).hex()),
        )  # fmt: skip
        found.setdefault(batch_id, []).append((item_no, digest))
    return found


RESTATERS: dict[str, Restater] = {
    KIND: BatchRestater(),
    CODE_KIND: CodeRestater(),
    DAY_FILE_KIND: DayFileRestater(),
    scoreboards.KIND: scoreboards.ScoreboardRestater(),
}
