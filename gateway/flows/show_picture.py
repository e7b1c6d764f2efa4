"""The picture of a good, as it is kept."""

from __future__ import annotations

from uuid import UUID

from gateway import goods
from gateway.house import House
from schemas.errors import NotFoundError


def show_picture(house: House, picture_id: UUID) -> tuple[str, bytes]:
    """(media type, bytes); a picture never changes under its id. Raises NotFoundError."""
    with house.audit_db.transaction(read_only=True) as tx:
        row = goods.find_picture(tx, picture_id)
    if row is None:
        raise NotFoundError("no such picture", where="picture_id", value=str(picture_id))
    return row.media_type, bytes(row.content)
