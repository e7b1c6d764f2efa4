"""Pictures of goods: drawn anew before they come here, kept with who set them; each is a record with the digest of its bytes."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

from gateway.db import Row, Transaction
from gateway.goods.catalogue import queries
from schemas.records import RecordBody, RecordDraft
from schemas.values import instant_text

PICTURE_SET = "good_picture_set"
MEDIA_TYPE = "image/webp"


def insert_picture(
    tx: Transaction, good_id: UUID, content: bytes, *, by: str, now: datetime, picture_id: UUID
) -> RecordDraft | None:
    """From now on the good looks like this (WebP); None when it does already."""
    before = tx.find(queries.find_latest_picture, {"good_id": good_id})
    if before is not None and bytes(before.content) == content:
        return None
    params = {
        "picture_id": picture_id, "good_id": good_id, "media_type": MEDIA_TYPE, "content": content, "set_by": by, "now": now,
    }  # fmt: skip
    tx.run(queries.insert_picture, params)
    row = tx.one(queries.restate_pictures, {"row_ids": [str(picture_id)]})
    return RecordDraft(PICTURE_SET, str(picture_id), picture_body(row))


def find_picture(tx: Transaction, picture_id: UUID) -> Row | None:
    """Row (media_type, content), or None."""
    return tx.find(queries.find_picture, {"picture_id": picture_id})


def picture_body(row: Any) -> RecordBody:
    """The body of a good_picture_set record."""
    return {
        "good_id": row.good_id,
        "media_type": row.media_type,
        "content_sha256": hashlib.sha256(bytes(row.content)).hexdigest(),
        "set_by": row.set_by,
        "recorded_at": instant_text(row.recorded_at),
    }
