"""One row an export. Evidence about a resident is a look at a resident, and recorded like one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from gateway.db import Row, Transaction, load_queries
from gateway.evidence.restate import export_record
from schemas.audit import Happening
from schemas.errors import InvalidError
from schemas.records import RecordDraft

queries = load_queries(__file__)


class Export(NamedTuple):
    """What was taken out. `about_id` is an id of ours, never a name or number of a person."""

    export_id: UUID
    about_kind: str  # 'decision' | 'resident' | 'period' | 'redemption' | 'letter'
    about_id: str
    exported_by: str
    reason: str
    file_sha256: bytes
    record_count: int
    with_identity: bool
    exported_at: datetime


def insert_export(tx: Transaction, export: Export) -> RecordDraft:
    """Write it; the record it leaves. Raises InvalidError without who and why."""
    if not export.exported_by.strip() or not 4 <= len(export.reason) <= 500:
        raise InvalidError(
            "say who takes the evidence and why, in 4 to 500 characters",
            code="evidence-reason",
            where="reason",
        )
    tx.run(queries.insert_export, {**export._asdict(), "export_id": str(export.export_id)})
    return export_record(export)


def list_exports(tx: Transaction, about_kind: str, about_id: str, limit: int = 500) -> list[Row]:
    """What was exported about somebody or something, newest first."""
    return tx.all(queries.list_exports, {"about_kind": about_kind, "about_id": about_id, "limit": limit})


def list_happenings(
    tx: Transaction, abouts: Sequence[tuple[str, str]], before: datetime, limit: int
) -> list[Happening]:
    """Exports about these (kind, id) before an instant, newest first; `reference` is who took it."""
    params = {
        "kinds": [k for k, _ in abouts],
        "ids": [i for _, i in abouts],
        "before": before,
        "limit": limit,
    }
    return [Happening(*row) for row in tx.tuples(queries.list_happenings, params)]


def list_exports_between(tx: Transaction, from_at: datetime, until_at: datetime, limit: int) -> list[Row]:
    """What was taken out in [from_at, until_at), newest first."""
    return tx.all(queries.list_exports_between, {"from_at": from_at, "until_at": until_at, "limit": limit})
