"""The register of movements. Each batch of lines under one cause and kind is a record in the log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from gateway.db import Row, Transaction, copy_text
from gateway.goods.catalogue import queries
from schemas.goods import Movement
from schemas.records import RecordBody, RecordDraft, RowFault
from schemas.values import instant_text

MOVED = "stock_moved"
FAULT_LIMIT = 100


def move_stock(
    tx: Transaction, cause_id: UUID, movements: Sequence[Movement], *, by: str, now: datetime
) -> list[RecordDraft]:
    """Write lines of the register; stock follows. Branches and goods are locked in one order first.

    ConflictError (from the session, at the latest when the transaction ends): `stock_not_negative` or `held_is_there` when a
    branch has not so many, or a cause that was written before.
    """
    if not movements:
        return []
    ordered = sorted(movements, key=lambda m: (m.kind, m.branch_no, m.good_id))
    for branch_no in sorted({m.branch_no for m in ordered}):
        good_ids = [m.good_id for m in ordered if m.branch_no == branch_no]
        tx.later(queries.lock_stock, {"branch_no": branch_no, "good_ids": good_ids})
    rows = [
        (cause_id, m.kind, m.branch_no, m.good_id, m.on_hand_change_count, m.held_change_count, m.reason, by, now.isoformat())
        for m in ordered
    ]  # fmt: skip
    tx.copy_in(queries.copy_movements, copy_text(rows))
    drafts = []
    for kind, group in groupby(ordered, key=lambda m: m.kind):
        lines = [
            _line(m.branch_no, str(m.good_id), m.on_hand_change_count, m.held_change_count, m.reason)
            for m in group
        ]
        drafts.append(RecordDraft(MOVED, f"{cause_id} {kind}", moved_body(lines, by, now)))
    return drafts


def lock_branch_stock(tx: Transaction, branch_no: str) -> None:
    """Until the transaction ends nothing of the branch moves."""
    tx.run(queries.lock_branch_stock, {"branch_no": branch_no})


def moved_body(lines: list[RecordBody], moved_by: str, moved_at: datetime) -> RecordBody:
    """The body of a stock_moved record."""
    return {"lines": lines, "moved_by": moved_by, "moved_at": instant_text(moved_at)}


def _line(branch_no: str, good_id: str, on_hand: int, held: int, reason: str) -> RecordBody:
    return {"branch_no": branch_no, "good_id": good_id, "on_hand": on_hand, "held": held, "reason": reason}


def line_of(row: Any) -> RecordBody:
    """The same from a row."""
    return _line(row.branch_no, row.good_id, row.on_hand_change_count, row.held_change_count, row.reason)


def list_stock(tx: Transaction, branch_no: str) -> list[Row]:
    """Rows (branch_no, good_id, code, name_zh, name_en, on_hand_count, held_count, low_stock_count) by code."""
    return tx.all(queries.list_stock, {"branch_no": branch_no})


def list_movements(tx: Transaction, branch_no: str, *, since: datetime, limit: int = 500) -> list[Row]:
    """The register of a branch, newest first."""
    return tx.all(queries.list_movements, {"branch_no": branch_no, "since": since, "limit": limit})


def list_in_transit(tx: Transaction, branch_no: str) -> list[Row]:
    """Lines on their way from or to the branch: cause_id, from_branch_no, to_branch_no, moved_by, moved_at, good, sent_count."""
    return tx.all(queries.list_in_transit, {"branch_no": branch_no})


def list_cause(tx: Transaction, cause_id: UUID) -> list[Row]:
    """Lines of one cause: kind, branch_no, good_id, on_hand_change_count, reason."""
    return tx.all(queries.list_cause, {"cause_id": cause_id})


def lock_transfer(tx: Transaction, transfer_id: UUID) -> None:
    """Until the transaction ends nobody else accepts this transfer."""
    tx.run(queries.lock_transfer, {"transfer_id": str(transfer_id)})


def list_faults(tx: Transaction) -> list[RowFault]:
    """Stock that is not the sum of its movements."""
    return [
        RowFault(
            "stock",
            f"branch_no {row.branch_no}, good_id {row.good_id}",
            "on_hand_count",
            f"movements that sum to {row.moved_on_hand}, {row.moved_held} of it held",
            f"{row.on_hand}, {row.held} of it held",
        )
        for row in tx.all(queries.list_stock_faults, {"limit": FAULT_LIMIT})
    ]
